"""`waymark shortage matches` and `decide`: rows of a draft whose occupation is not sure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

MATCH = {
    "line": "line",
    "named": "label",
    "taken for ISCO-08": "occupation.iscoCode",
    "URI": "occupation.uri",
    "can mean": "candidates",
    "state": "state",
}

VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="shortageLists/{id}/versions/{n}")]


class Match(StrEnum):
    """What became of a row."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REPLACED = "replaced"
    REJECTED = "rejected"


def register(shortage: typer.Typer) -> None:
    """Adds the commands to `waymark shortage`."""
    shortage.command(epilog="Example:  waymark shortage matches shortageLists/national/versions/1")(matches)
    shortage.command(
        epilog="Examples:  waymark shortage decide shortageLists/national/versions/1 4 · "
        "waymark shortage decide shortageLists/national/versions/1 5 --means 7112 · … 6 --leave-out"
    )(decide)


@calls("catalogue_manager:maker")
def matches(
    call: Call,
    name: VersionName,
    state: Annotated[Match | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 500,
) -> None:
    """Show the rows whose occupation was found by a similar name, by a part of it, or not at all."""
    call.many(
        f"{name}/matches",
        MATCH,
        limit,
        key="shortageMatches",
        empty="every occupation is sure",
        state=enum("STATE", state),
    )


@calls("catalogue_manager:maker")
def decide(
    call: Call,
    name: VersionName,
    line: Annotated[int, typer.Argument(min=1, help="Line of the file.")],
    means: Annotated[str, typer.Option(help="Concept URI or ISCO-08 code that it means instead.")] = "",
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave the row out.")] = False,
) -> None:
    """Decide such a row: as found, what it means instead, or left out; later versions remember the name."""
    state = Match.REJECTED if leave_out else Match.REPLACED if means else Match.ACCEPTED
    body = {"state": enum("STATE", state), "occupation": means}
    call.one(call.post(f"{name}/matches/{line}:decide", body), MATCH)
