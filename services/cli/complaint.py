"""`waymark complaint`: what learners say went wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

complaint = typer.Typer(
    help="Complaints of learners about a training or a course; the provider sees those about its courses."
)
COMPLAINT = {
    "complaint": "name",
    "kind": "kind",
    "redemption": "redemption",
    "provider": "organisation",
    "note": "note",
    "filed": "createTime",
}


class Kind(StrEnum):
    """What went wrong."""

    NOT_HELD = "not-held"
    NOT_AS_OFFERED = "not-as-offered"
    POOR_QUALITY = "poor-quality"
    EXTRA_PAYMENT = "extra-payment"
    PRESSURE = "pressure"
    NEVER_BOOKED = "never-booked"
    OTHER = "other"


def register(app: typer.Typer) -> None:
    """Adds `complaint` to the command line `app`."""
    from services.cli import course_complaint  # noqa: F401 - adds its commands to the same noun

    app.add_typer(complaint, name="complaint", no_args_is_help=True)


@complaint.command(
    epilog="Example:  waymark complaint file redemptions/0198… not-held --note 'door was shut'"
)
@calls("learner")
def file(
    call: Call,
    redemption: Annotated[str, typer.Argument(help="redemptions/{id}")],
    kind: Annotated[Kind, typer.Argument(help="What went wrong.")],
    note: Annotated[str, typer.Option(help="In your words; kept sealed.")] = "",
) -> None:
    """Complain about a training booked with your voucher."""
    body = {"complaint": {"kind": enum("KIND", kind), "note": note}}
    call.one(call.post(f"{redemption}/complaints", body), COMPLAINT)


@complaint.command(epilog="Example:  waymark complaint show complaints/0198…")
@calls("caseworker")
def show(
    call: Call, name: Annotated[str, typer.Argument(metavar="COMPLAINT", help="complaints/{id}")]
) -> None:
    """Show a complaint."""
    call.one(call.get(name), COMPLAINT)


@complaint.command("list", epilog="Example:  waymark complaint list --provider organisations/harbour")
@calls("caseworker")
def list_(
    call: Call,
    provider: Annotated[str, typer.Option(help="Only about this organisations/{id}.")] = "",
    learner: Annotated[str, typer.Option(help="Only of this learners/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List complaints, newest first."""
    columns = {key: COMPLAINT[key] for key in ("complaint", "kind", "redemption", "provider", "filed")}
    whose = call.caller.own(learner=learner, organisation=provider)
    call.many("complaints", columns, limit, empty="nobody complains", **whose)
