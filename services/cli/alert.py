"""`waymark alert`: what looks wrong, what was found, and who verified it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

alert = typer.Typer(help="Alerts: found out by one person, verified by another; money waits until then.")
ALERT = {
    "alert": "name",
    "state": "state",
    "kind": "kind",
    "about": "target",
    "redemption": "redemption",
    "provider": "organisation",
    "rule": "rule",
    "measured": "measured",
    "limit": "limit",
    "linked with": "linked",
    "hold": "hold",
    "because": "reason",
    "outcome": "outcome",
    "evidence": "evidence",
    "finding": "finding",
    "can follow": "followUps",
    "raised": "createTime",
}
Name = Annotated[str, typer.Argument(metavar="ALERT", help="alerts/{id}")]


class State(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    FINDING = "finding"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What came out."""

    CONFIRMED = "confirmed"
    UNFOUNDED = "unfounded"


def register(app: typer.Typer) -> None:
    """Adds `alert` to the command line `app`."""
    app.add_typer(alert, name="alert", no_args_is_help=True)


@alert.command("list", epilog="Example:  waymark alert list --state open")
@calls("auditor")
def list_(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    provider: Annotated[str, typer.Option(help="Only about this organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List alerts, newest first."""
    columns = {key: ALERT[key] for key in ("alert", "state", "kind", "about", "measured", "limit", "outcome")}
    query = {"state": enum("STATE", state), "organisation": provider}
    call.many("alerts", columns, limit, empty="nothing looks wrong", **query)


@alert.command(epilog="Example:  waymark alert show alerts/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show an alert."""
    call.one(call.get(name), ALERT)


@alert.command(
    "raise", epilog="Example:  waymark alert raise organisations/harbour 'nobody was there' --hold"
)
@calls("caseworker")
def raise_(
    call: Call,
    target: Annotated[str, typer.Argument(help="redemptions/{id}, courses/{id} or organisations/{id}")],
    reason: Annotated[str, typer.Argument(help="What looks wrong; kept sealed.")],
    hold: Annotated[bool, typer.Option(help="Stop its money until the alert is closed.")] = False,
) -> None:
    """Raise an alert by hand."""
    body = {"alert": {"target": target, "reason": reason}, "placeHold": hold}
    call.one(call.post("alerts", body), ALERT)


@alert.command(epilog="Example:  waymark alert find alerts/0198… unfounded 'case 2026/17'")
@calls("caseworker:finder")
def find(
    call: Call,
    name: Name,
    outcome: Annotated[Outcome, typer.Argument(help="What came out.")],
    evidence: Annotated[str, typer.Argument(help="Where the evidence is, such as a case number.")],
    note: Annotated[str, typer.Option(help="What was found, in words; kept sealed.")] = "",
) -> None:
    """Say what was found; by another person than the one who raised the alert."""
    body = {"outcome": enum("OUTCOME", outcome), "evidence": evidence, "finding": note}
    call.one(call.post(f"{name}:recordFinding", body), ALERT)


@alert.command(epilog="Example:  waymark alert close alerts/0198…")
@calls("finance:checker")
def close(call: Call, name: Name) -> None:
    """Verify a finding; by another person than the one who found it. An unfounded alert's hold ends."""
    call.one(call.post(f"{name}:close"), ALERT)


@alert.command(epilog="Example:  waymark alert reopen alerts/0198…")
@calls("finance:checker")
def reopen(call: Call, name: Name) -> None:
    """Refuse a finding: the alert is open again."""
    call.one(call.post(f"{name}:reopen"), ALERT)
