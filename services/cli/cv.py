"""`waymark cv`: a portfolio as a document, and documents brought in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls, enum, listed, with_etag
from services.cli.evidence import ROW as EVIDENCE_ROW
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.leap2a import Uploaded, small, upload_files
from services.cli.options import Limit
from services.cli.uploads import REQUEST, UPLOAD, document

cv = typer.Typer(help="Take a portfolio along as a CV in many formats, and bring one in.")


class DocumentFormat(StrEnum):
    """How a portfolio is written down."""

    JSON_RESUME = "json-resume"
    EUROPASS_XML = "europass-xml"
    EUROPASS_JSON = "europass-json"
    EUROPASS_CANDIDATE_XML = "europass-candidate-xml"
    LEAP2A = "leap2a"
    HTML = "html"
    PDF = "pdf"


CV = {
    "version": "name",
    "title": "title",
    "language": "languageCode",
    "entries": "entries",
    "letter": "coverLetter",
    "etag": "etag",
}
ROW = {key: CV[key] for key in ("version", "title", "language")}
NOT_CARRIED = {"of": "resource", "field": "field", "times": "count"}
LEFT = NOT_CARRIED | {"set aside": "setAside", "why": "reason"}
SET_ASIDE = {"remainder": "name", "format": "format", "entry": "entry", "at": "path", "says": "content"}
BROUGHT = {
    "entries": "entryTitles",
    "skills": "skillLabels",
    "journal": "journalEntries",
    "plans": "planTitles",
    "goals": "goalTitles",
    "pages": "pageTitles",
    "files": "evidenceTitles",
    "filled in": "holderFields",
    "there before": "duplicates",
    "to undo it": "documentImport",
}
IMPORT = {
    "import": "name",
    "format": "format",
    "things": "thingCount",
    "at": "createTime",
    "undone": "undoTime",
}
THING = {"thing": "resource", "field": "field", "called": "title", "outcome": "outcome"}
As = Annotated[DocumentFormat, typer.Option("--format", help="How it is written.")]
Language = Annotated[str, typer.Option(help="Language of texts and headings, such as nl.")]
Anonymous = Annotated[bool, typer.Option("--anonymous", help="Without anything that says whose it is.")]
Entries = Annotated[
    list[str] | None, typer.Option("--entry", help="holders/{id}/entries/{id}; repeat for more, in order.")
]
JournalAndPlans = Annotated[
    bool,
    typer.Option("--journal-and-plans", help="Also your journal, plans, goals and pages; leap2a only."),
]
PortfolioOnly = Annotated[
    bool, typer.Option("--portfolio-only", help="Without what imported documents said beyond your portfolio.")
]
Version = Annotated[str, typer.Option("--cv", help="Version of the CV, holders/{id}/cvs/{id}.")]
Letter = Annotated[bool, typer.Option("--letter", help="The letter of that version; html or pdf.")]
Title = Annotated[str, typer.Option(help="What you apply as or for.")]
LetterFile = Annotated[
    Path | None, typer.Option("--letter", exists=True, dir_okay=False, help="Text file of the letter, UTF-8.")
]
Name = Annotated[str, typer.Argument(metavar="VERSION", help="holders/{id}/cvs/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `cv` to the command line `app`."""
    app.add_typer(cv, name="cv", no_args_is_help=True)


@cv.command(
    epilog="Example:  waymark cv create --title Welder --entry holders/…/entries/… --letter letter.txt"
)
@calls(LEARNER)
def create(
    call: Call, title: Title, language: Language = "", entries: Entries = None, letter: LetterFile = None
) -> None:
    """Add a version of your CV: which entries it shows, in which order, and the letter that goes with it."""
    call.one(call.post(f"{own(call, '')}/cvs", _version(title, language, entries, letter)), CV)


@cv.command("list", epilog="Example:  waymark cv list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List versions, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/cvs", ROW, limit, empty="no version yet")


@cv.command(epilog="Example:  waymark cv show holders/0198…/cvs/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a version; a counsellor's look is written to the access log."""
    call.one(call.get(name), CV)


@cv.command(epilog="Example:  waymark cv update holders/0198…/cvs/0198… --title 'Senior welder'")
@calls(LEARNER)
def update(
    call: Call,
    name: Name,
    title: Title = "",
    language: Language = "",
    entries: Entries = None,
    letter: LetterFile = None,
    etag: Etag = "",
) -> None:
    """Change what is given of a version."""
    call.one(call.patch(name, with_etag(_version(title, language, entries, letter), etag)), CV)


@cv.command(epilog="Example:  waymark cv delete holders/0198…/cvs/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Remove a version."""
    call.delete(name, etag=etag)


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
    version: Version = "",
    letter: Letter = False,
    journal_and_plans: JournalAndPlans = False,
    portfolio_only: PortfolioOnly = False,
) -> None:
    """Write a portfolio to a file, and say what the format cannot carry."""
    wanted = _wanted(
        as_,
        language,
        entries,
        anonymous=anonymous,
        journal_and_plans=journal_and_plans,
        without_remainders=portfolio_only,
    ) | {"cv": version}
    wanted |= {"cover_letter": True} if letter else {}
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
    journal_and_plans: JournalAndPlans = False,
    portfolio_only: PortfolioOnly = False,
) -> None:
    """Say what a format cannot carry of a portfolio."""
    wanted = _wanted(
        as_,
        language,
        entries,
        anonymous=anonymous,
        journal_and_plans=journal_and_plans,
        without_remainders=portfolio_only,
    )
    _told(call, call.get(f"{own(call, holder)}:documentReport", **wanted))


@cv.command("import", epilog="Example:  waymark cv import --format europass-xml cv.xml --dry-run")
@calls(LEARNER)
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A document of this format.")],
    as_: As,
    language: Language = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be added, add nothing.")] = False,
    with_files: Annotated[
        bool, typer.Option("--with-files", help="Upload the files of a large Leap2A archive (20 MiB) first.")
    ] = False,
) -> None:
    """Add what a document says to your portfolio; what is there already is not added again."""
    of_leap = as_ is DocumentFormat.LEAP2A
    if with_files and (dry_run or not of_leap):
        raise Failure(ExitCode.USAGE, "--with-files goes with --format leap2a, and not with --dry-run.")
    holder = own(call, "")
    uploaded = upload_files(call.caller, holder, file) if with_files else Uploaded([], {})
    most = REQUEST if with_files else UPLOAD  # its files are here by then
    body = {
        **document(call.caller, holder, small(file, most) if of_leap else file.read_bytes()),
        "format": enum("DOCUMENT_FORMAT", as_),
        "languageCode": language,
        "validateOnly": dry_run,
        "files": uploaded.hashes,
    }
    if with_files:
        call.part(uploaded.evidence, EVIDENCE_ROW, empty="every file was there")
    answer = call.post(f"{holder}/documents:import", body)
    call.one(answer, BROUGHT)
    call.part(answer.get("notCarried", []), LEFT, empty="everything was carried")


@cv.command(epilog="Example:  waymark cv imports")
@calls(LEARNER)
def imports(call: Call, limit: Limit = 50) -> None:
    """List the documents that you brought in, the last one first."""
    call.many(f"{own(call, '')}/documentImports", IMPORT, limit, empty="no document brought anything yet")


@cv.command(epilog="Example:  waymark cv undo holders/0198…/documentImports/0198… --dry-run")
@calls(LEARNER)
def undo(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="IMPORT", help="As `imports` shows it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, change nothing.")] = False,
) -> None:
    """Take back what a document brought; what you changed since, or still need, stays."""
    answer = call.post(f"{name}:undo", {"validateOnly": dry_run})
    call.one(answer, IMPORT)
    call.part(answer.get("things", []), THING, empty="nothing was left of it")


@cv.command("set-aside", epilog="Example:  waymark cv set-aside")
@calls(LEARNER)
def set_aside(call: Call, limit: Limit = 50) -> None:
    """List what documents said beyond your portfolio: kept, and written into the same format again."""
    found = listed(call.caller, f"{own(call, '')}/remainders", limit)
    rows = [each | part for each in found for part in each["parts"]]
    call.rows(rows, SET_ASIDE, empty="nothing was set aside")


@cv.command("forget", epilog="Example:  waymark cv forget holders/0198…/remainders/0198…")
@calls(LEARNER)
def forget(
    call: Call, name: Annotated[str, typer.Argument(metavar="REMAINDER", help="As `set-aside` shows it.")]
) -> None:
    """Remove something that was set aside."""
    call.delete(name)


def _version(title: str, language: str, entries: list[str] | None, letter: Path | None) -> dict[str, Any]:
    body = {
        "title": title,
        "languageCode": language,
        "entries": entries or [],
        "coverLetter": letter.read_text(encoding="utf-8") if letter else "",
    }
    return {key: value for key, value in body.items() if value}


def _wanted(as_: DocumentFormat, language: str, entries: list[str] | None, **flags: bool) -> dict[str, Any]:
    wanted = {"format": enum("DOCUMENT_FORMAT", as_), "language_code": language, "entries": entries or []}
    return wanted | {name: True for name, given in flags.items() if given}


def _told(call: Call, report: dict[str, Any]) -> None:
    call.rows(report.get("notCarried", []), NOT_CARRIED, empty="everything is carried")
