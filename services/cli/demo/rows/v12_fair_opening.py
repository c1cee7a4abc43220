"""A surge: order is by a published draw, and nobody is lost."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("fair-opening", "A surge: order is by a published draw, and nobody is lost", ("V12",), show)
