"""Estonian cover: by target group, and a grant that employers share."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "cover-by-group", "Estonian cover: by target group, and a grant that employers share", ("V6",), show
)
