"""Danish Job-VEU: no training without a need on the labour market."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "need-reference", "Danish Job-VEU: no training without a need on the labour market", ("V11",), show
)
