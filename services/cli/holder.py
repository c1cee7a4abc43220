"""`waymark holder`: the person behind a portfolio."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, with_etag
from services.cli.downloads import export_to
from services.cli.progress import bars

holder = typer.Typer(
    help="The person behind a portfolio: open it, read it, change it, take all of it out, erase it."
)
LEARNER = "learner"
HOLDER = {
    "holder": "name",
    "given name": "givenName",
    "family name": "familyName",
    "born": "birthDate",
    "e-mail": "contact.email",
    "phone": "contact.phone",
    "languages": "languages",
    "opened": "createTime",
    "restricted": "restrictTime",
    "etag": "etag",
}
GOING = {
    "entries": "entries",
    "skills": "skillClaims",
    "credentials": "credentials",
    "CV versions": "cvs",
    "set aside of documents": "remainders",
    "imports of documents": "documentImports",
    "files": "evidence",
    "pathways": "pathways",
    "validation cases": "validationCases",
    "pages": "pages",
    "pages handed in": "pageSubmissions",
    "mentoring": "mentoringMatches",
    "groups": "groupMemberships",
    "questionnaires": "questionnaires",
    "contacts": "contactRecords",
    "notes of counsellors": "guidanceNotes",
    "journal": "journalEntries",
    "goals": "goals",
    "plans": "plans",
    "mandates": "mandates",
    "share links": "shareLinks",
    "exposure consents": "exposureConsents",
}
KEPT = {"access records kept": "accessRecords", "rights requests kept": "rightsRequests"}
ERASED = GOING | KEPT | {"erased": "eraseTime"}
HolderName = Annotated[str, typer.Argument(metavar="[HOLDER]", help="holders/{id}; default: your own.")]
ForHolder = Annotated[
    str, typer.Option("--for", metavar="HOLDER", help="holders/{id} on whose behalf; default: your own.")
]
Given = Annotated[str, typer.Option(help="Given names.")]
Family = Annotated[str, typer.Option(help="Family names.")]
Born = Annotated[str, typer.Option(help="Date of birth, 1990-05-17.")]
Email = Annotated[str, typer.Option(help="E-mail address.")]
Phone = Annotated[str, typer.Option(help="Telephone number.")]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Language to be addressed in, best first; repeat.")
]
Etag = Annotated[str, typer.Option(help="Etag read before; refused when somebody changed it since.")]


def register(app: typer.Typer) -> None:
    """Adds `holder` to the command line `app`."""
    app.add_typer(holder, name="holder", no_args_is_help=True)


@holder.command(epilog="Example:  waymark holder create --given Noor --family Verbeke --language nl")
@calls(LEARNER)
def create(
    call: Call,
    given: Given = "",
    family: Family = "",
    born: Born = "",
    email: Email = "",
    phone: Phone = "",
    languages: Languages = None,
) -> None:
    """Open your portfolio; it is under the subject of your token."""
    call.one(call.post("holders", _person(given, family, born, email, phone, languages)), HOLDER)


@holder.command(
    epilog="Examples:  waymark holder show · "
    "waymark holder show holders/0198… --as counsellor:Tess --org organisations/office"
)
@calls(LEARNER)
def show(call: Call, name: HolderName = "") -> None:
    """Show who a portfolio belongs to; a counsellor's look is written to the access log."""
    call.one(call.get(own(call, name)), HOLDER)


@holder.command(epilog="Example:  waymark holder update --phone '+32 3 555 01 23'")
@calls(LEARNER)
def update(
    call: Call,
    given: Given = "",
    family: Family = "",
    born: Born = "",
    email: Email = "",
    phone: Phone = "",
    languages: Languages = None,
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays."""
    name = own(call, "")
    person = _person(given, family, born, email, phone, languages)
    if "contact" in person:  # replaced as a whole, so what it holds now goes along
        person["contact"] = call.get(name).get("contact", {}) | person["contact"]
    call.one(call.patch(name, with_etag(person, etag)), HOLDER)


@holder.command(
    epilog="Examples:  waymark holder export --output all.zip · "
    "waymark holder export --output all.zip --no-files --language nl"
)
@calls(LEARNER)
def export(
    call: Call,
    output: Annotated[Path, typer.Option(help="Where to write the ZIP.")],
    no_files: Annotated[bool, typer.Option("--no-files", help="Without the files of the evidence.")] = False,
    language: Annotated[str, typer.Option(help="Of the pages, BCP 47; default: your first.")] = "",
) -> None:
    """Take everything out that is kept of you, as one ZIP: pages to read, JSON, files, who looked.

    Broken off, the same command goes on where it was; it begins anew when what it has is no longer so.
    """
    name = own(call, "")
    asked = {"language_code": language} | ({"without_files": True} if no_files else {})
    stored = () if no_files else call.each(f"{name}/evidence")
    with bars() as shown:
        task = shown.add_task(output.name, total=sum(int(each["sizeBytes"]) for each in stored) or None)
        moved = partial(shown.advance, task)
        size = export_to(call.caller, f"/v1/{name}:export", output, moved, **asked)
    call.wrote(output, size)


@holder.command("lift-restriction", epilog="Example:  waymark holder lift-restriction")
@calls(LEARNER)
def lift_restriction(call: Call) -> None:
    """End the restriction you asked for: those you let look can look again."""
    call.one(call.post(f"{own(call, '')}:liftRestriction"), HOLDER)


@holder.command(epilog="Examples:  waymark holder erase --dry-run · waymark holder erase --yes --json")
@calls(LEARNER)
def erase(
    call: Call,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase your portfolio for good; asks first. The access log stays, and you can still read it."""
    name = own(call, "")
    body = {"etag": call.get(name)["etag"]}
    if dry_run or not yes:
        would = call.post(f"{name}:erase", body | {"validateOnly": True})
        if dry_run:
            call.one(would, ERASED)
            return
        typer.echo("This goes for good:", err=True)
        for label, field in GOING.items():
            typer.echo(f"  {would.get(field, 0)} {label}", err=True)
        typer.confirm("Erase it?", abort=True, err=True)
    call.one(call.post(f"{name}:erase", body), ERASED)


def own(call: Call, name: str) -> str:
    """The portfolio named, `holders/{id}`; without a name the caller's own. Raises Failure."""
    return name or f"holders/{call.caller.subject}"


def _person(
    given: str, family: str, born: str, email: str, phone: str, languages: list[str] | None
) -> dict[str, Any]:
    contact = {key: value for key, value in (("email", email), ("phone", phone)) if value}
    person = {
        "givenName": given,
        "familyName": family,
        "birthDate": json_day(born) if born else None,
        "contact": contact,
        "languages": languages,
    }
    return {key: value for key, value in person.items() if value}
