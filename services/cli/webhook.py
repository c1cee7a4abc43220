"""`waymark webhook`: back offices that are told of events."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls, enum, with_etag
from services.cli.client import request_id
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

webhook = typer.Typer(help="Endpoints that are told of events: register, rotate the secret, read the log.")
Endpoint = Annotated[str, typer.Argument(help="webhookEndpoints/{id}")]
FIELDS = {
    "endpoint": "name",
    "address": "url",
    "state": "state",
    "events": "eventTypes",
    "for": "description",
    "given up in a row": "givenUp",
    "former secret until": "formerSecretExpireTime",
}


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = auto()
    DELIVERED = auto()
    FAILED = auto()


def register(app: typer.Typer) -> None:
    """Adds `webhook` to the command line `app`."""
    app.add_typer(webhook, name="webhook", no_args_is_help=True)


@webhook.command(
    epilog="Example:  waymark webhook create https://hooks.example.org/waymark "
    "--event waymark.vouchers.v1.RedemptionAccepted"
)
@calls("system")
def create(
    call: Call,
    url: Annotated[str, typer.Argument(help="Where to send: https, at a public address.")],
    event: Annotated[list[str], typer.Option(help="Type of event to tell; see docs/events.md. Repeatable.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Register an endpoint; its secret is shown this once."""
    endpoint = {"url": url, "eventTypes": event, "description": description}
    answer = call.post("webhookEndpoints", {"webhookEndpoint": endpoint, "requestId": request_id()})
    _secret(call, answer)


@webhook.command("list", epilog="Example:  waymark webhook list")
@calls("auditor")
def list_(call: Call, limit: Limit = 50) -> None:
    """List endpoints, oldest first."""
    call.many("webhookEndpoints", FIELDS, limit, empty="nobody is told anything")


@webhook.command(epilog="Example:  waymark webhook show webhookEndpoints/0198…")
@calls("auditor")
def show(call: Call, endpoint: Endpoint) -> None:
    """Show an endpoint."""
    call.one(call.get(endpoint), FIELDS)


@webhook.command(
    epilog="Examples:  waymark webhook change webhookEndpoints/0198… --url https://new.example.org/waymark · "
    "--disable · --event waymark.vouchers.v1.VoucherIssued"
)
@calls("system")
def change(
    call: Call,
    endpoint: Endpoint,
    url: Annotated[str | None, typer.Option(help="Where to send from now on, what waits included.")] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="Type of event to tell; those named replace all. Repeatable.")
    ] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether to tell it.")] = None,
    description: Annotated[str | None, typer.Option(help='What it is for; "" takes it away.')] = None,
    etag: Annotated[str, typer.Option(help="Only if it is still what `show --json` said.")] = "",
) -> None:
    """Change an endpoint; its secret stays."""
    given = {"url": url, "eventTypes": event or None, "enabled": enabled, "description": description}
    values = {name: value for name, value in given.items() if value not in (None, "")}
    cleared = ["description"] if description == "" else []
    if not values and not cleared:
        raise Failure(ExitCode.USAGE, "There is nothing to change.", remedy="Name one of the options.")
    call.one(call.patch(endpoint, with_etag(values, etag), cleared), FIELDS)


@webhook.command(epilog="Example:  waymark webhook rotate webhookEndpoints/0198… --overlap 48")
@calls("system")
def rotate(
    call: Call,
    endpoint: Endpoint,
    overlap: Annotated[
        int, typer.Option(min=1, max=720, help="Hours for which the former secret signs too.")
    ] = 24,
) -> None:
    """Make a new secret, shown this once; the former one signs as well for a while."""
    body = {"overlapHours": overlap, "requestId": request_id()}
    _secret(call, call.post(f"{endpoint}:rotateSecret", body))


@webhook.command(epilog="Example:  waymark webhook enable webhookEndpoints/0198…")
@calls("system")
def enable(call: Call, endpoint: Endpoint) -> None:
    """Tell an endpoint again."""
    call.one(call.post(f"{endpoint}:enable", {"requestId": request_id()}), FIELDS)


@webhook.command(epilog="Example:  waymark webhook disable webhookEndpoints/0198…")
@calls("system")
def disable(call: Call, endpoint: Endpoint) -> None:
    """Tell an endpoint no more."""
    call.one(call.post(f"{endpoint}:disable", {"requestId": request_id()}), FIELDS)


@webhook.command(epilog="Example:  waymark webhook log webhookEndpoints/0198… --state failed")
@calls("auditor")
def log(
    call: Call,
    endpoint: Endpoint,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List what an endpoint was told, newest first."""
    columns = {
        "delivery": "name",
        "event": "eventType",
        "state": "state",
        "attempts": "attempts",
        "status": "lastStatus",
        "error": "lastError",
        "next": "nextAttemptTime",
    }
    query = {"state": enum("STATE", state)}
    call.many(f"{endpoint}/deliveries", columns, limit, empty="nothing was told", **query)


@webhook.command(epilog="Example:  waymark webhook redeliver webhookEndpoints/0198…/deliveries/0198…")
@calls("system")
def redeliver(
    call: Call,
    delivery: Annotated[str, typer.Argument(help="webhookEndpoints/{endpoint}/deliveries/{id}")],
) -> None:
    """Deliver once more, at once."""
    fields = {"delivery": "name", "event": "eventType", "state": "state", "next": "nextAttemptTime"}
    call.one(call.post(f"{delivery}:redeliver", {"requestId": request_id()}), fields)


def _secret(call: Call, answer: dict[str, Any]) -> None:
    if call.as_json:
        output.as_json(answer)
    else:
        output.details(answer["webhookEndpoint"], FIELDS)
        typer.echo(f"secret  {answer['secret']}")
        typer.echo("The secret is not shown again.", err=True)
