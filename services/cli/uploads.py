"""Hands a file to the catalogue: ticket, upload through the edge, finalize."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.exits import ExitCode, Failure

if TYPE_CHECKING:
    from services.cli.client import Caller

TYPES = {".csv": "text/csv", ".xml": "application/xml"}


def upload_to_catalogue(caller: Caller, file: Path) -> str:
    """Uploads a CSV or XML file and returns the ready upload, `catalogueUploads/{id}`; raises Failure."""
    from services.cli.client import sha256

    if file.suffix.lower() not in TYPES:
        raise Failure(
            ExitCode.USAGE, f"{file} is neither .csv nor .xml.", remedy="Give the file that ending."
        )
    content = file.read_bytes()
    body = {
        "sizeBytes": len(content),
        "contentType": TYPES[file.suffix.lower()],
        "sha256": sha256(content),
    }
    ticket = caller.rest("POST", "/v1/catalogueUploads", body)
    caller.upload(ticket["uploadUrl"], ticket["uploadHeaders"], content)
    ready = caller.rest("POST", f"/v1/{ticket['name']}:finalize", {})
    name: str = ready["name"]
    return name
