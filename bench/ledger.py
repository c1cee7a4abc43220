"""`make bench-ledger`: reading the whole ledger, giving vouchers to many, computing decisions again.

On a PostgreSQL with fsync on, by this process alone, as the job and the calls of the service do it. `verify`
compares every hash, gap, sum, head, checkpoint and balance; memory is read every tenth of a second.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from bench.redeem_world import durable_postgres, seed, settings, voucher_id
from bench.report import Goal, report
from services.platform.db.ids import new_id
from services.platform.db.transaction import transaction
from services.platform.identity.principals import Principal
from services.platform.operations import store as operations
from services.platform.operations.runner import run_chunk
from services.platform.settings import Settings
from services.vouchers import allocating
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.allocation_file import Named
from services.vouchers.replaying import Replayer
from services.vouchers.store import allocations, applications, ledger
from services.vouchers.verification import verify

PERSON = Principal(subject="00000000-0000-4000-8000-000000000001", roles=frozenset())
MONEY = 100_000_000_000  # cents
PAGE = 500  # decisions of one call
GOALS = (
    Goal("verified_entries_per_s", "≥", 300_000),
    Goal("allocated_per_s", "≥", 5_000),
    Goal("replayed_per_s", "≥", 5_000),
    Goal("verify_memory_rise_mib", "≤", 64, "MiB"),
)


def main() -> int:
    """Builds, measures, reports; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vouchers", type=int, default=100_000)
    given = parser.parse_args()
    figures: dict[str, float] = {"vouchers": given.vouchers}
    with world(given.vouchers) as app:
        seconds = timed(lambda: allocate(app, given.vouchers))
        figures["allocated_per_s"] = given.vouchers / seconds
        done, seconds = replay(app)
        figures["replayed_per_s"] = done / seconds
        with memory() as rise:
            started = time.perf_counter()
            found = verify(app.engine, app.checkpoint_key)
            seconds = time.perf_counter() - started
        assert not found.findings, found.findings
        figures |= {
            "entries": found.entries,
            "verified_entries_per_s": found.entries / seconds,
            "verify_memory_rise_mib": rise[0],
        }
    return 0 if report("ledger", figures, GOALS) else 1


@contextmanager
def world(people: int) -> Iterator[VouchersApp]:
    """A database with a programme that allocates, money, and people who are known to seek work."""
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with durable_postgres(folder) as url:
            with seed(url, 0).begin() as connection:
                for statement in _PEOPLE:
                    connection.execute(
                        text(statement), {"people": people, "one": voucher_id(0), "money": MONEY}
                    )
            app = VouchersApp(Settings.from_environment("vouchers", settings(url, "", folder, "")))
            with transaction(app) as tx:
                head = ledger.lock_head(tx, ledger.shard_for(tx, "EUR", "pot"))
                ledger.post(tx, head, bookings.fund(new_id(), "fundingSources/bench", "pot", MONEY))
            try:
                yield app
            finally:
                app.close()


_PEOPLE = (
    """UPDATE programme_versions SET rules = rules || '{"scope": "SCOPE_PROGRAMME"}'""",
    """UPDATE pots SET funded_cents = :money, available_cents = :money""",
    """INSERT INTO learner_facts (id, learner, key, source, value, observed_date)
      SELECT gen_random_uuid(), 'learners/' || n, f.key, 2, f.value, current_date
      FROM generate_series(1, :people) AS n,
        (VALUES ('employment_status', '"unemployed"'::jsonb), ('education_level', '3')) AS f (key, value)""",
    """INSERT INTO allocations (id, programme_id, size_bytes, sha256, created_by)
      VALUES (:one, 'bench', 1, '', '')""",
)


def allocate(app: VouchersApp, people: int) -> None:
    """Gives everybody a voucher, chunk by chunk."""
    with transaction(app, PERSON) as tx:
        asked = {"allocation": voucher_id(0), "programme": "bench", "number": 1, "currency": "EUR"}
        row = operations.add(tx, allocating.KIND, {**asked, "dry_run": False}, people)
        allocations.stage(tx, row.id, (Named(n, f"learners/{n}", None, "") for n in range(1, people + 1)))
        operations.change(tx, row.id, place={"line": 0})
    while run_chunk(app, {allocating.KIND: allocating.allocate}):
        pass
    with transaction(app, read_only=True) as tx:
        done = operations.get(tx, row.id)
    assert done.result["allocated"] == people, (done.result, done.reason)


def replay(app: VouchersApp) -> tuple[int, float]:
    """Computes every decision again, page by page; returns how many and the seconds."""
    done, last, started = 0, str(uuid.UUID(int=0)), time.perf_counter()
    while True:
        with transaction(app, read_only=True) as tx:
            statement = applications.listed("", "bench", 0).where(text("id > CAST(:last AS uuid)"))
            rows = tx.execute(statement.order_by(text("id")).limit(PAGE), {"last": last}).all()
            replayer = Replayer(tx)
            answers = [replayer.replay(row) for row in rows if row.offer]
        assert all(answer.agrees for answer in answers), answers[0].differences
        done += len(answers)
        if len(rows) < PAGE:
            return done, time.perf_counter() - started
        last = str(rows[-1].id)


def timed(work: Callable[[], Any]) -> float:
    """Returns how many seconds work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def memory() -> Iterator[list[float]]:
    """Yields a list that in the end holds by how many MiB this process grew at most."""
    process, over, rise = psutil.Process(), threading.Event(), [0.0]
    before = process.memory_info().rss

    def watch() -> None:
        while not over.wait(0.1):
            rise[0] = max(rise[0], (process.memory_info().rss - before) / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield rise
    finally:
        over.set()
        watcher.join()


if __name__ == "__main__":
    sys.exit(main())
