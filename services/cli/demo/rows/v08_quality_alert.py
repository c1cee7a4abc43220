"""An alert blocks payment until quality is verified."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("quality-alert", "An alert blocks payment until quality is verified", ("V8",), show)
