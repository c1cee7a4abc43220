"""`waymark search`: courses, with the reasons why each was found."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.organisation import Sector


class Kind(StrEnum):
    """Kinds of offers."""

    COURSE = "course"
    EXAM = "exam"
    GUIDANCE = "guidance"
    WORKSHOP = "workshop"


def register(app: typer.Typer) -> None:
    """Adds `search` to the command line `app`."""

    @app.command(epilog="Example:  waymark search welding --shortage --voucher --region BE2")
    @calls()
    def search(
        call: Call,
        words: Annotated[list[str] | None, typer.Argument(help="Words; none: all courses.")] = None,
        occupation: Annotated[
            list[str] | None, typer.Option(help="ISCO-08 code or concept URI; repeat for more.")
        ] = None,
        region: Annotated[str, typer.Option(help="Only with a session in this NUTS region.")] = "",
        shortage: Annotated[bool, typer.Option(help="Only for occupations in shortage.")] = False,
        voucher: Annotated[bool, typer.Option(help="Only of accredited providers.")] = False,
        all_courses: Annotated[
            bool, typer.Option("--all", help="Also courses without a session to come.")
        ] = False,
        kind: Annotated[
            list[Kind] | None, typer.Option(help="Courses, exams, or services beside them; repeat for more.")
        ] = None,
        sector: Annotated[
            list[Sector] | None, typer.Option(help="Only of organisations of this sector; repeat for more.")
        ] = None,
        group: Annotated[
            list[str] | None, typer.Option(help="Only for this target group; repeat for more.")
        ] = None,
        territory: Annotated[
            list[str] | None, typer.Option(help="Only for this priority territory; repeat for more.")
        ] = None,
        online: Annotated[bool, typer.Option(help="Only taught online.")] = False,
        as_of: Annotated[str, typer.Option(help="Day to look from, 2026-09-01; default: today.")] = "",
        limit: Annotated[int, typer.Option(min=1, max=100, help="Show at most so many.")] = 10,
    ) -> None:
        """Search courses; every hit says why it was found."""
        query: dict[str, Any] = {
            "query": " ".join(words or ()),
            "occupations": occupation or [],
            "nuts_code": region,
            "shortage": str(shortage).lower(),
            "voucher_eligible": str(voucher).lower(),
            "include_not_bookable": str(all_courses).lower(),
            "kinds": list(kind or []),
            "sectors": [enum("SECTOR", each) for each in sector or []],
            "target_groups": group or [],
            "territories": territory or [],
            "modes": ["COURSE_MODE_ONLINE"] if online else [],
            "page_size": limit,
        }
        if as_of:
            query |= {f"as_of.{part}": value for part, value in json_day(as_of).items()}
        answer = call.get("courses:search", **query)
        if call.as_json:
            output.as_json(answer)
        else:
            show(answer)


def show(answer: dict[str, Any]) -> None:
    """Prints the hits with their reasons, and how many there are in all."""
    columns = {
        "course": "course",
        "title": "titles",
        "provider": "organisationDisplayName",
        "marks": "qualityMarks",
        "starts": "starts",
        "price": "nextSession.price",
        "because": "because",
    }
    hits = [row(hit) for hit in answer.get("hits", [])]
    output.table(hits, columns, empty="no course found; try fewer words or --all")
    typer.echo(f"{answer.get('totalSize', 0)} in all")


def row(hit: dict[str, Any]) -> dict[str, Any]:
    """A hit with its reasons and its next start as short texts."""
    reasons = (
        f"{reason['kind'].removeprefix('KIND_').lower().replace('_', ' ')}: {reason.get('evidence', '')}"
        for reason in hit.get("reasons", [])
    )
    session = hit.get("nextSession")
    starts = session.get("startDate", "any day") if session else "no session to come"
    return {**hit, "because": "\n".join(reasons), "starts": starts}
