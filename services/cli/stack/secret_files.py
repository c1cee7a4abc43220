"""Secrets that a stack makes for itself on first use, each in a file that only its owner reads."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """Return what the file holds; what `make` returns on first use, for twins what the first of them wrote.

    The file is there whole or not at all: half a password would keep the stack from ever starting again.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(make())
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(FileExistsError):  # a twin was faster
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text()
