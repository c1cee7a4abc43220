"""`waymark skill`: skills a person claims, on the concepts of a taxonomy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_partial_day
from services.cli.call import Call, calls, enum, with_etag
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit

skill = typer.Typer(help="Skills a person claims, on the concepts of a taxonomy.")
CLAIM = {
    "claim": "name",
    "skill": "label",
    "concept": "conceptUri",
    "level": "level",
    "says": "source",
    "resting on": "basis",
    "asserted": "assertDate",
    "last used": "lastUsedDate",
    "freshness": "freshness",
    "taken back": "takeBackTime",
    "evidence": "evidence",
    "etag": "etag",
}
ROW = {key: CLAIM[key] for key in ("claim", "skill", "concept", "level", "says", "freshness")}
Name = Annotated[str, typer.Argument(metavar="CLAIM", help="holders/{id}/skillClaims/{id}")]
LastUsed = Annotated[str, typer.Option(help="Last used: 2025, 2025-06 or 2025-06-30.")]
Evidence = Annotated[
    list[str] | None, typer.Option(help="holders/{id}/evidence/{id} that shows it; repeat for more.")
]


class Level(StrEnum):
    """How well the person has the skill."""

    FOUNDATION = "foundation"
    INDEPENDENT = "independent"
    ADVANCED = "advanced"
    EXPERT = "expert"


def register(app: typer.Typer) -> None:
    """Adds `skill` to the command line `app`."""
    from services.cli import idea_counting, skill_gap  # noqa: F401 - add their commands to ours

    skill.add_typer(idea_counting.counting, name="counting", no_args_is_help=True)
    app.add_typer(skill, name="skill", no_args_is_help=True)


@skill.command(
    epilog="Example:  waymark skill create http://data.europa.eu/esco/skill/… --label welding --level expert"
)
@calls(LEARNER)
def create(
    call: Call,
    concept: Annotated[str, typer.Argument(metavar="CONCEPT", help="URI of the skill in a taxonomy.")],
    label: Annotated[str, typer.Option(help="What it is called.")] = "",
    language: Annotated[str, typer.Option(help="Language of the label.")] = "en",
    level: Annotated[Level | None, typer.Option(help="How well.")] = None,
    last_used: LastUsed = "",
    evidence: Evidence = None,
) -> None:
    """Claim a skill."""
    body = {"conceptUri": concept} | _claim(label, language, level, last_used, evidence)
    call.one(call.post(f"{own(call, '')}/skillClaims", body), CLAIM)


@skill.command("list", epilog="Example:  waymark skill list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List claims, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/skillClaims", ROW, limit, empty="no skill yet")


@skill.command(epilog="Example:  waymark skill show holders/0198…/skillClaims/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a claim; a counsellor's look is written to the access log."""
    call.one(call.get(name), CLAIM)


@skill.command(epilog="Example:  waymark skill update holders/0198…/skillClaims/0198… --level expert")
@calls(LEARNER)
def update(
    call: Call,
    name: Name,
    label: Annotated[str, typer.Option(help="What it is called.")] = "",
    language: Annotated[str, typer.Option(help="Language of the label.")] = "en",
    level: Annotated[Level | None, typer.Option(help="How well.")] = None,
    last_used: LastUsed = "",
    evidence: Evidence = None,
    etag: Etag = "",
) -> None:
    """Change what is given of a claim of your own; the rest stays."""
    call.one(call.patch(name, with_etag(_claim(label, language, level, last_used, evidence), etag)), CLAIM)


@skill.command(epilog="Example:  waymark skill delete holders/0198…/skillClaims/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Withdraw a claim."""
    call.delete(name, etag=etag)


def _claim(
    label: str, language: str, level: Level | None, last_used: str, evidence: list[str] | None
) -> dict[str, Any]:
    """What is given of a claim."""
    body = {
        "label": {language: label} if label else None,
        "level": enum("SKILL_LEVEL", level),
        "lastUsedDate": json_partial_day(last_used) if last_used else None,
        "evidence": evidence,
    }
    return {key: value for key, value in body.items() if value}
