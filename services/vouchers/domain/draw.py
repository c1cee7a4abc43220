"""An opening with a draw: when applications are collected, and in which order they are dealt with. Pure.

Anyone can compute the order again: the seed is committed to (SHA-256) before the window opens and revealed
after it has closed, and applications are sorted by HMAC-SHA256 of their names under the seed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from enum import Enum, IntEnum

from waymark.vouchers.v1 import programme_pb2

from services.platform.days import day_of
from services.platform.errors import Violation

SEED_BYTES = 32


class OpeningState(IntEnum):
    """Where an opening stands, with the same numbers as in the contract."""

    ANNOUNCED = 1
    DRAWN = 2
    DONE = 3


class DrawOutcome(IntEnum):
    """What came of an application in a draw, with the same numbers as in the contract."""

    GRANTED = 1
    WAITING = 2
    REFUSED = 3
    REFERRED = 4


class Phase(Enum):
    """What an opening that is not done means to who applies now."""

    BEFORE = "before"
    OPEN = "open"
    CLOSED = "closed"


def new_seed() -> bytes:
    """Returns a fresh secret seed, 32 bytes of the system's random source."""
    return secrets.token_bytes(SEED_BYTES)


def commitment(seed: bytes) -> bytes:
    """Returns what is published before the window opens: SHA-256 of the seed, 32 bytes."""
    return hashlib.sha256(seed).digest()


def order(seed: bytes, applications: Iterable[str]) -> list[str]:
    """Returns resource names of applications in the order drawn; how they come makes no difference."""
    return sorted(applications, key=lambda name: (hmac.digest(seed, name.encode("ascii"), "sha256"), name))


def faults(seed: bytes, committed: bytes, count: int, drawn: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yields what is wrong with a published draw: (application, rank) pairs in any order; nothing when it is
    right.

    `committed`: the published SHA-256, `count`: how many the opening says it drew.
    """
    if commitment(seed) != committed:
        yield "the seed is not the one that was committed to"
    names = [name for name, _ in drawn]
    if len(set(names)) != len(names):
        yield "an application is in the list more than once"
    if len(names) != count:
        yield f"the list has {len(names)} applications, the opening says {count}"
    ranks = dict(drawn)
    for rank, name in enumerate(order(seed, set(names)), 1):
        if ranks[name] != rank:
            yield f"{name} has place {ranks[name]}, the seed says {rank}"
            return


def phase(state: OpeningState, opens: datetime, closes: datetime, now: datetime) -> Phase:
    """Returns where an opening that is not done stands at `now`, database clock."""
    if state is OpeningState.ANNOUNCED and now < opens:
        return Phase.BEFORE
    return Phase.OPEN if state is OpeningState.ANNOUNCED and now < closes else Phase.CLOSED


def window(rule: programme_pb2.OpeningRule) -> tuple[datetime, datetime]:
    """Returns first and last moment of a rule's window, UTC."""
    return rule.open_time.ToDatetime(UTC), rule.close_time.ToDatetime(UTC)


def problems(version: programme_pb2.ProgrammeVersion) -> Iterator[Violation]:
    """Yields what is wrong with the opening rule of a version."""
    if not version.HasField("opening_rule"):
        return
    opens, closes = window(version.opening_rule)
    if closes <= opens:
        yield Violation("version.opening_rule.close_time", "must be later than open_time")
    day = version.effective_date
    if (day.year, day.month, day.day) > _parts(day_of(opens)):
        yield Violation("version.opening_rule.open_time", "must not be before effective_date")


def _parts(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day
