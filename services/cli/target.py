"""`waymark target`: what is to be reached by a day, measured from data, and its reviews."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.options import Limit
from services.cli.programme import MAKER

target = typer.Typer(
    help="Targets with baseline and due date: value now, month by month, reviewed each year."
)
TARGET = {
    "target": "name",
    "called": "displayNames",
    "measures": "measure",
    "programme": "programme",
    "from": "baseline",
    "to": "value",
    "by": "dueDate",
    "now": "current",
    "ten-thousandths of the way": "progressBasisPoints",
    "reached": "reached",
    "review by": "reviewDate",
}
MONTH = {"month": "month", "value": "value", "planned": "planned"}
REVIEW = {
    "review": "name",
    "verdict": "verdict",
    "value": "value",
    "before": "formerValue",
    "measured": "current",
    "when": "createTime",
}
Name = Annotated[str, typer.Argument(metavar="TARGET", help="targets/{id}")]


class Measure(StrEnum):
    """What is measured."""

    VOUCHERS_ISSUED = "vouchers-issued"
    VOUCHERS_REDEEMED = "vouchers-redeemed"
    PAID_CENTS = "paid-cents"
    PLACED_BASIS_POINTS = "placed"
    SERVICE_POINTS = "service-points"


def register(app: typer.Typer) -> None:
    """Adds `target` to the command line `app`."""
    app.add_typer(target, name="target", no_args_is_help=True)


@target.command(
    "set",
    epilog="Example:  waymark target set 'Service points' service-points 120 200 2026-01-01 2027-12-31",
)
@calls(MAKER)
def set_(
    call: Call,
    title: Annotated[str, typer.Argument(help="Name people read.")],
    measure: Annotated[Measure, typer.Argument(help="What is measured.")],
    baseline: Annotated[int, typer.Argument(help="Where it begins.")],
    value: Annotated[int, typer.Argument(help="What is to be reached.")],
    start: Annotated[str, typer.Argument(help="First day that counts, 2026-01-01.")],
    due: Annotated[str, typer.Argument(help="Day by which it is to be reached, 2027-12-31.")],
    programme: Annotated[str, typer.Option(help="Only this programmes/{id}.")] = "",
) -> None:
    """Set a target."""
    body: dict[str, Any] = {
        "displayNames": {"en": title},
        "measure": enum("MEASURE", measure),
        "programme": programme,
        "baseline": str(baseline),
        "value": str(value),
        "startDate": json_day(start),
        "dueDate": json_day(due),
    }
    call.one(call.post("targets", body), TARGET)


@target.command("list", epilog="Example:  waymark target list")
@calls("auditor")
def list_(call: Call, limit: Limit = 50) -> None:
    """List targets, oldest first."""
    call.many("targets", TARGET, limit, empty="no target yet")


@target.command(epilog="Example:  waymark target report targets/0198…")
@calls("auditor")
def report(call: Call, name: Name) -> None:
    """Show a target month by month."""
    found = call.get(f"{name}/report")
    call.one(found, {label: f"target.{path}" for label, path in TARGET.items()})
    call.part(found.get("months", []), MONTH, empty="it has not begun yet")


@target.command(epilog="Example:  waymark target review targets/0198… --value 180")
@calls(MAKER)
def review(
    call: Call,
    name: Name,
    value: Annotated[int | None, typer.Option(help="Set the value anew; default: keep it.")] = None,
) -> None:
    """Record that you have reviewed a target; the next review is due a year later."""
    body = {"verdict": "VERDICT_KEEP" if value is None else "VERDICT_ADJUST", "value": str(value or 0)}
    call.one(call.post(f"{name}/reviews", body), REVIEW)


@target.command(epilog="Example:  waymark target reviews targets/0198…")
@calls("auditor")
def reviews(call: Call, name: Name, limit: Limit = 50) -> None:
    """List the reviews of a target, newest first."""
    call.many(f"{name}/reviews", REVIEW, limit, empty="no review yet")
