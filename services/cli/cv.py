"""`waymark cv`: a portfolio as a document, and documents brought in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls, enum
from services.cli.credential import encoded
from services.cli.holder import LEARNER, HolderName, own

cv = typer.Typer(help="Take a portfolio along as a CV in many formats, and bring one in.")


class DocumentFormat(StrEnum):
    """How a portfolio is written down."""

    JSON_RESUME = "json-resume"
    EUROPASS_XML = "europass-xml"
    EUROPASS_JSON = "europass-json"
    LEAP2A = "leap2a"
    HTML = "html"
    PDF = "pdf"


NOT_CARRIED = {"of": "resource", "field": "field", "times": "count"}
BROUGHT = {
    "entries": "entryTitles",
    "skills": "skillLabels",
    "filled in": "holderFields",
    "there before": "duplicates",
}
As = Annotated[DocumentFormat, typer.Option("--format", help="How it is written.")]
Language = Annotated[str, typer.Option(help="Language of texts and headings, such as nl.")]
Anonymous = Annotated[bool, typer.Option("--anonymous", help="Without anything that says whose it is.")]
Entries = Annotated[
    list[str] | None, typer.Option("--entry", help="holders/{id}/entries/{id}; repeat for more, in order.")
]


def register(app: typer.Typer) -> None:
    """Adds `cv` to the command line `app`."""
    app.add_typer(cv, name="cv", no_args_is_help=True)


@cv.command(epilog="Example:  waymark cv export --format pdf --language nl --out cv.pdf")
@calls(LEARNER)
def export(
    call: Call,
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    as_: As = DocumentFormat.PDF,
    holder: HolderName = "",
    language: Language = "",
    anonymous: Anonymous = False,
    entries: Entries = None,
) -> None:
    """Write a portfolio to a file, and say what the format cannot carry."""
    wanted = _wanted(as_, language, anonymous, entries)
    size = call.caller.rest_to_file(f"/v1/{own(call, holder)}:document", out, **wanted)
    typer.echo(f"{out}: {size} bytes", err=call.as_json)
    _told(call, call.get(f"{own(call, holder)}:documentReport", **wanted))


@cv.command(epilog="Example:  waymark cv report --format europass-xml")
@calls(LEARNER)
def report(
    call: Call,
    as_: As,
    holder: HolderName = "",
    language: Language = "",
    anonymous: Anonymous = False,
    entries: Entries = None,
) -> None:
    """Say what a format cannot carry of a portfolio."""
    _told(
        call,
        call.get(f"{own(call, holder)}:documentReport", **_wanted(as_, language, anonymous, entries)),
    )


@cv.command("import", epilog="Example:  waymark cv import --format europass-xml cv.xml --dry-run")
@calls(LEARNER)
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A document of this format.")],
    as_: As,
    language: Language = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be added, add nothing.")] = False,
) -> None:
    """Add what a document says to your portfolio; what is there already is not added again."""
    body = {
        "format": enum("DOCUMENT_FORMAT", as_),
        "content": encoded(file),
        "languageCode": language,
        "validateOnly": dry_run,
    }
    answer = call.post(f"{own(call, '')}/documents:import", body)
    call.one(answer, BROUGHT)
    call.part(answer.get("notCarried", []), NOT_CARRIED, empty="everything was carried")


def _wanted(as_: DocumentFormat, language: str, anonymous: bool, entries: list[str] | None) -> dict[str, Any]:
    wanted = {"format": enum("DOCUMENT_FORMAT", as_), "language_code": language, "entries": entries or []}
    return wanted | ({"anonymous": True} if anonymous else {})


def _told(call: Call, report: dict[str, Any]) -> None:
    call.rows(report.get("notCarried", []), NOT_CARRIED, empty="everything is carried")
