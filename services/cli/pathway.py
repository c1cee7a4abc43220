"""`waymark pathway`: ways to a qualification or an occupation, agreed between holder and counsellor."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum, with_etag
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit

pathway = typer.Typer(help="Ways to a qualification or an occupation, with steps, agreed between two.")
PATHWAY = {
    "pathway": "name",
    "title": "title",
    "leads to": "target.title",
    "qualification": "target.qualificationUri",
    "occupation": "target.occupationUri",
    "state": "state",
    "revision": "revision",
    "holder agreed to": "holderAgreedRevision",
    "counsellor agreed to": "counsellorAgreedRevision",
    "ended for": "ending",
    "etag": "etag",
}
ROW = {key: PATHWAY[key] for key in ("pathway", "title", "leads to", "state")}
STEPS = {
    "step": "name",
    "kind": "kind",
    "title": "title",
    "course": "course",
    "state": "state",
    "due": "dueDate",
    "reason": "reason",
    "session": "session",
    "begins": "sessionStartDate",
    "course is": "courseStanding",
}
SPELLS = {"spell": "name", "kind": "kind", "from": "startDate", "to": "endDate"}
STALLED = {
    "pathway": "pathway",
    "last changed": "updateTime",
    "noticed": "stallTime",
    "needs a course": "steps",
}
WORDS = {
    "when": "createTime",
    "what": "kind",
    "revision": "revision",
    "as": "actor",
    "who": "subject",
    "for": "organisation",
}
Name = Annotated[str, typer.Argument(metavar="PATHWAY", help="holders/{id}/pathways/{id}")]
Step = Annotated[str, typer.Argument(metavar="STEP", help="holders/{id}/pathways/{id}/steps/{id}")]
Course = Annotated[str, typer.Option(help="courses/{id}; vouchers spent on it move the step.")]
After = Annotated[list[str] | None, typer.Option(help="Step that must come first; repeat for more.")]
InsteadOf = Annotated[str, typer.Option("--alternatives", help="Label that alternatives share.")]
Due = Annotated[str, typer.Option(help="Day it should be done by, 2026-12-01.")]


class StepKind(StrEnum):
    """What is done in a step."""

    COURSE = "course"
    EXAM = "exam"
    PRACTICE = "practice"
    VALIDATION = "validation"
    DOCUMENT = "document"


class StepState(StrEnum):
    """Where a step stands."""

    PLANNED = "planned"
    BOOKED = "booked"
    RUNNING = "running"
    EVIDENCE_SUBMITTED = "evidence-submitted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    WAIVED = "waived"


class SpellKind(StrEnum):
    """What the person did beside the pathway."""

    EMPLOYED = "employed"
    UNEMPLOYED = "unemployed"
    TRAINING = "training"
    CARE = "care"
    SICK = "sick"


def register(app: typer.Typer) -> None:
    """Adds `pathway` to the command line `app`."""
    app.add_typer(pathway, name="pathway", no_args_is_help=True)


@pathway.command(
    epilog="Example:  waymark pathway create 'To welding' --occupation http://data.europa.eu/esco/isco/C7212"
)
@calls(LEARNER)
def create(
    call: Call,
    title: Annotated[str, typer.Argument(help="What it is called.")],
    holder: HolderName = "",
    occupation: Annotated[str, typer.Option(help="Occupation it leads to, a concept URI.")] = "",
    qualification: Annotated[str, typer.Option(help="Qualification it leads to, a URI of a register.")] = "",
    target: Annotated[str, typer.Option(help="What occupation or qualification is called.")] = "",
    eqf: Annotated[int, typer.Option(min=0, max=8, help="EQF level of the qualification.")] = 0,
) -> None:
    """Draw up a pathway; steps are added one by one."""
    leads_to = {
        "occupationUri": occupation,
        "qualificationUri": qualification,
        "title": target,
        "eqfLevel": eqf,
    }
    body = {"title": title, "target": {key: value for key, value in leads_to.items() if value}}
    _print(call, call.post(f"{own(call, holder)}/pathways", body))


@pathway.command(
    "list",
    epilog="Examples:  waymark pathway list · "
    "waymark pathway list holders/0198… --as counsellor:Tess --org organisations/office",
)
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List pathways, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/pathways", ROW, limit, empty="no pathway yet")


@pathway.command(epilog="Example:  waymark pathway show holders/0198…/pathways/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a pathway with its steps and the spells beside it."""
    _print(call, call.get(name))


@pathway.command(
    "add-step",
    epilog="Example:  waymark pathway add-step holders/0198…/pathways/0198… course 'Welding course' "
    "--course courses/0198…",
)
@calls(LEARNER)
def add_step(
    call: Call,
    name: Name,
    kind: Annotated[StepKind, typer.Argument(help="What is done.")],
    title: Annotated[str, typer.Argument(help="What it is called.")],
    course: Course = "",
    after: After = None,
    instead_of: InsteadOf = "",
    due: Due = "",
    etag: Etag = "",
) -> None:
    """Add a step; both have to agree anew."""
    step = _step(kind, title, course, after, instead_of, due)
    _post(call, f"{name}:addStep", {"step": step}, etag)


@pathway.command(
    "change-step",
    epilog="Example:  waymark pathway change-step holders/0198…/pathways/0198…/steps/0198… --due 2026-12-01",
)
@calls(LEARNER)
def change_step(
    call: Call,
    name: Step,
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    course: Course = "",
    after: After = None,
    instead_of: InsteadOf = "",
    due: Due = "",
    clear: Annotated[
        list[str] | None, typer.Option(help="Field of the contract to empty, `dueDate`; repeat for more.")
    ] = None,
    etag: Etag = "",
) -> None:
    """Change what is given of a step; the rest stays, and both have to agree anew."""
    step = _step(None, title, course, after, instead_of, due)
    query = {"etag": etag} if etag else {}
    _print(call, call.patch(name, step, clear or (), **query))


@pathway.command(
    "move-step",
    epilog="Example:  waymark pathway move-step holders/0198…/pathways/0198…/steps/0198… waived "
    "--reason 'has the licence' --as counsellor:Tess --org organisations/office",
)
@calls(LEARNER)
def move_step(
    call: Call,
    name: Step,
    state: Annotated[StepState, typer.Argument(help="Where it now stands.")],
    reason: Annotated[str, typer.Option(help="Why; needed for failed and waived.")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(help="holders/{id}/evidence/{id} handed in; repeat for more.")
    ] = None,
    etag: Etag = "",
) -> None:
    """Move a step by hand: you up to evidence-submitted, a counsellor to confirmed, failed or waived."""
    body = {"state": enum("STATE", state), "reason": reason, "evidence": evidence or []}
    _post(call, f"{name}:move", body, etag)


@pathway.command(epilog="Example:  waymark pathway agree holders/0198…/pathways/0198…")
@calls(LEARNER)
def agree(call: Call, name: Name, etag: Etag = "") -> None:
    """Agree to a pathway as it stands; it is agreed once holder and counsellor did."""
    _post(call, f"{name}:agree", {}, etag)


@pathway.command(epilog="Example:  waymark pathway start holders/0198…/pathways/0198…")
@calls(LEARNER)
def start(call: Call, name: Name, etag: Etag = "") -> None:
    """Start an agreed pathway."""
    _post(call, f"{name}:start", {}, etag)


@pathway.command(epilog="Example:  waymark pathway pause holders/0198…/pathways/0198…")
@calls(LEARNER)
def pause(call: Call, name: Name, etag: Etag = "") -> None:
    """Interrupt an active pathway."""
    _post(call, f"{name}:pause", {}, etag)


@pathway.command(epilog="Example:  waymark pathway resume holders/0198…/pathways/0198…")
@calls(LEARNER)
def resume(call: Call, name: Name, etag: Etag = "") -> None:
    """Take a paused pathway up again."""
    _post(call, f"{name}:resume", {}, etag)


@pathway.command(
    epilog="Example:  waymark pathway achieve holders/0198…/pathways/0198… --as counsellor:Tess "
    "--org organisations/office"
)
@calls("counsellor")
def achieve(call: Call, name: Name, etag: Etag = "") -> None:
    """Say, as a counsellor, that the target is reached: no step is open any more."""
    _post(call, f"{name}:achieve", {}, etag)


@pathway.command(epilog="Example:  waymark pathway transfer holders/0198…/pathways/0198… 'office of Ghent'")
@calls(LEARNER)
def transfer(
    call: Call,
    name: Name,
    destination: Annotated[str, typer.Argument(help="Whereto.")],
    etag: Etag = "",
) -> None:
    """Hand a pathway over to somebody else."""
    _post(call, f"{name}:transfer", {"destination": destination}, etag)


@pathway.command(epilog="Example:  waymark pathway abandon holders/0198…/pathways/0198… 'another plan'")
@calls(LEARNER)
def abandon(
    call: Call, name: Name, reason: Annotated[str, typer.Argument(help="Why.")], etag: Etag = ""
) -> None:
    """Give a pathway up."""
    _post(call, f"{name}:abandon", {"reason": reason}, etag)


@pathway.command(
    "add-spell", epilog="Example:  waymark pathway add-spell holders/0198…/pathways/0198… employed 2026-09-01"
)
@calls(LEARNER)
def add_spell(
    call: Call,
    name: Name,
    kind: Annotated[SpellKind, typer.Argument(help="What you did.")],
    start: Annotated[str, typer.Argument(metavar="FROM", help="First day, 2026-09-01.")],
    end: Annotated[str, typer.Option("--to", help="Last day; none while it goes on.")] = "",
) -> None:
    """Note a spell of work, unemployment, training, care or illness; the pathway stands where it stood."""
    spell = {"kind": enum("KIND", kind), "startDate": json_day(start)}
    _post(call, f"{name}:addSpell", {"spell": spell | ({"endDate": json_day(end)} if end else {})})


@pathway.command(
    "end-spell",
    epilog="Example:  waymark pathway end-spell holders/0198…/pathways/0198…/spells/0198… 2026-11-30",
)
@calls(LEARNER)
def end_spell(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="SPELL", help="holders/{id}/pathways/{id}/spells/{id}")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Last day, 2026-11-30.")],
) -> None:
    """Note the last day of a spell."""
    _post(call, f"{name}:end", {"endDate": json_day(end)})


@pathway.command(epilog="Example:  waymark pathway stalled --as counsellor:Tess --org organisations/office")
@calls("counsellor")
def stalled(call: Call, limit: Limit = 50) -> None:
    """List pathways of those in your care on which nothing has moved for sixty days."""
    call.many("stalledPathways", STALLED, limit, empty="every pathway moves")


@pathway.command(epilog="Example:  waymark pathway words holders/0198…/pathways/0198…")
@calls(LEARNER)
def words(call: Call, name: Name, limit: Limit = 50) -> None:
    """List who proposed and who agreed to what, newest first; --json has the steps agreed to."""
    call.many(f"{name}/words", WORDS, limit, empty="nobody has said anything yet")


@pathway.command(
    "pass",
    epilog="Example:  waymark pathway pass holders/0198…/pathways/0198… --link LINK --out pass.pdf",
)
@calls(LEARNER)
def pass_(
    call: Call,
    name: Name,
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    language: Annotated[str, typer.Option(help="Language: da, de, el, en, et, fr, nl or pt.")] = "en",
    link: Annotated[
        str, typer.Option(help="Share link of yours to print as QR, or what is after its #.")
    ] = "",
) -> None:
    """Write the printable pass of a pathway, a PDF."""
    body = {"languageCode": language, "token": link.rpartition("#")[2]}
    call.file(out, call.caller.rest_bytes("POST", f"/v1/{name}:pass", body))


def _step(
    kind: StepKind | None, title: str, course: str, after: list[str] | None, instead_of: str, due: str
) -> dict[str, Any]:
    """What is given of a step."""
    step = {
        "kind": enum("KIND", kind),
        "title": title,
        "course": course,
        "prerequisites": after,
        "alternativesLabel": instead_of,
        "dueDate": json_day(due) if due else None,
    }
    return {key: value for key, value in step.items() if value}


def _post(call: Call, path: str, body: dict[str, Any], etag: str = "") -> None:
    """Changes a pathway and prints how it then stands."""
    _print(call, call.post(path, with_etag(body, etag)))


def _print(call: Call, found: dict[str, Any]) -> None:
    call.one(found, PATHWAY)
    call.part(found.get("steps", []), STEPS, empty="no step yet")
    if found.get("spells"):
        call.part(found["spells"], SPELLS)
