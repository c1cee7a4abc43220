"""Career guidance: a second voucher only after the first is used."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "career-guidance", "Career guidance: a second voucher only after the first is used", ("V2",), show
)
