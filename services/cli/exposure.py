"""`waymark exposure`: how often search showed the courses of whom."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.amounts import day_query
from services.cli.call import Call, calls
from services.cli.search import short

exposure = typer.Typer(help="How often whose courses and which occupations were shown; nothing of who asked.")
COLUMNS = {
    "organisation": "organisation",
    "asked for": "kind",
    "shown": "shownCount",
    "among the first three": "firstCount",
}


def register(app: typer.Typer) -> None:
    """Adds `exposure` to the command line `app`."""
    from services.cli import idea_counting  # noqa: F401 - adds its command to ours

    app.add_typer(exposure, name="exposure", no_args_is_help=True)


@exposure.command("list", epilog="Example:  waymark exposure list 2026-11-01 2026-11-30")
@calls("auditor")
def list_(
    call: Call,
    first: Annotated[str, typer.Argument(help="First day, 2026-11-01.")],
    until: Annotated[str, typer.Argument(help="Last day.")],
    organisation: Annotated[str, typer.Option(help="Only of this organisation.")] = "",
) -> None:
    """List what was shown on some days, by organisation and kind of question."""
    days = day_query("start_date", first) | day_query("end_date", until)
    found = list(call.each("exposures", **days, organisation=organisation))
    if not call.as_json:
        found = [{**each, "kind": short(each["kind"])} for each in found]
    call.rows(found, COLUMNS, empty="nothing was shown")
