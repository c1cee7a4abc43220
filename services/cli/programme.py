"""`waymark programme`: voucher programmes, their rules, their money."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import draw, output
from services.cli.amounts import json_day, json_money
from services.cli.call import Call, calls, listed
from services.cli.exits import ExitCode, Failure
from services.cli.known_fields import known
from services.cli.operation import tell, until_done
from services.cli.options import Limit
from services.cli.progress import counts

programme = typer.Typer(
    help="Voucher programmes: rules as data, activated by a second person, funded in pots."
)
MAKER = "programme_manager:maker"
CHECKER = "programme_manager:checker"
PROGRAMME = {
    "programme": "name",
    "called": "displayNames",
    "in force": "activeVersion",
    "since": "createTime",
}
VERSION = {
    "version": "name",
    "state": "state",
    "kind": "kind",
    "effective": "effectiveDate",
    "face value": "amountRule.faceValue",
    "lifetime cap": "amountRule.lifetimeCap",
    "shortage list": "shortageRule.shortageList",
    "valid for days": "windowRule.validityDays",
    "hold, days": "holdRule.delayDays",
}
DIFFERENCES = {"field": "path", "before": "before", "after": "after"}
REPLAY = {
    "application": "application",
    "rules": "programmeVersion",
    "shortage list": "shortageListVersion",
    "agrees": "agrees",
    "facts let go of": "factsLetGoTime",
}
REPLAY_DIFFERENCES = {"field": "path", "stored": "before", "computed": "after"}
POTS = {
    "pot": "code",
    "source": "fundingSource",
    "for": "targetGroups",
    "funded": "funded",
    "available": "available",
}


def register(app: typer.Typer) -> None:
    """Adds `programme` to the command line `app`."""
    draw.register(programme)
    app.add_typer(programme, name="programme", no_args_is_help=True)


@programme.command(
    epilog="Example:  waymark programme create samples/programmes/shortage-training.json --id retrain-2026"
)
@calls(MAKER)
def create(
    call: Call,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON: `programme` and `version`.")
    ],
    identifier: Annotated[str, typer.Option("--id", help="Id of the programme; default: one is made.")] = "",
) -> None:
    """Create a programme with a first version of its rules, as a draft."""
    content = read_programme(file)
    query = {"programme_id": identifier} if identifier else {}
    with _or_draft(f"programmes/{identifier}", file, "ALREADY_EXISTS"):
        created = call.post("programmes", content["programme"], **query)
    with _or_draft(created["name"], file):
        version = call.post(f"{created['name']}/versions", content["version"])
    if call.as_json:
        output.as_json({"programme": created, "version": version})
    else:
        output.details(version, VERSION)


@programme.command(epilog="Example:  waymark programme activate programmes/retrain-2026/versions/1")
@calls(CHECKER)
def activate(call: Call, name: Annotated[str, typer.Argument(help="programmes/{id}/versions/{n}")]) -> None:
    """Put a drafted version into force; by another person than the one who drafted it."""
    version = call.post(f"{name}:activate")
    call.one(version, VERSION)


@programme.command(
    epilog="Examples:  waymark programme draft programmes/p1 samples/programmes/shortage-training.json · "
    "waymark programme draft programmes/p1/versions/2 mended.json · add --check to see the findings only"
)
@calls(MAKER)
def draft(
    call: Call,
    name: Annotated[
        str, typer.Argument(help="programmes/{id}, or of a draft to replace programmes/{id}/versions/{n}")
    ],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON with `version`.")],
    check: Annotated[bool, typer.Option("--check", help="Check the rules; store nothing.")] = False,
) -> None:
    """Draft another version of a programme's rules, replace a draft, or only check them."""
    content = read_programme(file)["version"]
    query = {"validate_only": "true"} if check else {}
    replace, path = (call.replace, name) if "/versions/" in name else (call.post, f"{name}/versions")
    version = replace(path, content, **query)
    call.one(version, {key: path for key, path in VERSION.items() if not (check and key == "version")})


@programme.command(
    epilog="Examples:  waymark programme diff programmes/p1/versions/2 · waymark programme diff "
    "programmes/p1/versions/7 programmes/p1/versions/1 --json"
)
@calls("auditor")
def diff(
    call: Call,
    name: Annotated[str, typer.Argument(help="programmes/{id}/versions/{n}")],
    base: Annotated[str, typer.Argument(help="Version to compare with; default: the one before.")] = "",
) -> None:
    """Show field by field what differs between two versions of the rules."""
    found = call.get(f"{name}:compare", base=base)
    if call.as_json:
        output.as_json(found)
    else:
        empty = f"the rules are those of {found['base']}"
        differences = found.get("differences", [])
        output.table(differences, DIFFERENCES, title=f"{found['base']} → {found['name']}", empty=empty)


@programme.command(
    epilog="Examples:  waymark programme simulate programmes/p1/versions/2 · add --no-wait to come back later"
)
@calls(MAKER)
def simulate(
    call: Call,
    name: Annotated[str, typer.Argument(help="programmes/{id}/versions/{n}, a draft too.")],
    wait: Annotated[bool, typer.Option(help="Wait for the end.")] = True,
) -> None:
    """Try rules on all decided applications: who would come out differently, and what it would cost."""
    started = call.post(f"{name}:simulate")
    tell(call, until_done(call, started) if wait else started)


@programme.command(
    epilog="Example:  waymark programme fund programmes/p1 fundingSources/esf 250000 2026-01-01 2026-12-31"
)
@calls(MAKER)
def fund(
    call: Call,
    name: Annotated[str, typer.Argument(help="programmes/{id}")],
    source: Annotated[str, typer.Argument(help="fundingSources/{id}")],
    amount: Annotated[str, typer.Argument(help="How much, for example 250000 or `250000.00 EUR`.")],
    start: Annotated[str, typer.Argument(help="First day of the budget, 2026-01-01.")],
    end: Annotated[str, typer.Argument(help="Last day of the budget, 2026-12-31.")],
    pot: Annotated[str, typer.Option(help="Ring-fenced pot to put it in.")] = "",
    group: Annotated[
        list[str] | None, typer.Option(help="Target group the pot is for; repeat for more.")
    ] = None,
) -> None:
    """Put money of a funding source into a programme's budget."""
    body = {
        "fundingSource": source,
        "startDate": json_day(start),
        "endDate": json_day(end),
        "pot": pot,
        "targetGroups": group or [],
        "amount": json_money(amount),
    }
    budget = call.post(f"{name}:fund", body)
    if call.as_json:
        output.as_json(budget)
    else:
        output.table(budget.get("pots", []), POTS, title=budget["name"])


@programme.command("list", epilog="Example:  waymark programme list --json")
@calls()
def list_(call: Call, limit: Limit = 50) -> None:
    """List programmes."""
    found = listed(call.caller, "programmes", limit)
    if call.as_json:
        output.as_json(found)
    else:
        columns = {
            "programme": "name",
            "called": "displayNames",
            "in force": "activeVersion",
            "since": "createTime",
        }
        output.table(found, columns, empty="no programme yet; make one with `waymark programme create`")


@programme.command(epilog="Example:  waymark programme show programmes/retrain-2026")
@calls("auditor")
def show(call: Call, name: Annotated[str, typer.Argument(help="programmes/{id}")]) -> None:
    """Show a programme with its versions, clauses and budgets."""
    found = call.get(name)
    versions, budgets = list(call.each(f"{name}/versions")), list(call.each(f"{name}/budgets"))
    if call.as_json:
        output.as_json({"programme": found, "versions": versions, "budgets": budgets})
        return
    output.details(found, PROGRAMME)
    for version in versions:
        typer.echo()
        output.details(version, VERSION)
        output.table(
            version.get("clauses", []),
            {"clause": "id", "must hold": "expression", "else": "reasonCode", "law": "legalReference"},
        )
    for budget in budgets:
        typer.echo()
        output.table(budget.get("pots", []), POTS, title=budget["name"])


@programme.command(
    epilog="Examples:  waymark programme replay applications/0198… · waymark programme replay --all "
    "--programme programmes/p1 && echo all agree"
)
@calls("auditor")
def replay(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="[APPLICATION]", help="applications/{id}")] = "",
    every: Annotated[bool, typer.Option("--all", help="Compute every decision again.")] = False,
    of: Annotated[str, typer.Option("--programme", help="With --all: only of this programmes/{id}.")] = "",
) -> None:
    """Compute decisions again from what is pinned with them; exit code 1 when one does not agree."""
    if bool(name) == every or (of and not every):
        raise Failure(
            ExitCode.USAGE, "Name one application, or say --all.", remedy="--programme goes with --all."
        )
    count, let_go, found = replay_all(call, of) if every else (1, 0, call.get(f"{name}:replay"))
    if found is None:
        said = f"{count - let_go} decisions computed again, all agree"
        if let_go:
            said += f"; the facts of {let_go} more were let go of, and what else is pinned agrees"
        told = {"replayed": count, "agrees": True, "letGo": let_go}
        output.as_json(told) if call.as_json else typer.echo(said)
        return
    found.setdefault("agrees", False)
    call.one(found, REPLAY)
    if not found["agrees"]:
        call.part(found.get("differences", []), REPLAY_DIFFERENCES)
        raise Failure(
            ExitCode.OTHER,
            f"{found['application']} does not agree with what is pinned with it ({count} computed again).",
            remedy="Something was changed after the decision; the differences say what. Tell the auditor.",
        )


def replay_all(call: Call, programme: str) -> tuple[int, int, dict[str, Any] | None]:
    """Computes decisions again page by page, with a bar, until one does not agree; returns how many were, of
    how many the facts were let go of, and that one. Raises Failure."""
    count = let_go = 0
    with counts() as bar:
        task = bar.add_task("decisions", total=None)
        for page in call.pages("applications:replay", programme=programme):
            if total := int(page.get("totalCount", 0)):  # on the first page
                bar.update(task, total=total)
            count += page.get("replayedCount", 0)
            let_go += page.get("letGoCount", 0)
            bar.update(task, completed=count)
            if page.get("disagreements"):
                return count, let_go, page["disagreements"][0]
    return count, let_go, None


@contextmanager
def _or_draft(name: str, file: Path, reason: str = "") -> Iterator[None]:
    """Says of a refusal, for `reason` or (empty) any, that leaves a programme without the rules in `file` how
    they get there."""
    try:
        yield
    except Failure as failure:
        if reason in ("", failure.reason):
            failure.remedy += (
                f" For rules of {name}, which is there: `waymark programme draft {name} {file}`."
            )
        raise


def read_programme(file: Path) -> dict[str, Any]:
    """The JSON of a programme file; raises Failure saying where it is broken."""
    from waymark.vouchers.v1 import programme_pb2 as pb

    content = read_json(file, "programme", "version")
    known(file, content["programme"], pb.Programme)
    known(file, content["version"], pb.ProgrammeVersion)
    return content


def read_json(file: Path, *wanted: str, pattern: str = "samples/programmes") -> dict[str, Any]:
    """The JSON object in a file, with one under each `wanted` key; raises Failure saying what is wrong, and
    where there is a `pattern` to go by."""
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # bytes of no text, no JSON, nested without end
        raise Failure(ExitCode.USAGE, f"{file} is not JSON: {error}", remedy="Mend it there.") from error
    if not isinstance(content, dict):
        raise _unlike(file, f"holds no JSON object with {' and '.join(wanted)}", pattern)
    if missing := [key for key in wanted if key not in content]:
        raise _unlike(file, f"lacks {' and '.join(missing)}", pattern)
    if wrong := [key for key in wanted if not isinstance(content[key], dict)]:
        raise _unlike(file, f"has no JSON object under {' and '.join(wrong)}", pattern)
    return content


def _unlike(file: Path, what: str, pattern: str) -> Failure:
    return Failure(ExitCode.USAGE, f"{file} {what}.", remedy=f"Take {pattern} for a pattern.")
