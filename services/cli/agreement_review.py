"""`waymark agreement`: targets, reviews and feedback."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.agreement import CHECKER, MAKER, Name, agreement
from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

TARGET = {
    "target": "name",
    "called": "displayNames",
    "unit": "unit",
    "from": "baseline",
    "to": "value",
    "by": "dueDate",
    "planned": "planned",
    "now": "current",
    "ten-thousandths of the way": "progressBasisPoints",
    "reached": "reached",
}
REVIEW = {"review": "name", "verdict": "verdict", "when": "createTime"}
FEEDBACK = {
    "feedback": "name",
    "of": "side",
    "partner": "organisation",
    "rating": "rating",
    "comment": "comment",
    "when": "createTime",
}


class Verdict(StrEnum):
    """What is to come of a review."""

    KEEP = "keep"
    ADJUST = "adjust"
    END = "end"


@agreement.command(
    epilog="Example:  waymark agreement target agreements/0198… Placed people 0 80 2026-01-01 2026-12-31"
)
@calls(MAKER)
def target(
    call: Call,
    name: Name,
    title: Annotated[str, typer.Argument(help="Name people read.")],
    unit: Annotated[str, typer.Argument(help="What is counted; '' for a soft indicator, judged 0 to 100.")],
    baseline: Annotated[int, typer.Argument(help="Where it begins.")],
    value: Annotated[int, typer.Argument(help="What is to be reached.")],
    start: Annotated[str, typer.Argument(help="First day that counts, 2026-01-01.")],
    due: Annotated[str, typer.Argument(help="Day by which it is to be reached, 2026-12-31.")],
) -> None:
    """Set a target."""
    body = {
        "displayNames": {"en": title},
        "kind": "KIND_COUNTED" if unit else "KIND_JUDGED",
        "unit": unit,
        "baseline": str(baseline),
        "value": str(value),
        "startDate": json_day(start),
        "dueDate": json_day(due),
    }
    call.one(call.post(f"{name}/targets", body), TARGET)


@agreement.command(epilog="Example:  waymark agreement targets agreements/0198…")
@calls(MAKER)
def targets(call: Call, name: Name, limit: Limit = 50) -> None:
    """List targets, oldest first."""
    call.many(f"{name}/targets", TARGET, limit, empty="no target yet")


@agreement.command(
    epilog="Example:  waymark agreement review agreements/0198… --value agreements/0198…/targets/0198…=40"
)
@calls(CHECKER)
def review(
    call: Call,
    name: Name,
    verdict: Annotated[Verdict, typer.Option(help="What is to come of it.")] = Verdict.KEEP,
    value: Annotated[
        list[str] | None,
        typer.Option(help="TARGET=NOW for each target, or TARGET=NOW:ANEW to set it anew; give it again."),
    ] = None,
) -> None:
    """Record what you found as the monitor: the value of every target now."""
    body = {"verdict": enum("VERDICT", verdict), "values": [_value(each) for each in value or []]}
    call.one(call.post(f"{name}/reviews", body), REVIEW)


@agreement.command(epilog="Example:  waymark agreement reviews agreements/0198…")
@calls(MAKER)
def reviews(call: Call, name: Name, limit: Limit = 50) -> None:
    """List reviews, newest first."""
    call.many(f"{name}/reviews", REVIEW, limit, empty="no review yet")


@agreement.command(
    "tell",
    epilog="Example:  waymark agreement tell agreements/0198… 4 --comment 'Quick answers.'"
    " --as provider:sanne --org organisations/harbour",
)
@calls(MAKER)
def tell(
    call: Call,
    name: Name,
    rating: Annotated[int, typer.Argument(min=1, max=5, help="1 (poor) to 5 (excellent).")],
    of: Annotated[str, typer.Option(help="organisations/{id} you tell of, as the PES.")] = "",
    comment: Annotated[str, typer.Option(help="In words; never personal data.")] = "",
) -> None:
    """Say how the work goes: as the PES of a partner, or as a partner of the PES."""
    body: dict[str, Any] = {"rating": rating, "comment": comment, "organisation": of}
    call.one(call.post(f"{name}/feedback", body), FEEDBACK)


@agreement.command(epilog="Example:  waymark agreement feedback agreements/0198…")
@calls(MAKER)
def feedback(call: Call, name: Name, limit: Limit = 50) -> None:
    """List what was said, newest first."""
    call.many(f"{name}/feedback", FEEDBACK, limit, empty="nothing yet")


def _value(given: str) -> dict[str, str]:
    target, _, told = given.partition("=")
    now, _, anew = told.partition(":")
    if not target or not now.isdecimal() or (anew and not anew.isdecimal()):
        raise Failure(
            ExitCode.USAGE, f"{given!r} is no TARGET=NOW.", remedy="Write agreements/…/targets/…=40."
        )
    return {"target": target, "current": now} | ({"value": anew} if anew else {})
