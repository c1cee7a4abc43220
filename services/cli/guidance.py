"""`waymark guidance`: the case of a person, its contacts and notes, and the caseload of a counsellor."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum, with_etag
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit

guidance = typer.Typer(help="Guidance: how much help somebody gets, contacts, notes, whose turn it is.")
COUNSELLOR = "counsellor"
CASE = {
    "case": "name",
    "tier": "tier",
    "waits for a human since": "humanAskTime",
    "channel": "preferredChannel",
    "needs": "needs",
    "last contact": "lastContactTime",
    "etag": "etag",
}
MOVE = {
    "when": "createTime",
    "from": "fromTier",
    "to": "toTier",
    "why": "reason",
    "by": "subject",
    "of": "organisation",
}
CONTACT = {
    "contact": "name",
    "when": "contactTime",
    "by": "channel",
    "said": "summary",
    "needs": "needsFound",
    "met": "needsMet",
    "of": "organisation",
    "next": "nextContactTime",
}
NOTE = {
    "note": "name",
    "when": "createTime",
    "for": "visibility",
    "text": "text",
    "by": "counsellor",
    "of": "organisation",
}
CASELOAD = {
    "due": "nextContactTime",
    "holder": "holder",
    "tier": "tier",
    "waits for a human since": "humanAskTime",
    "last contact": "lastContactTime",
    "mandate": "mandate",
}
Holder = Annotated[str, typer.Argument(metavar="HOLDER", help="holders/{id}")]


class Tier(StrEnum):
    """How much help somebody gets."""

    SELF_HELP = "self-help"
    STAFF_ASSISTED = "staff-assisted"
    INDIVIDUAL = "individual"


class Channel(StrEnum):
    """By what way they meet."""

    PHONE = "phone"
    VIDEO = "video"
    CHAT = "chat"
    EMAIL = "email"
    LETTER = "letter"
    IN_PERSON = "in-person"
    HOME_VISIT = "home-visit"


class Need(StrEnum):
    """What guidance is needed for."""

    CAREER_CHOICE = "career-choice"
    JOB_SEARCH = "job-search"
    TRAINING = "training"
    VALIDATION = "validation"
    LANGUAGE = "language"
    DIGITAL_SKILLS = "digital-skills"
    PRACTICAL_HELP = "practical-help"


Needs = Annotated[list[Need] | None, typer.Option(help="What is needed, as it turned out; repeat.")]
Met = Annotated[list[Need] | None, typer.Option(help="What is not needed any more; repeat.")]


def register(app: typer.Typer) -> None:
    """Adds `guidance` to the command line `app`."""
    app.add_typer(guidance, name="guidance", no_args_is_help=True)


@guidance.command(
    epilog="Examples:  waymark guidance show · "
    "waymark guidance show holders/0198… --as counsellor:Tess --org organisations/office"
)
@calls(LEARNER)
def show(call: Call, holder: HolderName = "") -> None:
    """Show a case; a counsellor's look is written to the access log."""
    call.one(call.get(_case(call, holder)), CASE)


@guidance.command("ask-human", epilog="Example:  waymark guidance ask-human --channel phone")
@calls(LEARNER)
def ask_human(
    call: Call,
    channel: Annotated[Channel | None, typer.Option(help="By what way you want to be reached.")] = None,
) -> None:
    """Ask for a human; always open."""
    body = {"channel": enum("CONTACT_CHANNEL", channel)} if channel else {}
    call.one(call.post(f"{_case(call, '')}:askForHuman", body), CASE)


@guidance.command(
    epilog="Example:  waymark guidance move holders/0198… individual --reason 'Many changes at once' "
    "--as counsellor:Tess --org organisations/office"
)
@calls(COUNSELLOR)
def move(
    call: Call,
    holder: Holder,
    tier: Annotated[Tier, typer.Argument(help="How much help from now on.")],
    reason: Annotated[str, typer.Option(help="Why; the person reads it.")],
    etag: Etag = "",
) -> None:
    """Move a case to another support tier; who did and why is kept."""
    body = with_etag({"tier": enum("SUPPORT_TIER", tier), "reason": reason}, etag)
    call.one(call.post(f"{_case(call, holder)}:moveTier", body), CASE)


@guidance.command(epilog="Example:  waymark guidance moves")
@calls(LEARNER)
def moves(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List the moves between support tiers, newest first."""
    call.many(f"{own(call, holder)}/tierMoves", MOVE, limit, empty="it never moved")


@guidance.command(
    epilog="Example:  waymark guidance contact holders/0198… phone --summary 'Wants to weld' "
    "--needs training --next-in 14 --as counsellor:Tess --org organisations/office"
)
@calls(COUNSELLOR)
def contact(
    call: Call,
    holder: Holder,
    channel: Annotated[Channel, typer.Argument(help="By what way you met.")],
    summary: Annotated[str, typer.Option(help="What was said; the person reads it.")] = "",
    when: Annotated[str, typer.Option(help="When, 2026-11-21T10:30:00Z; default: now.")] = "",
    needs: Needs = None,
    met: Met = None,
    prefers: Annotated[Channel | None, typer.Option(help="Channel that suits the person.")] = None,
    next_in: Annotated[
        int | None, typer.Option(min=1, help="Days to the next contact; default: by the tier.")
    ] = None,
) -> None:
    """Write a contact down."""
    said = {
        "summary": summary,
        "contactTime": when,
        "needsFound": [enum("GUIDANCE_NEED", need) for need in needs or ()],
        "needsMet": [enum("GUIDANCE_NEED", need) for need in met or ()],
        "preferredChannel": enum("CONTACT_CHANNEL", prefers),
        "nextContactTime": in_days(next_in) if next_in else "",
    }
    body: dict[str, Any] = {"channel": enum("CONTACT_CHANNEL", channel)}
    body |= {field: value for field, value in said.items() if value}
    call.one(call.post(f"{holder}/contactRecords", body), CONTACT)


@guidance.command(epilog="Example:  waymark guidance contacts")
@calls(LEARNER)
def contacts(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List contacts, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/contactRecords", CONTACT, limit, empty="nobody met yet")


@guidance.command(
    epilog="Example:  waymark guidance note holders/0198… 'Bring the diploma' "
    "--as counsellor:Tess --org organisations/office"
)
@calls(COUNSELLOR)
def note(
    call: Call,
    holder: Holder,
    text: Annotated[str, typer.Argument(help="What is noted.")],
    professional: Annotated[
        bool, typer.Option("--professional", help="For counsellors; the person reads it by `disclose`.")
    ] = False,
) -> None:
    """Write a note, shared with the person or for professionals."""
    visibility = "VISIBILITY_PROFESSIONAL" if professional else "VISIBILITY_SHARED"
    call.one(call.post(f"{holder}/guidanceNotes", {"visibility": visibility, "text": text}), NOTE)


@guidance.command(epilog="Example:  waymark guidance notes")
@calls(LEARNER)
def notes(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List the notes that you may read, newest first."""
    call.many(f"{own(call, holder)}/guidanceNotes", NOTE, limit, empty="nothing is noted")


@guidance.command(epilog="Example:  waymark guidance disclose --json")
@calls(LEARNER)
def disclose(call: Call, limit: Limit = 500) -> None:
    """Ask by law for every note about you, those for professionals too."""
    path = f"{own(call, '')}/guidanceNotes:disclose"
    call.many(path, NOTE, limit, key="guidanceNotes", empty="nothing is noted")


@guidance.command(
    epilog="Example:  waymark guidance caseload --as counsellor:Tess --org organisations/office"
)
@calls(COUNSELLOR)
def caseload(call: Call, limit: Limit = 50) -> None:
    """List whom you guide, the next due contact first; written to the access log of each."""
    call.many("caseload", CASELOAD, limit, empty="nobody gave you a mandate")


def _case(call: Call, holder: str) -> str:
    return f"{own(call, holder)}/guidanceCase"
