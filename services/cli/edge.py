"""`waymark edge`: Envoy in front of the services, configured from the contracts and the environment."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.exits import ExitCode, Failure
from services.platform.edge.process import EdgeSettings, configure, run
from services.platform.settings import SettingsError


def register(app: typer.Typer) -> None:
    """Adds `edge` to the command line `app`."""

    @app.command(
        epilog="Examples:  waymark edge · waymark edge --only-write · then run an Envoy of your own with it. "
        "The variables are listed in deploy/envoy/README.md."
    )
    def edge(
        only_write: Annotated[
            bool, typer.Option("--only-write", help="Write the configuration, print its path and leave.")
        ] = False,
        concurrency: Annotated[int, typer.Option(min=1, help="Worker threads of Envoy.")] = 2,
    ) -> None:
        """Run the public address: gRPC, gRPC-Web, REST and file transfers on one port."""
        try:
            settings = EdgeSettings.from_environment()
            if only_write:
                typer.echo(str(configure(settings)))
            else:
                run(settings, concurrency)
        except (SettingsError, ValueError) as error:
            raise Failure(ExitCode.USAGE, str(error)) from error
