"""`waymark events`: what is on its way, what has passed, and what could not be consumed."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.exits import ExitCode, Failure
from services.cli.options import AsJson, Home, Limit
from services.cli.processes import ServiceName, settings_of

if TYPE_CHECKING:
    from services.platform.settings import Settings

WAITING = {"Age (s)": "age_seconds", "Topic": "topic", "Type": "type", "Key": "key", "Id": "id"}
LETTERS = {
    "Offset": "offset",
    "Time": "time",
    "Reason": "reason",
    "Type": "type",
    "Key": "key",
    "From": "source",
}
LETTER = {
    "Offset": "offset",
    "Time": "time",
    "Reason": "reason",
    "Type": "type",
    "Event": "event_id",
    "Key": "key",
    "From": "source",
    "Size": "size",
    "SHA-256": "sha256",
    "Bytes": "bytes_hex",
}

events = typer.Typer(no_args_is_help=True, help="Look at events: on their way, passed, and not consumable.")
dead_letters = typer.Typer(no_args_is_help=True, help="Messages a service could not consume.")
events.add_typer(dead_letters, name="dead-letters")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(events, name="events")


@events.command("tail")
def tail(
    service: Annotated[str, typer.Argument(help="Only this service's events.", show_default="all")] = "",
    home: Home = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start at the oldest.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for new ones.")] = True,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="End after so many; 0 never.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print events as they pass, one line each, without secret codes. Belongs to no consumer group: looking
    changes nothing.

    Examples: waymark events tail · waymark events tail vouchers --from-beginning --no-follow --json
    """
    import json

    from services.platform.events import looking

    settings = service_settings(service or "vouchers", home)
    found = looking.tail(
        settings, looking.event_topics(service), from_beginning=from_beginning, follow=follow
    )
    try:
        for event in islice(found, count or None):
            if as_json:
                typer.echo(json.dumps(event, ensure_ascii=False))
            else:
                kind = event["type"].rsplit(".", 1)[-1]
                typer.echo(f"{event['time'][:23]:<23}  {kind:<28}  {event['key']}")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@events.command("outbox")
def outbox(service: ServiceName, home: Home = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Show the oldest events that wait in a service's database for its relay.

    Example: waymark events outbox vouchers
    """
    from services.cli import output
    from services.platform.db.engine import make_engine
    from services.platform.events.looking import waiting

    engine = make_engine(service_settings(service, home).database_url, 1)
    rows = waiting(engine, limit)
    engine.dispose()
    if as_json:
        output.as_json(rows)
    else:
        output.table(rows, WAITING, empty="nothing is waiting")


@dead_letters.command("list")
def letters(service: ServiceName, home: Home = None, as_json: AsJson = False) -> None:
    """List what a service could not consume. Example: waymark events dead-letters list portfolio."""
    from services.cli import output

    found = [letter for letter, _ in _letters(service, home)]
    if as_json:
        output.as_json(found)
    else:
        output.table(found, LETTERS, empty="no dead letters")


@dead_letters.command("show")
def show(
    service: ServiceName,
    offset: Annotated[int, typer.Argument(help="As `list` shows it.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with its original bytes. Example: waymark events dead-letters show portfolio 3."""
    from services.cli import output

    for letter, body in _letters(service, home):
        if letter["offset"] == offset:
            whole = {**letter, "bytes_hex": body.hex()}
            output.as_json(whole) if as_json else output.details(whole, LETTER)
            return
    raise Failure(ExitCode.NOT_FOUND, f"{service} has no dead letter {offset}.")


@dead_letters.command("replay")
def replay(
    service: ServiceName,
    offsets: Annotated[list[int] | None, typer.Argument(help="Offsets as `list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Give dead letters to their reaction again; one that has had its effect has no second one.

    Example: waymark events dead-letters replay portfolio 3 4
    """
    from services.cli import output
    from services.platform.events.replay import replay as run
    from services.platform.service import load_service

    if not offsets and not every:
        raise Failure(ExitCode.USAGE, "Say which ones, or --all.")
    settings = service_settings(service, home)
    definition = load_service(service)
    app = definition.app.build(settings)
    known = [letter["offset"] for letter, _ in _letters(service, home)]
    wanted = known if every else offsets or []
    outcomes = run(definition, app, wanted)
    app.close()
    rows = [{"offset": offset, "outcome": outcomes.get(offset, "not found")} for offset in wanted]
    if as_json:
        output.as_json(rows)
    else:
        output.table(rows, {"Offset": "offset", "Outcome": "outcome"}, empty="no dead letters")
    if any(row["outcome"] not in ("effect", "duplicate", "ignored") for row in rows):
        raise typer.Exit(int(ExitCode.OTHER))


def service_settings(service: str, home: Path | None) -> Settings:
    """Returns the settings of a service: from the environment when it has them, else of the stack in
    `home`."""
    if home is None and os.environ.get(f"WAYMARK_{service.upper()}_DATABASE_URL"):
        return settings_of(service)
    from services.cli.stack.paths import home_dir
    from services.cli.stack.plan import Plan
    from services.cli.stack.state import read_state
    from services.platform.settings import Settings

    state = read_state(home)
    plan = Plan(home_dir(home), state.port_base)
    return Settings.from_environment(service, plan.service_environment(service))


def _letters(service: str, home: Path | None) -> list[tuple[dict[str, Any], bytes]]:
    from services.platform.events.dead_letters import letters as found

    return [
        (
            letter.as_dict()
            | {"source": f"{letter.source_topic}/{letter.source_partition}/{letter.source_offset}"},
            record.value or b"",
        )
        for letter, record in found(service_settings(service, home))
    ]
