"""`waymark erasure`: what an operator does about erasures after a backup was restored."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.amounts import utc
from services.cli.events import service_settings
from services.cli.options import AsJson, Home

erasure = typer.Typer(no_args_is_help=True, help="Erasures of portfolios, for whoever restores a backup.")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(erasure, name="erasure")


@erasure.command(epilog="Example:  waymark erasure retell --since 2026-11-20T03:00:00Z")
def retell(
    since: Annotated[
        str, typer.Option(help="Erasures from this moment on, UTC: that of the backup, or some time before.")
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell the other services again of erasures that their restored databases have forgotten.

    Reads and writes the portfolio's database, its relay sends. Holders whose key did not come back with the
    portfolio's own backup are erased anew first. Harmless to repeat: who came back since loses nothing. See
    docs/backups.md.
    """
    from services.cli import output
    from services.platform.db.engine import make_engine
    from services.portfolio.erasing import retell as tell_again

    moment = utc(since)
    engine = make_engine(service_settings("portfolio", home).database_url, 1)
    try:
        told = tell_again(engine, moment)
    finally:
        engine.dispose()
    if as_json:
        output.as_json({"erasures": told})
    else:
        typer.echo(f"{told} erasures since {moment:%Y-%m-%d %H:%M} UTC are told again")
