"""`waymark demo`: the journey from a shortage list to a paid training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import AsJson, Home

EXAMPLES = (
    "Examples:  waymark demo · waymark demo --json | jq .step"
    " · waymark demo --data ../shared/data · waymark demo --all-programmes"
    " · waymark demo --catalogue · waymark demo --portfolio"
)
Files = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        exists=True,
        help="Folder with taxonomy/, shortage/ and feeds/ to take instead of the samples.",
    ),
]
Programmes = Annotated[
    bool,
    typer.Option(
        "--all-programmes", help="Walk every practice of vouchers and funding instead, a line or two each."
    ),
]
Catalogue = Annotated[
    bool, typer.Option("--catalogue", help="Walk every practice of the catalogue instead, a line each.")
]
Portfolio = Annotated[
    bool, typer.Option("--portfolio", help="Walk practices of the portfolio instead, a line each.")
]
Patience = Annotated[
    float,
    typer.Option(min=1, help="Seconds to wait for what happens by itself, such as an event's effect."),
]


def register(app: typer.Typer) -> None:
    """Adds `demo` to the command line `app`."""
    app.command(epilog=EXAMPLES)(demo)


def demo(
    data: Files = None,
    all_programmes: Programmes = False,
    whole_catalogue: Catalogue = False,
    whole_portfolio: Portfolio = False,
    patience: Patience = 30.0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Walk from a shortage list to a paid training on a running stack, through its edge.

    The exit code is the number of steps that failed. It can be walked again on the same stack.
    """
    # Here and not above: `--help` needs neither gRPC nor Kafka.
    from services.cli.demo.walk import JOURNEY, walk_stack

    asked = {"all programmes": all_programmes, "catalogue": whole_catalogue, "portfolio": whole_portfolio}
    name = next((name for name, wanted in asked.items() if wanted), JOURNEY)
    raise typer.Exit(walk_stack(home, data, name, as_json=as_json, patience=patience))
