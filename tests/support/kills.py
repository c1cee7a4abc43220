"""Kills processes of a stack with SIGKILL, at a point of a transaction or wherever they are."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random

from tests.support.gates import Gate, Gates, Point, gates
from tests.support.stand import Stand
from tests.support.waiting import eventually

LONGEST_WAIT = 1.0  # seconds, before a kill that waits for no gate


@dataclass(frozen=True)
class Hit:
    """Where a part is killed: at the gate of a service, or anywhere.

    `committed`: once the COMMIT is done, and before the part hears of it.
    """

    name: str
    part: str
    service: str = "vouchers"
    point: Point | None = None
    committed: bool = False


SERVER, RELAY, CONSUMER = "vouchers-server", "vouchers-relay", "portfolio-consumer"
HITS: Mapping[str, tuple[Hit, ...]] = {
    SERVER: (
        Hit("before commit", SERVER, point=Point.CLAIMED),
        Hit("during commit", SERVER, point=Point.COMMITTING),
        Hit("after commit", SERVER, point=Point.COMMITTING, committed=True),
        Hit("server anywhere", SERVER),
    ),
    RELAY: (
        Hit("after publish, before marking", RELAY, point=Point.PUBLISHED),
        Hit("relay anywhere", RELAY),
    ),
    CONSUMER: (
        Hit("after effect, before offset", CONSUMER, "portfolio", Point.EFFECT, committed=True),
        Hit("consumer anywhere", CONSUMER),
    ),
}


@contextmanager
def all_gates(stand: Stand) -> Iterator[dict[str, Gates]]:
    """The gates of every service that has any, by service."""
    with ExitStack() as ending:
        yield {
            service: ending.enter_context(gates(stand.database(service), service))
            for service in ("vouchers", "portfolio")
        }


def kill_at(stand: Stand, part: str, gate: Gate, *, committed: bool) -> int:
    """Kills a part while it stands at the gate, or once its COMMITs are done and before it hears of them;
    returns how many of its transactions that answer a request stood there."""
    standing = gate.answering()
    if committed:
        stand.signal(part, signal.SIGSTOP)  # it will not see that its COMMITs went well
        gate.open()
        eventually(lambda: not gate.inside())
    stand.signal(part, signal.SIGKILL)
    return standing


def strike(stand: Stand, built: Mapping[str, Gates], hit: Hit, chance: Random) -> None:
    """Kills a part where the hit says; somebody must keep it at work."""
    if hit.point is None:
        time.sleep(chance.uniform(0, LONGEST_WAIT))
        stand.signal(hit.part, signal.SIGKILL)
        return
    with built[hit.service].closed(hit.point) as gate:
        eventually(gate.waiting, what=f"nobody came to {hit.name}")
        kill_at(stand, hit.part, gate, committed=hit.committed)
