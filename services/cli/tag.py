"""`waymark tag`: the skills that phrases of courses name, and what people say of that."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit

tag = typer.Typer(
    help="Skills that phrases of courses name: what to look over first, and saying whether it holds."
)
MANAGER = "catalogue_manager:maker"
REVIEW = {
    "review": "name",
    "courses": "courseCount",
    "views": "viewCount",
    "phrase": "phrase",
    "names": "label",
    "sure": "confidence",
    "said": "verdict",
    "instead": "replacementLabel",
    "by": "decidedBy",
}


class Said(StrEnum):
    """What people say of a phrase and the skill it is taken for."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def verdict(self) -> str:
        """The word of the contract."""
        return f"VERDICT_{'UNSPECIFIED' if self is Said.WAITING else self.name}"


def register(app: typer.Typer) -> None:
    """Adds `tag` to the command line `app`."""
    app.add_typer(tag, name="tag", no_args_is_help=True)


@tag.command(epilog="Examples:  waymark tag reviews · waymark tag reviews --course courses/0198… --json")
@calls(MANAGER)
def reviews(
    call: Call,
    said: Annotated[Said, typer.Option(help="Those that wait for a word, or have this one.")] = Said.WAITING,
    course: Annotated[
        str, typer.Option(help="Of courses/{id}; with `waiting` whatever is said of them.")
    ] = "",
    limit: Limit = 50,
) -> None:
    """List phrases with the skill each names, those that most courses have first."""
    call.many("tagReviews", REVIEW, limit, empty="nothing waits", verdict=said.verdict, course=course)


@tag.command(
    epilog="Examples:  waymark tag decide tagReviews/0f4f… accepted · … rejected --course courses/0198… · "
    "… replaced --by http://data.europa.eu/esco/skill/…"
)
@calls(MANAGER)
def decide(
    call: Call,
    review: Annotated[str, typer.Argument(metavar="REVIEW", help="tagReviews/{id}")],
    said: Annotated[Said, typer.Argument(help="`waiting` takes an earlier word back.")],
    by: Annotated[str, typer.Option(help="With `replaced`: concept URI of the skill it names instead.")] = "",
    course: Annotated[str, typer.Option(help="Only of courses/{id}; otherwise of all.")] = "",
) -> None:
    """Say whether a phrase names the skill, of all courses or of one; no feed or taxonomy changes that."""
    body = {"verdict": said.verdict, "replacement": by, "course": course}
    call.one(call.post(f"{review}:decide", body), REVIEW)
