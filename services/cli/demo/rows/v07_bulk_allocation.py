"""APTIC: vouchers bought before are allocated in bulk."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("bulk-allocation", "APTIC: vouchers bought before are allocated in bulk", ("V7",), show)
