"""Runs a reader over its corpus and what is made of it, each input bounded in time and memory."""

from __future__ import annotations

import gc
import hashlib
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.mutations import mutated
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


def run(name: str, examples: int, number: int) -> int:
    """Tries the corpus and so many inputs made of it, the same for the same seed `number`; returns how many
    were read.

    Raises Found with the smallest input that fails.
    """
    read, failing = 0, b""

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
        nonlocal read, failing
        try:
            read += check(name, data)
        except BaseException:
            failing = data
            raise

    try:
        with heard():
            for data in corpus(name).values():
                failing = data
                check(name, data)
            holds()
            gc.collect()  # what is freed late is heard late
    except Exception as error:
        raise Found(failing) from error
    return read


def keep(name: str, data: bytes) -> Path:
    """Writes an input into the corpus of a reader; returns where."""
    path = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path
