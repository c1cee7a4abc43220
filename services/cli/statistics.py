"""`waymark statistics`: what happened in a month, by programme."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls
from services.cli.legal_day import legal_day

COLUMNS = {
    "programme": "programme",
    "applications": "applications",
    "granted": "granted",
    "refused": "refused",
    "issued": "issued",
    "reserved": "reserved",
    "accepted": "accepted",
    "no-shows": "noShows",
    "value accepted": "acceptedAmount",
    "clawed back": "clawedBackAmount",
    "paid": "paidAmount",
    "recovered": "recoveredAmount",
}


def register(app: typer.Typer) -> None:
    """Adds `statistics` to the command line `app`."""

    @app.command(epilog="Example:  waymark statistics --month 2026-11 --json")
    @calls("auditor")
    def statistics(
        call: Call,
        month: Annotated[str, typer.Option(help="YYYY-MM; default: this month.")] = "",
        programme: Annotated[str, typer.Option(help="Only this programmes/{id}.")] = "",
    ) -> None:
        """Count applications, grants, redemptions and money of a month, by programme."""
        query: dict[str, Any] = {"month": month or f"{legal_day():%Y-%m}", "programme": programme}
        answer = call.get("reports/monthlyStatistics", **query)
        if call.as_json:
            output.as_json(answer)
        else:
            output.table(
                answer.get("programmes", []), COLUMNS, title=answer["month"], empty="nothing this month"
            )
