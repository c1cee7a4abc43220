"""`waymark shortage`: lists of shortage occupations, drafted from a file and published by a second person."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output, shortage_match, shortage_proof, shortage_questions
from services.cli.amounts import day_query, json_day
from services.cli.call import Call, calls, enum, listed
from services.cli.options import Limit, Why
from services.cli.shortage_match import VersionName
from services.cli.shortage_proof import Occupation, OfList, On, Region
from services.cli.uploads import upload_to_catalogue

shortage = typer.Typer(
    help="Lists of shortage occupations: draft with findings, publication by a second person."
)
MAKER = "catalogue_manager:maker"
CHECKER = "catalogue_manager:checker"
ENTRIES = {
    "line": "line",
    "named": "label",
    "ISCO-08": "occupation.iscoCode",
    "URI": "occupation.uri",
    "region": "nutsCode",
    "severity": "severity",
    "cause": "cause",
    "evidence": "evidence",
}
LIST = {"list": "name", "called": "displayNames", "territory": "nutsCode"}
VERSION = {
    "version": "name",
    "state": "state",
    "in force from": "validFrom",
    "until": "validTo",
    "entries": "entryCount",
    "rows": "rowCount",
    "rejected rows": "rejectedRowCount",
    "errors": "errorCount",
    "digest": "digest",
    "withdrawn": "withdrawTime",
    "because": "withdrawReason",
}
CHANGES = {
    "ISCO-08": "occupation.iscoCode",
    "URI": "occupation.uri",
    "region": "nutsCode",
    "severity before": "severityBefore",
    "now": "severityAfter",
    "cause before": "causeBefore",
    "cause now": "causeAfter",
}
FINDINGS = {"line": "line", "column": "path", "value": "value", "what": "message", "mend it": "remedy"}
ListName = Annotated[str, typer.Argument(metavar="LIST", help="shortageLists/{id}")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")]


class Columns(StrEnum):
    """Columns of a shortage file."""

    TEMPLATE = "template"
    NAMES = "names"
    ISCO_INDEX = "isco-index"


def register(app: typer.Typer) -> None:
    """Adds `shortage` to the command line `app`."""
    shortage_match.register(shortage)
    shortage_proof.register(shortage)
    shortage_questions.register(shortage)
    app.add_typer(shortage, name="shortage", no_args_is_help=True)


@shortage.command(
    "import",
    epilog="Example:  waymark shortage import shortageLists/national samples/shortage/shortage-list.csv "
    "--from 2026-01-01",
)
@calls(MAKER)
def import_(
    call: Call,
    name: ListName,
    file: File,
    valid_from: Annotated[str, typer.Option("--from", help="First day in force, 2026-01-01.")],
    columns: Annotated[Columns, typer.Option(help="What the columns are.")] = Columns.TEMPLATE,
    region: Annotated[
        str, typer.Option(help="NUTS code for rows that name none; default: the list's own.")
    ] = "",
    severity: Annotated[int, typer.Option(min=0, max=5, help="Severity for rows that name none.")] = 0,
    method: Annotated[str, typer.Option(help="How the list was made.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only check the file, keep nothing.")] = False,
) -> None:
    """Draft a version of a list from a CSV file and show what is wrong with it."""
    body = {
        "upload": upload_to_catalogue(call.caller, file),
        "format": enum("SHORTAGE_FORMAT", columns) + "_CSV",
        "validFrom": json_day(valid_from),
        "method": method,
        "defaultNutsCode": region,
        "defaultSeverity": severity,
        "validateOnly": check,
    }
    version = call.post(f"{name}/versions", body)
    findings = [] if check else listed(call.caller, f"{version['name']}/findings", 500)
    if call.as_json:
        output.as_json({"version": version, "findings": findings})
    else:
        output.details(version, VERSION)
        output.table(findings, FINDINGS, empty="no findings")


@shortage.command(
    epilog="Example:  waymark shortage create national --name 'Shortage occupations' --region BE2"
)
@calls(MAKER)
def create(
    call: Call,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits and hyphens.")],
    called: Annotated[str, typer.Option("--name", help="Name people read.")],
    region: Annotated[str, typer.Option(help="NUTS code of the territory it speaks for.")],
    language: Annotated[str, typer.Option(help="Language of the name.")] = "en",
) -> None:
    """Create a list; its content comes with versions."""
    body = {"shortageListId": identifier, "displayNames": {language: called}, "nutsCode": region}
    answer = call.post("shortageLists", body)
    call.one(answer, LIST)


@shortage.command(epilog="Example:  waymark shortage findings shortageLists/national/versions/1")
@calls("auditor")
def findings(call: Call, name: VersionName, limit: Limit = 500) -> None:
    """Show what is wrong with a draft's file: line, column, value, and how to mend it."""
    call.many(f"{name}/findings", FINDINGS, limit, empty="no findings")


@shortage.command(epilog="Example:  waymark shortage drop shortageLists/national/versions/2")
@calls(MAKER)
def drop(call: Call, name: VersionName) -> None:
    """Drop a draft, with what was decided of its rows."""
    call.delete(name)


@shortage.command(epilog="Example:  waymark shortage publish shortageLists/national/versions/1")
@calls(CHECKER)
def publish(
    call: Call,
    name: VersionName,
    accept_findings: Annotated[bool, typer.Option(help="Publish although rows were rejected.")] = False,
) -> None:
    """Publish a draft, for good from its first day on; by another person than the one who drafted it."""
    answer = call.post(f"{name}:publish", {"acceptFindings": accept_findings})
    call.one(answer, VERSION)


@shortage.command(
    epilog="Example:  waymark shortage withdraw shortageLists/national/versions/2 'wrong region'"
)
@calls(MAKER)
def withdraw(
    call: Call,
    name: VersionName,
    reason: Why,
) -> None:
    """Withdraw a published version before its first day; by another person than who published it."""
    call.one(call.post(f"{name}:withdraw", {"reason": reason}), VERSION)


@shortage.command(
    epilog="Example:  waymark shortage draft shortageLists/national --from 2027-01-01 --least 3"
)
@calls(MAKER)
def draft(
    call: Call,
    name: ListName,
    valid_from: Annotated[str, typer.Option("--from", help="First day in force, 2027-01-01.")],
    least: Annotated[int, typer.Option(min=1, max=5, help="Least severity of an entry.")] = 3,
    months: Annotated[int, typer.Option(min=1, max=120, help="Older assessments do not count.")] = 24,
) -> None:
    """Draft a version of a list from officers' verified assessments, by the published rule."""
    body = {"validFrom": json_day(valid_from), "minimumSeverity": least, "maxAgeMonths": months}
    call.one(call.post(f"{name}/versions:draft", body), VERSION | {"made": "method"})


@shortage.command(epilog="Example:  waymark shortage changes shortageLists/national/versions/2")
@calls(MAKER)
def changes(
    call: Call,
    name: VersionName,
    base: Annotated[
        int, typer.Option(min=0, help="Number of the version to compare with; 0: the one before.")
    ] = 0,
    limit: Limit = 500,
) -> None:
    """Show what differs between a version and an earlier one; severity 0 is no entry."""
    call.many(f"{name}/changes", CHANGES, limit, empty="nothing differs", base=base)


@shortage.command(epilog="Example:  waymark shortage check 7112 BE21 --on 2026-09-01")
@calls()
def check(
    call: Call,
    occupation: Occupation,
    region: Region,
    on: On = "",
    name: OfList = "",
) -> None:
    """Ask whether an occupation was short in a region on a day, and by which entry of which version."""
    asked = {"occupation": occupation, "nuts_code": region, "shortage_list": name}
    answer = call.get("shortageLists:check", **asked, **day_query("date", on))
    answer.setdefault("short", False)
    fields = {
        "short": "short",
        "on": "date",
        "by version": "version",
        "entry": "entry.name",
        "occupation": "entry.label",
        "region": "entry.nutsCode",
        "severity": "entry.severity",
        "cause": "entry.cause",
    }
    call.one(answer, fields)


@shortage.command("list", epilog="Example:  waymark shortage list shortageLists/national")
@calls()
def list_(
    call: Call,
    name: Annotated[
        str, typer.Argument(metavar="[LIST]", help="shortageLists/{id} to list the versions of.")
    ] = "",
    limit: Limit = 50,
) -> None:
    """List the lists, or the versions of one."""
    path, key = (f"{name}/versions", "shortageListVersions") if name else ("shortageLists", "")
    found = listed(call.caller, path, limit, key=key)
    versions = {key: VERSION[key] for key in ("version", "state", "in force from", "until", "entries")}
    columns = versions if name else LIST
    none = (
        "no published version; staff see drafts as well"
        if name
        else "none yet; see `waymark shortage create --help`"
    )
    call.rows(found, columns, empty=none)


@shortage.command(epilog="Example:  waymark shortage entries shortageLists/national/versions/1")
@calls()
def entries(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="VERSION", help="shortageLists/{id}/versions/{n}")],
    limit: Limit = 500,
) -> None:
    """List what is short by a version, in the order of its file."""
    call.many(f"{name}/entries", ENTRIES, limit, key="shortageEntries")
