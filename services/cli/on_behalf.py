"""`waymark on-behalf`: what counsellors wrote for people who cannot use online services."""

from __future__ import annotations

import typer

from services.cli.call import Call, calls
from services.cli.holder import LEARNER, HolderName, own
from services.cli.options import Limit

RECORD = {
    "when": "createTime",
    "who": "counsellor",
    "of": "organisation",
    "did": "action",
    "wrote": "resource",
    "under": "mandate",
}


def register(app: typer.Typer) -> None:
    """Adds `on-behalf` to the command line `app`."""

    @app.command(
        "on-behalf",
        epilog="Examples:  waymark on-behalf · "
        "waymark on-behalf holders/0198… --as counsellor:Tess --org organisations/office",
    )
    @calls(LEARNER)
    def on_behalf(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
        """Show what counsellors wrote on your behalf, newest first."""
        path = f"{own(call, holder)}/onBehalfRecords"
        call.many(path, RECORD, limit, empty="nothing was written on your behalf")
