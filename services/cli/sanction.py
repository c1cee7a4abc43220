"""`waymark sanction`: what a provider has to bear after a finding, and its appeal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum
from services.cli.options import Limit, Provider

sanction = typer.Typer(
    help="Sanctions on providers: proposed, imposed and, on appeal, decided by three; or lifted by two."
)
SANCTION = {
    "sanction": "name",
    "provider": "organisation",
    "kind": "kind",
    "state": "state",
    "counts": "effective",
    "until": "endTime",
    "alert": "alert",
    "because": "reason",
    "appeal until": "appealTimeLimit",
    "appeal": "appeal",
    "decision": "decision",
    "to be lifted": "liftProposed",
    "lifted because": "liftReason",
}
Name = Annotated[str, typer.Argument(metavar="SANCTION", help="sanctions/{id}")]


class Kind(StrEnum):
    """What a sanction does, from the mildest to the hardest."""

    WARNING = "warning"
    NO_NEW_RESERVATIONS = "no-new-reservations"
    SUSPENDED = "suspended"
    DELISTED = "delisted"


def register(app: typer.Typer) -> None:
    """Adds `sanction` to the command line `app`."""
    app.add_typer(sanction, name="sanction", no_args_is_help=True)


@sanction.command(
    epilog="Example:  waymark sanction propose organisations/harbour suspended 'forged lists' --days 60"
)
@calls("finance:maker")
def propose(
    call: Call,
    provider: Annotated[str, typer.Argument(help="organisations/{id}")],
    kind: Annotated[Kind, typer.Argument(help="What it does.")],
    reason: Annotated[str, typer.Argument(help="Why; the provider reads it; kept sealed.")],
    days: Annotated[int, typer.Option(help="How long no-new-reservations and suspended last.")] = 0,
    alert: Annotated[str, typer.Option(help="The confirmed alerts/{id} it follows.")] = "",
    appeal_days: Annotated[int, typer.Option(help="Days in which the provider may appeal.")] = 30,
) -> None:
    """Propose a sanction on a provider."""
    body: dict[str, Any] = {"organisation": provider, "kind": enum("KIND", kind), "reason": reason}
    body |= {"alert": alert, "appealDays": appeal_days} | ({"endTime": in_days(days)} if days else {})
    call.one(call.post("sanctions", {"sanction": body}), SANCTION)


@sanction.command(epilog="Example:  waymark sanction impose sanctions/0198…")
@calls("finance:checker")
def impose(call: Call, name: Name) -> None:
    """Impose a proposed sanction; by another person than the one who proposed it."""
    call.one(call.post(f"{name}:impose"), SANCTION)


@sanction.command(epilog="Example:  waymark sanction decline sanctions/0198…")
@calls("finance:checker")
def decline(call: Call, name: Name) -> None:
    """End a proposal: whoever made it withdraws it, or another declines it."""
    call.one(call.post(f"{name}:decline"), SANCTION)


@sanction.command(
    epilog="Example:  waymark sanction appeal sanctions/0198… 'they are genuine' --org organisations/harbour"
)
@calls("provider")
def appeal(
    call: Call, name: Name, words: Annotated[str, typer.Argument(help="What speaks against it; sealed.")]
) -> None:
    """Appeal, as the provider, within the days that the sanction gives."""
    call.one(call.post(f"{name}:appeal", {"appeal": words}), SANCTION)


@sanction.command(epilog="Example:  waymark sanction decide sanctions/0198… 'heard both sides' --lift")
@calls("finance:third")
def decide(
    call: Call,
    name: Name,
    words: Annotated[str, typer.Argument(help="Why; kept sealed.")],
    lift: Annotated[bool, typer.Option("--lift/--uphold", help="Lift it, or let it stand.")] = False,
) -> None:
    """Decide an appeal; by a person who neither proposed nor imposed the sanction."""
    call.one(call.post(f"{name}:decideAppeal", {"lift": lift, "decision": words}), SANCTION)


@sanction.command(
    "propose-lift", epilog="Example:  waymark sanction propose-lift sanctions/0198… 'the wrong provider'"
)
@calls("finance:maker")
def propose_lift(
    call: Call,
    name: Name,
    reason: Annotated[str, typer.Argument(help="Why; the provider reads it once it is lifted; sealed.")],
) -> None:
    """Propose to lift a sanction without an appeal."""
    call.one(call.post(f"{name}:proposeLift", {"reason": reason}), SANCTION)


@sanction.command(epilog="Example:  waymark sanction lift sanctions/0198…")
@calls("finance:checker")
def lift(call: Call, name: Name) -> None:
    """Lift a sanction as proposed; by another person than the one who proposed it."""
    call.one(call.post(f"{name}:lift"), SANCTION)


@sanction.command(epilog="Example:  waymark sanction show sanctions/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a sanction."""
    call.one(call.get(name), SANCTION)


@sanction.command("list", epilog="Example:  waymark sanction list --provider organisations/harbour")
@calls("auditor")
def list_(
    call: Call,
    provider: Provider = "",
    limit: Limit = 50,
) -> None:
    """List sanctions, newest first."""
    columns = {key: SANCTION[key] for key in ("sanction", "provider", "kind", "state", "counts", "until")}
    call.many(
        "sanctions",
        columns,
        limit,
        empty="no provider is sanctioned",
        **call.caller.own(organisation=provider),
    )
