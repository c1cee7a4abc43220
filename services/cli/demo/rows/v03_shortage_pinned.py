"""A decision stays with the yearly list that it was made by."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("shortage-pinned", "A decision stays with the yearly list that it was made by", ("V3",), show)
