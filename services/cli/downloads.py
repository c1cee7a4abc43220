"""Downloads a file to disk as it comes, and goes on with what a break has left."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli.exits import ExitCode, Failure
from services.cli.progress import bars

if TYPE_CHECKING:
    from services.cli.client import Caller

MADE_AGAIN = 290.0  # seconds in which what is there already is made again; the edge waits little longer


def draft_of(file: Path, of: str = "") -> Path:
    """The path beside `file` to write to, until all went well; `of`: tells apart what is to come there."""
    return file.with_name(f".{file.name}.{of}.part" if of else f".{file.name}.part")


def broke_off(size: int) -> Failure:
    """The failure for a file that did not come to its end."""
    text = f"The file broke off after {size} bytes."
    return Failure(ExitCode.UNREACHABLE, text, remedy="Run the command again.")


def download_to(caller: Caller, url: str, file: Path, sha256: str) -> int:
    """GETs what has this SHA-256 (hex) into `file`; returns its size in bytes. Raises Failure.

    What has come before a break stays beside `file`, and the next call asks for the rest only.
    """
    draft = draft_of(file, sha256[:16])
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
    if _sha256(draft) != sha256:
        draft.unlink()
        raise Failure(ExitCode.REFUSED, "Other bytes came than were stored.", remedy="Download it again.")
    draft.replace(file)
    return file.stat().st_size


def export_to(caller: Caller, path: str, file: Path, moved: Callable[[int], None], **query: Any) -> int:
    """GETs a ZIP that is made as it is sent into `file`; returns its size in bytes. Its end comes last, when
    nothing went wrong. `moved` is told of bytes that are there. Raises Failure.

    What has come before a break stays beside `file`, and the next call asks for what follows it, as long as
    the ZIP still begins so; else it begins anew.
    """
    draft = draft_of(file)
    try:
        _go_on(caller, path, draft, moved, query)
    except Failure as failure:
        if failure.reason != "EXPORT_CHANGED":
            raise
        draft.unlink()
        _go_on(caller, path, draft, moved, query)
    if not zipfile.is_zipfile(draft):
        raise broke_off(draft.stat().st_size)
    draft.replace(file)
    return file.stat().st_size


def _go_on(
    caller: Caller, path: str, draft: Path, moved: Callable[[int], None], query: dict[str, Any]
) -> None:
    """Adds to a draft what is missing in it."""
    have = draft.stat().st_size if draft.exists() else 0
    if not have:
        caller.rest_added(path, draft, moved, **query)
        return
    moved(have)
    received = {"received_bytes": have, "received_sha256": _sha256(draft)}
    caller.rest_added(path, draft, moved, MADE_AGAIN, **query, **received)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
