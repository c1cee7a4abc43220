"""Downloads a file to disk as it comes, and goes on with what a break has left."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.exits import ExitCode, Failure
from services.cli.progress import bars

if TYPE_CHECKING:
    from services.cli.client import Caller


def download_to(caller: Caller, url: str, file: Path, sha256: str) -> int:
    """GETs what has this SHA-256 (hex) into `file`; returns its size in bytes. Raises Failure.

    What has come before a break stays beside `file`, and the next call asks for the rest only.
    """
    draft = file.with_name(f".{file.name}.{sha256[:16]}.part")
    have = draft.stat().st_size if draft.exists() else 0
    headers = {"range": f"bytes={have}-"} if have else {}
    with (
        caller.reached(),
        caller.client.http(url).stream("GET", url, headers=headers) as answer,
        bars() as shown,
    ):
        if answer.status_code >= 400:
            draft.unlink(missing_ok=True)
            raise Failure(ExitCode.REFUSED, f"The download was refused with HTTP {answer.status_code}.")
        goes_on = answer.status_code == 206
        begin = have if goes_on else 0
        task = shown.add_task(file.name, total=begin + int(answer.headers["content-length"]), completed=begin)
        with draft.open("ab" if goes_on else "wb") as target:
            for chunk in answer.iter_bytes():
                shown.advance(task, target.write(chunk))
    with draft.open("rb") as stream:
        whole = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    if not whole:
        draft.unlink()
        raise Failure(ExitCode.REFUSED, "Other bytes came than were stored.", remedy="Download it again.")
    draft.replace(file)
    return file.stat().st_size
