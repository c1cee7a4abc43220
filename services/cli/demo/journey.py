"""What the steps of the journey share: the step itself, and the world that one step leaves for the next."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.cli.client import Caller, Client
from services.cli.demo.data import Data
from services.cli.demo.watcher import EventWatcher
from services.cli.exits import Failure

T = TypeVar("T")
Tell = Callable[[str], None]
_PEOPLE = uuid.UUID("3b0f7a54-2f1d-4d0a-9a52-6c1c0c3a7e11")


class StepFailed(Exception):
    """A step did not show what it must show; the text says what was expected and what came."""


class Facts:
    """What steps found out, by attribute; reading one that no step has set fails the reading step."""

    def __init__(self) -> None:
        self.__dict__["_facts"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        self._facts[name] = value

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_facts"][name]
        except KeyError:
            raise StepFailed(f"needs `{name}` of an earlier step, which failed") from None


@dataclass
class Journey:
    """One walk: the stack, the files it takes, what is known so far, and where progress is told.

    `run` is a short tag, unique per walk, so that walks on the same stack do not meet; `patience` is how many
    seconds to wait for what happens by itself, such as an event's effect.
    """

    client: Client
    data: Data
    watcher: EventWatcher
    run: str
    tell: Tell
    patience: float = 30.0
    facts: Facts = field(default_factory=Facts)

    def subject(self, person: str) -> str:
        """The opaque id of a person of this walk."""
        return str(uuid.uuid5(_PEOPLE, f"{self.run}:{person}"))

    def person(self, role: str, name: str, organisation: str = "") -> Caller:
        """A caller in `role` for the person called `name`; the same name is the same person."""
        return self.client.acting_as(role, self.subject(name), organisation)

    def learner(self, name: str) -> str:
        """Resource name of a learner."""
        return f"learners/{self.subject(name)}"

    def wait_for(self, what: str, check: Callable[[], T | None], *, times: float = 1) -> T:
        """Asks `check` until it gives something true, and returns that.

        Raises StepFailed when that takes longer than the journey's patience, `times` over.
        """
        began = time.monotonic()
        pause = 0.05
        while not (found := check()):
            waited = time.monotonic() - began
            if waited > self.patience * times:
                raise StepFailed(f"{what}: not within {self.patience * times:.0f} s")
            self.tell(f"{what} … {waited:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        return found


@dataclass(frozen=True)
class Step:
    """One step: what it shows, the rows of practices it stands for, and the code that does it.

    `run` returns one line with what came out; it raises StepFailed or Failure when it did not work.
    """

    name: str
    title: str
    rows: tuple[str, ...]
    run: Callable[[Journey], str]


class Refused:
    """The refusal that a `refused` block caught; read it after the block."""

    failure: Failure


@contextmanager
def refused(*reasons: str) -> Iterator[Refused]:
    """The block must be refused with one of `reasons`; anything else, an answer included, fails the step."""
    seen = Refused()
    try:
        yield seen
    except Failure as failure:
        came = failure.reason or failure.code.name
        expect(came in reasons, f"expected a refusal {' or '.join(reasons)}, got {came}: {failure.text}")
        seen.failure = failure
    else:
        raise StepFailed(f"expected a refusal {' or '.join(reasons)}, but the call was answered")


def expect(holds: bool, text: str) -> None:
    """Raises StepFailed with `text` unless `holds`."""
    if not holds:
        raise StepFailed(text)
