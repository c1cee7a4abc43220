"""Flemish training voucher: what is covered depends on the group."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "training-voucher", "Flemish training voucher: what is covered depends on the group", ("V1",), show
)
