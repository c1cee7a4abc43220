"""Uploads large files of evidence in parts, and goes on with what a break has left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli.file_parts import finalize, send_parts

if TYPE_CHECKING:
    from services.cli.client import Caller


def upload_in_parts(caller: Caller, holder: str, file: Path, evidence: dict[str, Any]) -> dict[str, Any]:
    """Uploads a file, or what is missing of it, and returns what was checked of it; raises Failure."""
    name = _begun(caller, holder, evidence["sha256"])
    name = name or caller.rest("POST", f"/v1/{holder}/evidence", evidence)["evidence"]["name"]
    send_parts(caller, file, f"/v1/{name}:upload")
    return finalize(caller, name, "uploadFault")


def _begun(caller: Caller, holder: str, sha256: str) -> str:
    """Returns the name of the same file where its upload was begun earlier, or nothing."""
    for known in caller.rest("GET", f"/v1/{holder}/evidence", page_size=500).get("evidence", []):
        if known["sha256"] == sha256 and known["state"] == "STATE_AWAITING_UPLOAD":
            return str(known["name"])
    return ""
