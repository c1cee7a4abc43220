"""Hands files to the services: within a request, or by ticket, upload through the edge with progress,
finalize."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli import evidence_parts, feed_parts, file_parts
from services.cli.exits import ExitCode, Failure
from services.cli.progress import bars

if TYPE_CHECKING:
    from services.cli.client import Caller

CATALOGUE = {
    ".csv": "text/csv",
    ".xml": "application/xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".json": "application/json",
    ".jsonld": "application/json",
    ".ndjson": "application/json",
}
REQUEST = 700_000  # bytes of a document that a request takes
UPLOAD = 20 << 20  # bytes of one that is uploaded
PART = 1024 * 1024  # bytes read at once, so that a film needs no more memory than a page


def encoded(file: Path) -> str:
    """The bytes of a small file as JSON carries them."""
    return base64.b64encode(file.read_bytes()).decode()


def upload_to_catalogue(caller: Caller, file: Path, source: str = "") -> str:
    """Uploads a CSV, XML, JSON file or logo, in parts where it is a large feed for a `source`; returns the
    ready `catalogueUploads/{id}`; raises Failure."""
    if file.suffix.lower() not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise Failure(ExitCode.USAGE, f"{file} is none of {known}.", remedy="Give the file that ending.")
    body = measured(file) | {"contentType": CATALOGUE[file.suffix.lower()]}
    if source and body["sizeBytes"] > file_parts.IN_PARTS:
        return feed_parts.upload_in_parts(caller, file, body | {"source": source})
    ticket = caller.rest("POST", "/v1/catalogueUploads", body)
    send(caller, file, ticket["uploadUrl"], ticket["uploadHeaders"])
    ready = caller.rest("POST", f"/v1/{ticket['name']}:finalize", {})
    name: str = ready["name"]
    return name


def upload_evidence(caller: Caller, holder: str, file: Path, title: str) -> dict[str, Any]:
    """Uploads a file into the portfolio of `holders/{id}` and returns the stored evidence; raises Failure.

    The service says which types and sizes it takes; the type is told by the file's ending.
    """
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    evidence = measured(file) | {"title": title, "fileName": file.name, "contentType": kind}
    if evidence["sizeBytes"] > file_parts.IN_PARTS:
        return evidence_parts.upload_in_parts(caller, holder, file, evidence)
    made = caller.rest("POST", f"/v1/{holder}/evidence", evidence)
    send(caller, file, made["ticket"]["url"], made["ticket"]["headers"])
    return caller.rest("POST", f"/v1/{made['evidence']['name']}:finalize", {})


def document(caller: Caller, holder: str, content: bytes) -> dict[str, Any]:
    """Returns what of a request to bring a document into the portfolio of `holders/{id}` says which it is:
    its bytes or, of one that is too large for a request, which bytes were uploaded; raises Failure."""
    if len(content) <= REQUEST:
        return {"content": base64.b64encode(content).decode()}
    said = {"sizeBytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ticket = caller.rest("POST", f"/v1/{holder}/documents:upload", {"document": said})
    caller.upload(ticket["url"], ticket["headers"], content)
    return {"upload": said}


def measured(file: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, as tickets want them."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sizeBytes": file.stat().st_size, "sha256": digest}


def send(caller: Caller, file: Path, url: str, headers: Mapping[str, str]) -> None:
    """PUTs a file to the address of a ticket, part by part, with a bar on terminals; raises Failure."""
    with bars() as shown, file.open("rb") as stream:
        task = shown.add_task(file.name, total=file.stat().st_size)

        def parts() -> Iterator[bytes]:
            while part := stream.read(PART):
                yield part
                shown.advance(task, len(part))

        caller.upload(url, headers, parts())
