"""Uploads large feeds in parts, and goes on with what a break has left."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli.exits import ExitCode, Failure
from services.cli.file_parts import finalize, send_parts

if TYPE_CHECKING:
    from services.cli.client import Caller


def upload_in_parts(caller: Caller, file: Path, body: Mapping[str, Any]) -> str:
    """Uploads a feed, or what is missing of it; returns the ready `catalogueUploads/{id}`; raises Failure."""
    upload = _begun(caller, body)
    if upload["state"] == "STATE_PENDING":
        send_parts(caller, file, f"/v1/{upload['name']}")
    if upload["state"] != "STATE_READY":
        finalize(caller, upload["name"], "fault")
    return str(upload["name"])


def _begun(caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the upload of the same file for the same source: its request has the same id each time, so that
    the first answer comes again. One that nothing has used is let go of after a day, and then begun anew."""
    same = f"{body['source']} {body['sha256']} {body['sizeBytes']} {body['contentType']}"
    request = {"requestId": str(uuid.uuid5(uuid.NAMESPACE_URL, same))}
    name = caller.rest("POST", "/v1/catalogueUploads", {**body, **request})["name"]
    try:
        return caller.rest("GET", f"/v1/{name}")
    except Failure as gone:
        if gone.code not in (ExitCode.NOT_FOUND, ExitCode.REFUSED):
            raise
    return caller.rest("POST", "/v1/catalogueUploads", body)
