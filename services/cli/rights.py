"""`waymark rights`: what people ask of the office by right, and how it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum
from services.cli.holder import LEARNER, own
from services.cli.options import Limit

rights = typer.Typer(help="Ask for access, rectification, restriction, erasure, portability; answer in time.")
DESK = "caseworker"
REQUEST = {
    "request": "name",
    "asks for": "kind",
    "in words": "text",
    "state": "state",
    "due": "dueTime",
    "extended because": "extensionReason",
    "identity": "identityProof",
    "refused because": "refusalGround",
    "answer": "note",
    "handled by": "handler",
}
ROW = {key: REQUEST[key] for key in ("request", "asks for", "state", "due")}
Name = Annotated[str, typer.Argument(metavar="REQUEST", help="holders/{id}/rightsRequests/{id}")]
Note = Annotated[str, typer.Option(help="Words for the person.")]


class Right(StrEnum):
    """What somebody asks for."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    ERASURE = "erasure"
    PORTABILITY = "portability"


class Proof(StrEnum):
    """How staff saw who asks."""

    EID = "eid"
    DOCUMENT = "document"
    IN_PERSON = "in-person"


class Ground(StrEnum):
    """Why something is refused."""

    LEGAL_OBLIGATION = "legal-obligation"
    RIGHTS_OF_OTHERS = "rights-of-others"
    FOUND_ACCURATE = "found-accurate"
    UNFOUNDED = "unfounded"
    IDENTITY_NOT_SHOWN = "identity-not-shown"


def register(app: typer.Typer) -> None:
    """Adds `rights` to the command line `app`."""
    app.add_typer(rights, name="rights", no_args_is_help=True)


@rights.command(epilog="Example:  waymark rights ask rectification --text 'the note of 3 May is of another'")
@calls(LEARNER)
def ask(
    call: Call,
    right: Annotated[Right, typer.Argument(help="Which right.")],
    text: Annotated[str, typer.Option(help="What exactly, in your words.")] = "",
) -> None:
    """Ask the office for something; it has a month to answer."""
    body = {"kind": enum("KIND", right), "text": text}
    call.one(call.post(f"{own(call, '')}/rightsRequests", body), REQUEST)


@rights.command("list", epilog="Example:  waymark rights list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List what you asked for, newest first."""
    call.many(f"{own(call, '')}/rightsRequests", ROW, limit, empty="nothing was asked for")


@rights.command(epilog="Example:  waymark rights show holders/0198…/rightsRequests/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a request; a look of the office is written to the access log."""
    call.one(call.get(name), REQUEST)


@rights.command(epilog="Example:  waymark rights withdraw holders/0198…/rightsRequests/0198…")
@calls(LEARNER)
def withdraw(call: Call, name: Name) -> None:
    """Take a request back."""
    _post(call, name, "withdraw")


@rights.command(epilog="Example:  waymark rights due --days 7")
@calls(DESK)
def due(
    call: Call,
    days: Annotated[int, typer.Option(min=0, help="Only what is due within so many days; 0: all.")] = 0,
    limit: Limit = 50,
) -> None:
    """List what waits for an answer of the office, the soonest due first."""
    asked = {"due_before": in_days(days)} if days else {}
    call.many("rightsRequests:due", ROW, limit, key="rightsRequests", empty="nothing waits", **asked)


@rights.command(epilog="Example:  waymark rights check-identity holders/0198…/rightsRequests/0198… eid")
@calls(DESK)
def check_identity(
    call: Call, name: Name, proof: Annotated[Proof, typer.Argument(help="How you saw it.")]
) -> None:
    """Note that the holder asks."""
    _post(call, name, "checkIdentity", identityProof=enum("IDENTITY_PROOF", proof))


@rights.command(epilog="Example:  waymark rights prepare holders/0198…/rightsRequests/0198…")
@calls(DESK)
def prepare(call: Call, name: Name) -> None:
    """Begin to work on a request."""
    _post(call, name, "prepare")


@rights.command(epilog="Example:  waymark rights extend holders/0198…/rightsRequests/0198… 'in an archive'")
@calls(DESK)
def extend(
    call: Call, name: Name, reason: Annotated[str, typer.Argument(help="Why, in words for the person.")]
) -> None:
    """Take two more months, once."""
    _post(call, name, "extend", reason=reason)


@rights.command(epilog="Example:  waymark rights deliver holders/0198…/rightsRequests/0198… --note 'done'")
@calls(DESK)
def deliver(call: Call, name: Name, note: Note = "") -> None:
    """Do what is asked for: a restriction comes into force, an erasure happens for good."""
    _post(call, name, "deliver", note=note)


@rights.command(
    epilog="Example:  waymark rights refuse holders/0198…/rightsRequests/0198… legal-obligation "
    "--note 'Invoices are kept for seven years; complain to …'"
)
@calls(DESK)
def refuse(
    call: Call, name: Name, ground: Annotated[Ground, typer.Argument(help="Why.")], note: Note
) -> None:
    """Refuse a part of a request, or all."""
    _post(call, name, "refuse", ground=enum("REFUSAL_GROUND", ground), note=note)


def _post(call: Call, name: str, verb: str, **body: Any) -> None:
    call.one(call.post(f"{name}:{verb}", body), REQUEST)
