"""`waymark programme openings`, `draw` and `verify-draw`: opening windows, and their draws computed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls, listed
from services.cli.exits import ExitCode, Failure
from services.cli.options import AsJson, Home, Limit, calling

if TYPE_CHECKING:
    from services.cli.client import Caller

OPENING = {
    "opening": "name",
    "state": "state",
    "opens": "openTime",
    "closes": "closeTime",
    "committed": "commitTime",
    "seed's SHA-256": "seedSha256",
    "seed": "seed",
    "applications": "applicationCount",
    "dealt with": "doneCount",
    "granted": "grantedCount",
    "waiting": "waitingCount",
    "drawn": "drawTime",
}
DRAWN = {"place": "rank", "application": "application", "came out": "outcome"}
ALL = 1_000_000  # more than any draw has


def register(programme: typer.Typer) -> None:
    """Adds the commands to `waymark programme`."""
    programme.command(epilog="Example:  waymark programme openings programmes/p1")(openings)
    programme.command(epilog="Example:  waymark programme draw programmes/p1/openings/2 --json > draw.json")(
        draw
    )
    programme.command(
        "verify-draw",
        epilog="Examples:  waymark programme verify-draw programmes/p1/openings/2 · waymark programme "
        "verify-draw draw.json    Exit codes: 0 right · 1 wrong · 4 not drawn yet",
    )(verify_draw)


@calls()
def openings(
    call: Call, name: Annotated[str, typer.Argument(help="programmes/{id}")], limit: Limit = 50
) -> None:
    """List the opening windows of a programme, with the commitments to their draws."""
    columns = {key: OPENING[key] for key in ("opening", "state", "opens", "closes", "seed's SHA-256")}
    call.many(f"{name}/openings", columns, limit, empty="no opening window")


@calls()
def draw(
    call: Call, name: Annotated[str, typer.Argument(help="programmes/{id}/openings/{n}")], limit: Limit = ALL
) -> None:
    """Show an opening and the order drawn; with --json the file that `verify-draw` takes."""
    found = _published(call.caller, name, limit)
    if call.as_json:
        output.as_json(found)
        return
    output.details(found["opening"], OPENING)
    output.table(found["applications"], DRAWN, empty="nothing drawn yet")


def verify_draw(
    name: Annotated[str, typer.Argument(help="programmes/{id}/openings/{n}, or a file of `draw --json`.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compute a draw again from what is published, from a file without any stack; exit code 1 when wrong."""
    if Path(name).is_file():
        found = _file(Path(name))
    else:
        with calling(home) as caller:
            found = _published(caller, name, ALL)
    if not found["opening"].get("seed"):
        raise Failure(
            ExitCode.REFUSED,
            "The order has not been drawn yet: there is no seed to compute it with.",
            remedy=f"The window closes at {found['opening'].get('closeTime', 'a later time')}.",
        )
    wrong = check(found)
    count = len(found["applications"])
    said = {"opening": found["opening"]["name"], "applications": count, "right": not wrong, "faults": wrong}
    output.one(said, {each: each for each in ("opening", "applications", "right")}, as_json)
    if wrong:
        raise Failure(
            ExitCode.OTHER,
            f"The draw is wrong: {'; '.join(wrong)}.",
            remedy="Keep what was published and tell the auditor.",
        )


def check(published: dict[str, Any]) -> list[str]:
    """What is wrong with a draw as `draw --json` has it; nothing when it is right. Raises Failure."""
    from services.vouchers.domain.draw import faults

    opening = published["opening"]
    try:
        drawn = [(each["application"], int(each["rank"])) for each in published["applications"]]
        seed, committed = bytes.fromhex(opening["seed"]), bytes.fromhex(opening["seedSha256"])
        return list(faults(seed, committed, int(opening.get("applicationCount", 0)), drawn))
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(ExitCode.USAGE, f"This is no published draw: {error}.") from error


def _published(caller: Caller, name: str, limit: int) -> dict[str, Any]:
    return {
        "opening": caller.rest("GET", f"/v1/{name}"),
        "applications": listed(caller, f"{name}/drawnApplications", limit, key="applications"),
    }


def _file(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found["opening"]["name"], found["applications"][:0]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(
            ExitCode.USAGE,
            f"{path} is no published draw.",
            remedy="Write one with `waymark programme draw NAME --json`.",
        ) from error
    return found
