"""Walks the steps in order and tells each as it ends: a line for people, or a JSON object for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from services.cli.demo.journey import Journey, Step, StepFailed
from services.cli.exits import Failure


@dataclass(frozen=True)
class Outcome:
    """How a step came out; `text` is what it found, or why it failed."""

    step: Step
    ok: bool
    text: str
    seconds: float


class Teller:
    """Tells people what happens: a line per step, and what a long step is at while it works.

    `name`: of the whole walk.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._console = Console(highlight=False)
        self._status = self._console.status("")
        self._total = total
        self._count = 0
        self._title = ""

    def begin(self, step: Step) -> None:
        """Announces a step."""
        self._count += 1
        self._title = step.title
        if self._console.is_terminal:
            self._status.start()
            self.progress("")

    def progress(self, text: str) -> None:
        """Shows what the step is at; only where it can be wiped away again."""
        if self._console.is_terminal:
            self._status.update(f"{self._title}  [dim]{text}[/dim]")

    def end(self, outcome: Outcome) -> None:
        """Tells how the step came out."""
        self._status.stop()
        mark = "[green]ok[/green]  " if outcome.ok else "[red]FAIL[/red]"
        rows = " ".join(outcome.step.rows)
        place = f"{self._count:2d}/{self._total}"
        stands_for = f"[dim]({rows}, {outcome.seconds:.1f} s)[/dim]"
        self._console.print(f"{place} {mark} {outcome.step.title} {stands_for}", soft_wrap=True)
        self._console.print(f"           {outcome.text}", markup=False, soft_wrap=True)

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """The last line."""
        self._console.print(f"{self._name}: {sum(each.ok for each in outcomes)} of {self._total} steps ok")


class JsonTeller(Teller):
    """Tells programs: one JSON object per step."""

    def begin(self, step: Step) -> None:
        """Says nothing."""

    def progress(self, text: str) -> None:
        """Says nothing."""

    def end(self, outcome: Outcome) -> None:
        """Prints the step's object."""
        line = {
            "step": outcome.step.name,
            "rows": list(outcome.step.rows),
            "ok": outcome.ok,
            "seconds": round(outcome.seconds, 3),
            "text": outcome.text,
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """Says nothing: the exit code counts."""


def walk(journey: Journey, steps: Sequence[Step], teller: Teller) -> list[Outcome]:
    """Walks all steps; one that fails does not stop the next, which fails by itself if it needed it."""
    outcomes = []
    for step in steps:
        teller.begin(step)
        outcome = attempt(step, lambda step=step: step.run(journey))  # type: ignore[misc]
        teller.end(outcome)
        outcomes.append(outcome)
    teller.summary(outcomes)
    return outcomes


def attempt(step: Step, run: Callable[[], str]) -> Outcome:
    """Runs one step and catches what it may raise; a bug in a step is a failed step too, with its name."""
    began = time.monotonic()
    try:
        ok, text = True, run()
    except StepFailed as error:
        ok, text = False, str(error)
    except Failure as error:
        violations = "; ".join(f"{each.field}: {each.description}" for each in error.violations)
        ok, text = False, " ".join(filter(None, (error.reason, error.text, violations)))
    except Exception as error:
        ok, text = False, f"{type(error).__name__}: {error}"
    return Outcome(step, ok, text, time.monotonic() - began)
