"""`waymark access-log`: who looked at a portfolio."""

from __future__ import annotations

import typer

from services.cli.call import Call, calls
from services.cli.holder import LEARNER, own
from services.cli.options import Limit

RECORD = {
    "when": "accessTime",
    "who": "subject",
    "of": "organisation",
    "did": "action",
    "with": "resource",
    "under": "grant",
    "saw": "fields",
}


def register(app: typer.Typer) -> None:
    """Adds `access-log` to the command line `app`."""

    @app.command("access-log", epilog="Example:  waymark access-log --limit 200 --json")
    @calls(LEARNER)
    def access_log(call: Call, limit: Limit = 50) -> None:
        """Show who looked at your portfolio, newest first; nobody can switch the log off."""
        call.many(f"{own(call, '')}/accessRecords", RECORD, limit, key="accessRecords", empty="nobody looked")
