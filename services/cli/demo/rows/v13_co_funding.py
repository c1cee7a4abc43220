"""Every euro paid is traceable to its sources."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("co-funding", "Every euro paid is traceable to its sources", ("V13",), show)
