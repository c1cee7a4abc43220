"""Events from outbox to effect in another process: `make bench-events`.

A real PostgreSQL (fsync on) and a real broker; relay and consumer are processes of their own, as in
production. The event waits in the outbox with the transaction's start time; the effect is a row with the
database's clock.

Paced: 1 000 events a second for a minute, ten a transaction; measured is effect time less start of the
publishing transaction. Burst: 60 000 events as fast as they can be committed; measured is the time from the
first commit until the last effect.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import sqlalchemy as sa

from bench.report import Goal, report
from services.cli.stack.kafka import Kafka
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.platform.db.transaction import transaction
from tests.support.databases import Databases
from tests.support.events import Rig, effects, make_rig, process
from tests.support.own_part import started

RATE, SECONDS, PER_TRANSACTION = 1_000, 60, 10
BURST, BURST_TRANSACTION = 60_000, 1_000
KEYS = 997
GOALS = (
    Goal("paced_p99_seconds", "≤", 1.0, "s"),
    Goal("paced_lost_or_twice", "≤", 0),
    Goal("burst_drained_seconds", "≤", 60.0, "s"),
    Goal("burst_lost_or_twice", "≤", 0),
)


def publish(rig: Rig, first: int, count: int) -> None:
    """One transaction with `count` events."""
    rig.publish(*((f"k{n % KEYS}", n) for n in range(first, first + count)))


def wait_for(rig: Rig, count: int, seconds: float) -> None:
    """Waits until there are so many effects; the figures show it when they never come."""
    deadline = time.monotonic() + seconds
    statement = sa.select(sa.func.count()).select_from(effects)
    while time.monotonic() < deadline:
        with transaction(rig.engine, read_only=True) as tx:
            if tx.execute(statement).scalar_one() >= count:
                return
        time.sleep(0.1)


def wrong(rig: Rig, first: int, count: int) -> float:
    """How many of the events had no effect, or more than one."""
    with transaction(rig.engine, read_only=True) as tx:
        chosen = sa.select(effects.c.n).where(effects.c.n >= first, effects.c.n < first + count)
        found = list(tx.execute(chosen).scalars())
    return count - len(set(found)) + len(found) - len(set(found))


def paced(rig: Rig) -> dict[str, float]:
    """A steady load; latencies as the database's clock saw them."""
    count, began = RATE * SECONDS, time.monotonic()
    for first in range(0, count, PER_TRANSACTION):
        ahead = began + first / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        publish(rig, first, PER_TRANSACTION)
    took = time.monotonic() - began
    wait_for(rig, count, 60)
    delay = sa.func.extract("epoch", effects.c.at - effects.c.sent)
    ranks = [0.5, 0.99, 1.0]
    statement = sa.select(sa.func.percentile_cont(sa.literal(ranks, sa.ARRAY(sa.Float))).within_group(delay))
    with transaction(rig.engine, read_only=True) as tx:
        p50, p99, most = tx.execute(statement.where(effects.c.n < count)).scalar_one()
    return {
        "paced_events_per_second": count / took,
        "paced_p50_seconds": float(p50),
        "paced_p99_seconds": float(p99),
        "paced_max_seconds": float(most),
        "paced_lost_or_twice": wrong(rig, 0, count),
    }


def burst(rig: Rig) -> dict[str, float]:
    """Everything at once."""
    base, began = 10_000_000, time.monotonic()
    for first in range(base, base + BURST, BURST_TRANSACTION):
        publish(rig, first, BURST_TRANSACTION)
    wait_for(rig, RATE * SECONDS + BURST, 120)
    drained = time.monotonic() - began
    return {
        "burst_drained_seconds": drained,
        "burst_events_per_second": BURST / drained,
        "burst_lost_or_twice": wrong(rig, base, BURST),
    }


def memory_mib(pid: int) -> float:
    """Resident memory of a process and its children."""
    whole = psutil.Process(pid)
    family = [whole, *whole.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)) / 2**20


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, which a busy machine changes less than the clock."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def main() -> int:
    """Runs the benchmark; returns 0 when every goal is met."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything started is stopped
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waymark-bench-")))
        server = Postgres(folder / "postgres", free_port())
        broker = Kafka(folder / "kafka", free_port(), free_port())
        stack.enter_context(started(server, folder / "postgres.log"))
        stack.enter_context(started(broker, folder / "kafka.log"))
        rig = make_rig(Databases(server.url()), broker.bootstrap, folder)
        stack.callback(rig.app.close)
        stack.callback(rig.engine.dispose)
        relay = stack.enter_context(process(rig, "relay"))
        consumer = stack.enter_context(process(rig, "consumer"))
        rig.publish(("warm", -2))
        wait_for(rig, 1, 30)
        with transaction(rig.engine) as tx:
            tx.execute(sa.delete(effects))
        figures = paced(rig) | burst(rig)
        for name, one in (("relay", relay), ("consumer", consumer)):
            figures[f"{name}_mib"] = memory_mib(one.pid)
            figures[f"{name}_cpu_us_per_event"] = cpu_seconds(one.pid) / (RATE * SECONDS + BURST) * 1e6
    return 0 if report("events", figures, GOALS) else 1


if __name__ == "__main__":
    sys.exit(main())
