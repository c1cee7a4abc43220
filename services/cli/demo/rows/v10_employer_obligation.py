"""Upskill: several payers, and trainees whom the employer hires."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "employer-obligation", "Upskill: several payers, and trainees whom the employer hires", ("V10",), show
)
