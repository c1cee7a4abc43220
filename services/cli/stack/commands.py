"""`waymark up|down|status|logs|reset|run`: one machine, everything on it."""

import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.exits import ExitCode, Failure
from services.cli.options import AsJson, Home, PortBase
from services.cli.stack.paths import home_dir


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    from services.cli.stack.run import run

    for command in (up, down, status, logs, reset, run):
        app.command(command.__name__)(command)


def up(
    home: Home = None,
    port_base: PortBase = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
) -> None:
    """Start everything on this machine and watch over it until Ctrl-C.

    A part is not started when an outside one is named: WAYMARK_DATABASE_URL, WAYMARK_KAFKA_BOOTSTRAP,
    WAYMARK_S3_ENDPOINT, WAYMARK_OIDC_ISSUER. One that keeps dying is started again after at most
    WAYMARK_LONGEST_PAUSE_SECONDS, 30 unless set.

    Examples: `waymark up` · `waymark up --detach --home /var/lib/waymark --port-base 9000`
    """
    from services.cli.stack.outside import check_settings
    from services.cli.stack.screen import console, screen
    from services.cli.stack.supervisor import supervise

    check_settings()  # a wrong one is told before anything is started
    folder = home_dir(home)
    if detach:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it began is stopped then, too
        up_detached(folder, port_base)
        return
    with screen(console()) as watch:
        supervise(folder, port_base, watch)


def up_detached(home: Path, port_base: int | None) -> None:
    """Start a supervisor in the background, unless one runs already, and wait until its stack is ready."""
    from services.cli.stack import control
    from services.cli.stack.screen import console, headline, screen

    state = control.running(home)
    if state and not state.ready:
        with screen(console(stderr=True)) as watch:
            state = control.wait_ready(home, None, watch)
    if state is None:
        supervisor = control.start_detached(home, port_base)
        with screen(console(stderr=True)) as watch:
            try:
                state = control.wait_ready(home, supervisor, watch)
            except (Failure, KeyboardInterrupt):
                control.stop_started(home, supervisor)
                raise
        # It outlives this process on purpose; without this, Popen would warn about it.
        supervisor.returncode = 0
    typer.echo(headline(state))


def down(home: Home = None) -> None:
    """Stop the stack in order; wait until nothing of it runs any more.

    Example: `waymark down --home .waymark`
    """
    from services.cli.stack import control

    folder = home_dir(home)
    typer.echo("stopped" if control.stop(folder) else f"nothing was running in {folder}")


def status(home: Home = None, json: AsJson = False) -> None:
    """Show the parts of the running stack. Exit code 0: all ready, 1: some are not, 3: not running.

    On a full disk it says so, and 1: what is shown may then be old.

    Examples: `waymark status` · `waymark status --json`
    """
    from services.cli.stack.holding import ROOM, room_left
    from services.cli.stack.screen import console, status_table
    from services.cli.stack.state import read_state

    state = read_state(home)
    if json:
        output.as_json(asdict(state))
    else:
        console().print(status_table(state))
    folder = home_dir(home)
    full = room_left(folder) < ROOM
    if full:
        typer.echo(f"The disk of {folder} is nearly full: parts may not go on, this may be old.", err=True)
    if full or not state.ready:
        raise typer.Exit(ExitCode.OTHER)


def logs(
    part: Annotated[
        str, typer.Argument(help="Name of a part as `waymark status` shows it; all if left out.")
    ] = "",
    home: Home = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Begin with so many last lines.")] = 40,
) -> None:
    """Show what parts have logged.

    Examples: `waymark logs vouchers-server` · `waymark logs -f`
    """
    folder = home_dir(home) / "logs"
    files = logs_of(folder)
    if part and part not in files:
        known = ", ".join(files) or "none yet"
        raise Failure(
            ExitCode.NOT_FOUND, f"No part {part!r} has logged in {folder}.", remedy=f"Known: {known}."
        )
    if not files:
        typer.echo(f"nothing has been logged in {folder} yet", err=True)
    chosen = {part: files[part]} if part else files
    for name, path in chosen.items():
        with path.open(errors="replace") as stream:
            for line in deque(stream, lines):
                show(name, line, alone=bool(part))
    if follow:
        follow_files((lambda: chosen) if part else (lambda: logs_of(folder)), alone=bool(part))


def logs_of(folder: Path) -> dict[str, Path]:
    """Return the logs in a folder by the names of their parts."""
    return {path.stem: path for path in sorted(folder.glob("*.log"))}


def show(name: str, line: str, *, alone: bool) -> None:
    """Print a line of a log, with the name of its part unless only one was asked for."""
    typer.echo(line.rstrip("\n") if alone else f"{name:<20} {line.rstrip()}")


def follow_files(found: Callable[[], dict[str, Path]], *, alone: bool) -> None:
    """Print what is added to the files that `found` returns until Ctrl-C; one that was turned over, and one
    that is there only later, is read from its start."""
    at = {name: path.stat().st_size for name, path in found().items()}
    while True:
        for name, path in found().items():
            size = path.stat().st_size if path.exists() else 0
            known = at.get(name, 0)
            at[name] = known if size >= known else 0
            if size > at[name]:
                with path.open(errors="replace") as stream:
                    stream.seek(at[name])
                    for line in stream:
                        show(name, line, alone=alone)
                    at[name] = stream.tell()
        time.sleep(0.3)


def reset(
    home: Home = None, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete everything the stopped stack has kept: databases, topics, objects, keys, logs.

    Example: `waymark down && waymark reset --yes`
    """
    from services.cli.stack import control

    folder = home_dir(home)
    if not yes:
        typer.confirm(f"Delete all data of the stack in {folder}?", abort=True)
    typer.echo(f"{folder} is empty" if control.reset(folder) else f"no stack has been in {folder}")
