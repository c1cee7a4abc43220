"""Callers that call as somebody else each time: so that what is measured is not one person's rows, which are
in memory.

A caller is a plain object that a client process gets; `connect` returns what makes its n-th call and raises
grpc.RpcError when that is refused.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import grpc
from waymark.catalogue.v1 import skill_gap_pb2, skill_gap_pb2_grpc
from waymark.portfolio.v1 import skill_profile_pb2, skill_profile_pb2_grpc

from bench.load import Load, spread

WARM = 100  # calls of each caller that do not count
TIMEOUT = 10.0  # seconds
# Of one caller, used in turn: the system spreads connections over processes by chance, and with one each a
# median doubles where two callers come to the same process.
CONNECTIONS = 8
_OWN = [("grpc.use_local_subchannel_pool", 1)]


class Caller(Protocol):
    """What a client process is given."""

    def connect(self) -> Callable[[int], None]:
        """Returns what makes the n-th call."""


@dataclass(frozen=True)
class Calls:
    """One RPC. `visits`: (access token, request), used in turn."""

    address: str
    path: str
    visits: Sequence[tuple[str, bytes]]

    def connect(self) -> Callable[[int], None]:
        """Returns what makes the n-th call, from the first again after the last."""
        calls: list[Any] = [channel.unary_unary(self.path) for channel in _channels(self.address)]

        def visit(number: int) -> None:
            token, body = self.visits[number % len(self.visits)]
            calls[number % CONNECTIONS](
                body, metadata=[("authorization", f"Bearer {token}")], timeout=TIMEOUT
            )

        return visit


@dataclass(frozen=True)
class Gaps:
    """The way to a gap: the skills of a holder from the portfolio, then the gap to an occupation from the
    catalogue. `visits`: (access token, holder)."""

    portfolio: str
    catalogue: str
    visits: Sequence[tuple[str, str]]
    occupations: Sequence[str]

    def connect(self) -> Callable[[int], None]:
        """Returns what goes the whole way."""
        profiles = [*map(skill_profile_pb2_grpc.SkillProfileServiceStub, _channels(self.portfolio))]
        gaps = [*map(skill_gap_pb2_grpc.SkillGapServiceStub, _channels(self.catalogue))]

        def visit(number: int) -> None:
            token, holder = self.visits[number % len(self.visits)]
            found = profiles[number % CONNECTIONS].GetSkillProfile(
                skill_profile_pb2.GetSkillProfileRequest(name=holder),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=TIMEOUT,
            )
            occupation = self.occupations[number % len(self.occupations)]
            request = skill_gap_pb2.CheckSkillGapRequest(occupation=occupation, skills=found.skills)
            gaps[number % CONNECTIONS].CheckSkillGap(request, timeout=TIMEOUT)

        return visit


def _channels(address: str) -> list[grpc.Channel]:
    return [grpc.insecure_channel(address, options=_OWN) for _ in range(CONNECTIONS)]


def run_visits(callers: Sequence[Caller], seconds: float) -> Load:
    """Lets callers, each in a process of its own, call for some seconds."""
    total = Load()
    for took, latencies, errors in spread(_client, [[each] for each in callers], seconds):
        total.seconds = max(total.seconds, took)
        total.latencies += latencies
        total.errors += errors
    total.latencies.sort()
    total.together, total.answered = total.seconds, len(total.latencies)
    return total


def _client(callers: Sequence[Caller], gate: threading.Barrier, results: Any, seconds: float) -> None:
    (caller,) = callers
    visit = caller.connect()
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    for number in range(WARM):
        visit(number)
    gate.wait()
    began = time.perf_counter()
    for number in count(WARM):
        started = time.perf_counter()
        if started >= began + seconds:
            break
        try:
            visit(number)
        except grpc.RpcError as error:
            errors[error.code().name] += 1
        else:
            latencies.append(time.perf_counter() - started)
    results.put((time.perf_counter() - began, latencies, errors))
