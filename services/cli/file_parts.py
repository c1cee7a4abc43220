"""Uploads large files in parts, and goes on with what a break has left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from services.cli.exits import ExitCode, Failure
from services.cli.progress import bars

if TYPE_CHECKING:
    from services.cli.client import Caller

IN_PARTS = 32_000_000  # bytes; what is larger goes in parts
READ = 1024 * 1024  # bytes read at once
TRIES = 5  # in a row without a part that arrived
PAUSE, CHECK_PAUSE, CHECK = 1.0, 0.5, 1800.0  # seconds: after a failed try, between looks, longest check


def send_parts(caller: Caller, file: Path, path: str) -> None:
    """PUTs the parts that `path` says are missing, with a bar on terminals; raises Failure after some tries
    in vain."""
    size, tries, fewest = file.stat().st_size, 0, 0
    failure = Failure(ExitCode.REFUSED, "The store does not keep what is uploaded.")
    with bars() as shown, file.open("rb") as stream:
        task = shown.add_task(file.name, total=size)
        while missing := caller.rest("GET", path).get("missingParts"):
            shown.update(task, completed=size - sum(int(part["sizeBytes"]) for part in missing))
            tries = 0 if len(missing) < fewest else tries + 1
            if tries > TRIES:
                remedy = "Run the same command again: what arrived is kept for a day."
                raise Failure(failure.code, failure.text, remedy=remedy) from failure
            fewest = len(missing)
            try:
                for part in missing:
                    content = _bytes_of(stream, part, lambda count: shown.advance(task, count))
                    caller.upload(part["url"], part["headers"], content)
            except Failure as broken:  # the line, or the addresses are too old
                failure = broken
                time.sleep(PAUSE)


def finalize(caller: Caller, name: str, fault: str) -> dict[str, Any]:
    """Says that the parts of a file are there, and returns it once it was checked; `fault`: the field that
    says what was wrong with it. Raises Failure."""
    done = caller.rest("POST", f"/v1/{name}:finalize", {})
    end = time.monotonic() + CHECK
    while done["state"] == "STATE_CHECKING" and time.monotonic() < end:
        time.sleep(CHECK_PAUSE)
        done = caller.rest("GET", f"/v1/{name}")
    if wrong := done.get(fault):
        raise Failure(
            ExitCode.REFUSED,
            f"The uploaded bytes are not what was announced ({wrong}).",
            remedy="Run the same command again.",
        )
    return done


def _bytes_of(stream: BinaryIO, part: dict[str, Any], tell: Callable[[int], None]) -> Iterator[bytes]:
    stream.seek(int(part["offset"]))
    left = int(part["sizeBytes"])
    while left and (chunk := stream.read(min(READ, left))):
        left -= len(chunk)
        yield chunk
        tell(len(chunk))
