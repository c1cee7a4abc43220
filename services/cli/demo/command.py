"""`waymark demo`: the journey from a shortage list to a paid training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import AsJson, Home


def register(app: typer.Typer) -> None:
    """Adds `demo` to the command line `app`."""

    @app.command(
        epilog="Examples:  waymark demo · waymark demo --json | jq .step"
        " · waymark demo --data ../shared/data · waymark demo --all-programmes"
        " · waymark demo --catalogue · waymark demo --portfolio"
    )
    def demo(
        data: Annotated[
            Path | None,
            typer.Option(
                file_okay=False,
                exists=True,
                help="Folder with taxonomy/, shortage/ and feeds/ to take instead of the samples.",
            ),
        ] = None,
        all_programmes: Annotated[
            bool,
            typer.Option(
                "--all-programmes",
                help="Walk every practice of vouchers and funding instead, a line or two each.",
            ),
        ] = False,
        whole_catalogue: Annotated[
            bool,
            typer.Option("--catalogue", help="Walk every practice of the catalogue instead, a line each."),
        ] = False,
        whole_portfolio: Annotated[
            bool,
            typer.Option("--portfolio", help="Walk practices of the portfolio instead, a line each."),
        ] = False,
        patience: Annotated[
            float,
            typer.Option(
                min=1, help="Seconds to wait for what happens by itself, such as an event's effect."
            ),
        ] = 30.0,
        home: Home = None,
        as_json: AsJson = False,
    ) -> None:
        """Walk from a shortage list to a paid training on a running stack, through its edge.

        The exit code is the number of steps that failed. It can be walked again on the same stack.
        """
        # Here and not above: `--help` needs neither gRPC nor Kafka.
        from services.cli.demo.walk import (
            walk_catalogue,
            walk_journey,
            walk_portfolio,
            walk_programmes,
        )

        chosen = (
            (all_programmes, walk_programmes),
            (whole_catalogue, walk_catalogue),
            (whole_portfolio, walk_portfolio),
        )
        walk = next((walk for asked, walk in chosen if asked), walk_journey)
        raise typer.Exit(walk(home, data, as_json=as_json, patience=patience))
