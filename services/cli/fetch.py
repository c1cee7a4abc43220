"""`waymark fetch`: everything the embedded stack needs that is not a Python package."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from services.cli.exits import ExitCode, Failure
from services.cli.progress import bars
from services.cli.stack import jars, process, rehearsal

PROXY_HELP = (
    "Check the network. Behind a proxy set HTTPS_PROXY; for a mirror of the Maven repository set "
    "WAYMARK_MAVEN_REPOSITORY to its address. Then run the same command again: what arrived is kept."
)


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command("fetch")(fetch)


def fetch(
    relock: Annotated[
        bool, typer.Option("--relock", help="Resolve deploy/kafka/jgo.toml anew and write its lock file.")
    ] = False,
) -> None:
    """Fetch the Kafka broker's jars into the checkout, each checked against its locked SHA-256, and rehearse
    its start.

    Without anything to fetch it uses no network.

    Example: `waymark fetch`
    """
    try:
        if relock:
            typer.echo(f"locked {jars.relock()} jars in {jars.LOCK}")
        fetched = with_progress()
    except jars.JarsError as error:
        raise Failure(ExitCode.OTHER, str(error), remedy=PROXY_HELP) from error
    typer.echo(f"Kafka: {f'fetched {fetched} jars' if fetched else 'all jars are here'}, checksums match")
    try:
        if rehearsal.rehearse():
            typer.echo("Kafka: its start is rehearsed, and from now on takes half the time")
    except process.PartError as error:
        # It starts without as well, only more slowly.
        typer.echo(f"Kafka: its start could not be rehearsed ({error})", err=True)


def with_progress() -> int:
    """Fetch with a bar for each download, or a line for each where the output is no terminal."""
    with bars() as shown:

        @contextmanager
        def progress(name: str, size: int) -> Iterator[Callable[[int], None]]:
            if shown.disable:
                shown.console.print(f"fetching {name} ({size / 1_000_000:.1f} MB)", highlight=False)
            task = shown.add_task(name, total=size)
            yield lambda count: shown.advance(task, count)
            shown.remove_task(task)

        return jars.fetch(progress)
