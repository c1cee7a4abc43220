"""`waymark run`: start everything, walk the journey, say how to call it, stay until Ctrl-C."""

import signal
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Home, PortBase
from services.cli.stack.paths import home_dir


def run(
    home: Home = None,
    port_base: PortBase = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the real taxonomy, list and feed; samples without it.")
    ] = None,
) -> None:
    """Start everything, walk the journey, print addresses, tokens and calls; stay until Ctrl-C.

    A stack that runs already in the same home is used and left running. The exit code counts failed steps.

    Examples: `waymark run` · `waymark run --data ../shared/data`
    """
    from services.cli.stack import control, process
    from services.cli.stack.outside import check_settings
    from services.cli.stack.screen import console, screen

    check_settings()
    folder = home_dir(home)
    if control.running(folder):
        raise typer.Exit(walk(folder, data))
    supervisor = control.start_attached(folder, port_base)
    failed = 0
    try:
        with screen(console()) as watch:
            state = control.wait_ready(folder, supervisor, watch)
        failed = walk(folder, data)
        if state.pid != supervisor.pid:  # somebody else's, started at the same moment: it stays running
            raise typer.Exit(failed)
        typer.echo("Running until Ctrl-C.")
        stay(supervisor)
        typer.echo(f"The stack ended; {folder / 'logs' / 'supervisor.log'} says why.")
    except KeyboardInterrupt:
        typer.echo("stopping")
    finally:
        stopping = process.Command((), stop_signal=signal.SIGINT, stop_seconds=control.STOP_SECONDS)
        process.stop(supervisor, stopping)
    raise typer.Exit(failed)


def walk(home: Path, data: Path | None) -> int:
    """Run the demonstration, print how to go on from there; return how many steps failed."""
    from services.cli.demo.walk import walk_stack
    from services.cli.stack.welcome import welcome

    failed = walk_stack(home, data, as_json=False)
    welcome(home)
    return failed


def stay(supervisor: subprocess.Popen[bytes]) -> None:
    """Wait until the stack ends, by `waymark down` for one; Ctrl-C and SIGTERM raise KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    supervisor.wait()
