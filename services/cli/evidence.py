"""`waymark evidence`: files that show something, in a portfolio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.downloads import download_to
from services.cli.holder import LEARNER, Etag, ForHolder, HolderName, own
from services.cli.options import Limit
from services.cli.output import Row
from services.cli.uploads import encoded, upload_evidence

evidence = typer.Typer(help="Files that show something: certificates, photographs, films.")
EVIDENCE = {
    "evidence": "name",
    "title": "title",
    "file": "fileName",
    "type": "contentType",
    "bytes": "sizeBytes",
    "state": "state",
    "scan": "scanState",
    "SHA-256": "sha256",
    "stored": "storeTime",
    "length": "duration",
    "fault": "uploadFault",
    "etag": "etag",
}
ROW = {key: EVIDENCE[key] for key in ("evidence", "title", "file", "bytes", "state", "scan")}
Name = Annotated[str, typer.Argument(metavar="EVIDENCE", help="holders/{id}/evidence/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `evidence` to the command line `app`."""
    app.add_typer(evidence, name="evidence", no_args_is_help=True)


@evidence.command(epilog="Example:  waymark evidence upload certificate.pdf --title 'Welding certificate'")
@calls(LEARNER)
def upload(
    call: Call,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="PDF, JPEG, PNG, MP4, WebM or MP3.")
    ],
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    holder: ForHolder = "",
) -> None:
    """Put a file of up to 2 GB into your portfolio, or of somebody who let you; shows a bar while it travels.

    Broken off, the same command goes on where it was, for a day. A JPEG or PNG gets a small picture by
    itself; a PDF or a film has the one that you give it (`set-poster`).
    """
    call.one(upload_evidence(call.caller, own(call, holder), file, title), EVIDENCE)


@evidence.command("list", epilog="Example:  waymark evidence list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List files, newest first, and say how much room they take; a counsellor's look is written to the access
    log."""
    call.many_and_line(f"{own(call, holder)}/evidence", ROW, limit, _room, empty="no file yet")


@evidence.command(epilog="Example:  waymark evidence show holders/0198…/evidence/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show what is known of a file."""
    call.one(call.get(name), EVIDENCE)


@evidence.command(epilog="Example:  waymark evidence download holders/0198…/evidence/0198… --out paper.pdf")
@calls(LEARNER)
def download(call: Call, name: Name, out: Annotated[Path, typer.Option(help="Where to write it.")]) -> None:
    """Write a stored file to disk; a counsellor's download is written to the access log.

    Broken off, the same command goes on where it was.
    """
    known = call.get(name)
    size = download_to(call.caller, call.get(f"{name}:download")["url"], out, known["sha256"])
    typer.echo(f"{out}: {size} bytes")


@evidence.command(
    "set-poster", epilog="Example:  waymark evidence set-poster holders/0198…/evidence/0198… still.jpg"
)
@calls(LEARNER)
def set_poster(
    call: Call,
    name: Name,
    image: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP up to 100 kB.")
    ] = None,
) -> None:
    """Give a file a small picture; without one, take it away."""
    body = {"image": encoded(image)} if image else {}
    call.one(call.post(f"{name}:setPoster", body), EVIDENCE)


@evidence.command(epilog="Example:  waymark evidence poster holders/0198…/evidence/0198… --out still.jpg")
@calls(LEARNER)
def poster(call: Call, name: Name, out: Annotated[Path, typer.Option(help="Where to write it.")]) -> None:
    """Write the small picture of a file to disk; a counsellor's look is written to the access log."""
    call.save(f"{name}:poster", out)


@evidence.command(epilog="Example:  waymark evidence delete holders/0198…/evidence/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Remove a file for good; entries, skills and the journal no longer name it."""
    call.delete(name, etag=etag)


def _room(answer: Row) -> str:
    used, most = (int(answer.get(name, 0)) / 1_000_000 for name in ("usedBytes", "maxBytes"))
    return f"{used:.1f} MB of {most:.0f} MB used"
