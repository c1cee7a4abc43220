"""Targets with baseline, monthly report and yearly review."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("targets", "Targets with baseline, monthly report and yearly review", ("V14",), show)
