"""Runs a reader over its corpus and what is made of it, each input bounded in time and memory."""

from __future__ import annotations

import gc
import hashlib
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.mutations import made, mutated
from tests.fuzz.readers import READERS, examine

CORPUS = Path(__file__).parent / "corpus"
MAX_SECONDS = 2.0  # of processor time, for one input
MAX_GROWTH = 96 << 20  # bytes that one input may add to the most memory the process ever had
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


@contextmanager
def bounded(seconds: float = MAX_SECONDS, growth: int = MAX_GROWTH) -> Iterator[None]:
    """Raises AssertionError when the block takes more processor time or memory."""
    began, before = time.thread_time(), _most_memory()
    yield
    took, grown = time.thread_time() - began, _most_memory() - before
    assert took <= seconds, f"took {took:.1f} s"
    assert grown <= growth, f"took {grown >> 20} MiB more"


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def corpus(name: str) -> dict[str, bytes]:
    """The kept inputs of a reader by file name; those called `good…` must be read."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / name).iterdir())}


def check(name: str, data: bytes) -> bool:
    """Lets a reader read one input; True when it was read. Raises what is wrong."""
    with bounded():
        return examine(READERS[name], data)


@contextmanager
def heard() -> Iterator[None]:
    """Raises AssertionError for what a library written in C could only print, such as memory freed twice."""
    said, before = list[str](), sys.unraisablehook
    sys.unraisablehook = lambda raised: said.append(repr(raised.exc_value))
    try:
        yield
    finally:
        sys.unraisablehook = before
    assert not said, said[0]


class Found(Exception):
    """An input that a reader does not stand; the error it came to is the cause."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


@dataclass
class Trial:
    """Inputs that a reader is given; `read`: how many of them it could read, `data`: the last."""

    name: str
    read: int = 0
    data: bytes = b""

    def __call__(self, data: bytes) -> None:
        self.data = data
        self.read += check(self.name, data)

    def over(self, holds: Callable[[], None]) -> int:
        """Tries the corpus, then what `holds` tries; returns how many of those were read. Raises Found with
        the last input when it fails."""
        try:
            with heard():
                for data in corpus(self.name).values():
                    self(data)
                self.read = 0
                holds()
                gc.collect()  # what is freed late is heard late
        except Exception as error:
            raise Found(self.data) from error
        return self.read


def run(name: str, examples: int, number: int) -> int:
    """Tries the corpus and so many inputs made of it, the same for the same seed `number`; returns how many
    were read.

    Raises Found with the smallest input that fails.
    """
    trial = Trial(name)

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(list(corpus(name).values())))
    def holds(data: bytes) -> None:
        trial(data)

    return trial.over(holds)


def race(name: str, examples: int, number: int) -> int:
    """Does the same with inputs by chance alone, many in little time; Found has a short input, hardly the
    smallest."""
    trial, chance = Trial(name), Random(number)
    seeds = list(corpus(name).values())

    def holds() -> None:
        for _ in range(examples):
            trial(made(seeds, chance))

    try:
        return trial.over(holds)
    except Found as found:
        raise Found(shortened(name, found.data)) from found.__cause__


def shortened(name: str, data: bytes, tries: int = 300) -> bytes:
    """Leaves out of an input that fails whatever it fails without, as far as so many tries lead."""
    size = len(data) // 2
    while size and tries:
        for start in range(0, len(data), size)[:tries]:
            shorter = data[:start] + data[start + size :]
            tries -= 1
            if not _stood(name, shorter):
                data = shorter
                break
        else:
            size //= 2
    return data


def _stood(name: str, data: bytes) -> bool:
    try:
        with heard():
            check(name, data)
    except Exception:
        return False
    return True


def keep(name: str, data: bytes) -> Path:
    """Writes an input into the corpus of a reader; returns where."""
    path = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path
