"""Fetches the parts of a snapshot of courses into one file, and goes on where an earlier try broke off."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from services.cli.downloads import draft_of
from services.cli.exits import ExitCode, Failure

if TYPE_CHECKING:
    from services.cli.client import Caller


def fetch(caller: Caller, snapshot: dict[str, Any], out: Path) -> int:
    """Writes the snapshot, as REST shows it, to `out`; returns its size in bytes.

    What has come stays in a file beside `out` until all is there. Raises Failure, also for a part whose bytes
    are not those that were stored.
    """
    draft = draft_of(out, snapshot["name"].rpartition("/")[2])
    size = 0
    draft.touch()
    with draft.open("r+b") as file:
        for part in snapshot.get("parts", []):
            _take(caller, part, file, size)
            size += int(part["sizeBytes"])
    draft.replace(out)
    return size


def _take(caller: Caller, part: dict[str, Any], file: BinaryIO, begin: int) -> None:
    """Completes and checks the part that begins at byte `begin` of the file."""
    have = min(file.seek(0, 2) - begin, int(part["sizeBytes"]))
    if have < int(part["sizeBytes"]):
        file.seek(begin + have)
        file.write(caller.download(part["downloadUrl"], have))
    file.seek(begin)
    if hashlib.sha256(file.read(int(part["sizeBytes"]))).hexdigest() != part["sha256"]:
        file.truncate(begin)
        remedy = "Run the same command again; that part is fetched anew."
        raise Failure(ExitCode.OTHER, f"Part {part['number']} is not as it was stored.", remedy=remedy)
