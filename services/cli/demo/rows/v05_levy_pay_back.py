"""Greek LAEC: an employer's levy pays for its own training."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("levy-pay-back", "Greek LAEC: an employer's levy pays for its own training", ("V5",), show)
