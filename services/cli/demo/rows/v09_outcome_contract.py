"""BeCode bond: investors are repaid for results."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step("outcome-contract", "BeCode bond: investors are repaid for results", ("V9",), show)
