"""What learners say of their training, and where they are after six months."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, StepFailed


def show(_: Journey) -> str:
    """Not there yet."""
    raise StepFailed("this cannot be done yet")


STEP = Step(
    "learner-results",
    "What learners say of their training, and where they are after six months",
    ("V15",),
    show,
)
