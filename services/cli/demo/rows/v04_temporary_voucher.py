"""Dutch temporary voucher: capped, once per person, until the money is gone."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "temporary-voucher",
    "Dutch temporary voucher: capped, once per person, until the money is gone",
    ("V4",),
    show,
)
