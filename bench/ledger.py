"""`make bench-ledger`: reading the whole ledger, giving vouchers to many, computing decisions again.

On a PostgreSQL with fsync on, by this process alone, as the job and the calls of the service do it. What is
known of people differs from one to the next, as registers have it. After the bulk load tables are vacuumed
and analysed, as PostgreSQL does by itself within a minute.

`verify` compares every hash, gap, sum, head, round and balance, of two ledgers. `entries_without_rounds`:
those of `--vouchers`, which no round names, so that this is what reading chains and adding up takes.
`entries_with_rounds`: `--entries` that are signed as densely as an honest year signs 10 million of them, in
105 120 rounds of 47 transactions each, nearly all in chains of their own; its goal is that such a year is
verified within the ten minutes that the call may take. Memory is read every tenth of a second.

Beside rates the table shows processor time, of this process and the database together, which other work on
the machine disturbs less.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import psutil
from sqlalchemy import text
from waymark.vouchers.v1.application_pb2 import ReplayApplicationsRequest

from bench import cpu
from bench.redeem_world import seed, voucher_id
from bench.report import Goal, report
from bench.servers import durable_postgres, settings
from services.platform.collector import settle_collector
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import transaction
from services.platform.identity.principals import Principal
from services.platform.operations import store as operations
from services.platform.operations.runner import run_chunk
from services.platform.rpc.interceptors.deadline import LONGEST_STREAM
from services.platform.settings import Settings
from services.vouchers import allocating
from services.vouchers.app import VouchersApp
from services.vouchers.checkpointing import checkpoint
from services.vouchers.domain import bookings
from services.vouchers.domain.allocation_file import Named
from services.vouchers.domain.ledger import SHARDS
from services.vouchers.replaying import Replayer
from services.vouchers.store import allocations, ledger
from services.vouchers.store.applications import listed
from services.vouchers.store.tables import applications
from services.vouchers.verification import verify

PERSON = Principal(subject="00000000-0000-4000-8000-000000000001", roles=frozenset())
MONEY = 100_000_000_000  # cents
PER_ROUND = 47  # transactions
PAGE = 500  # decisions of one call
YEAR = 10_000_000  # entries
GOALS = (
    Goal("entries_without_rounds_per_s", "≥", 300_000),
    Goal("entries_with_rounds_per_s", "≥", ceil(YEAR / LONGEST_STREAM)),
    Goal("allocated_per_s", "≥", 5_000),
    Goal("replayed_per_s", "≥", 5_000),
    Goal("entries_without_rounds_rise_mib", "≤", 64, "MiB"),
    Goal("entries_with_rounds_rise_mib", "≤", 64, "MiB"),
)


def main() -> int:
    """Builds, measures, reports; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vouchers", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=500_000, help="that rounds sign")
    given = parser.parse_args()
    figures: dict[str, float] = {"vouchers": given.vouchers}
    with world(given.vouchers) as app:
        settle_collector()
        with spending(figures, "allocated", given.vouchers):
            allocate(app, given.vouchers)
        tidy(app)
        with spending(figures, "replayed", given.vouchers):
            assert replay(app) == given.vouchers
        assert not verified(app, figures, "entries_without_rounds")
    with world(0) as app:
        sign_densely(app, given.entries)
        figures["rounds"] = verified(app, figures, "entries_with_rounds")
    return 0 if report("ledger", figures, GOALS) else 1


@contextmanager
def world(people: int) -> Iterator[VouchersApp]:
    """A database with a programme that allocates, money, and people who are known to seek work."""
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with durable_postgres("vouchers", folder) as url:
            with seed(url, 0, scope="SCOPE_PROGRAMME").begin() as connection:
                for statement in _PEOPLE:
                    connection.execute(
                        text(statement), {"people": people, "one": voucher_id(0), "money": MONEY}
                    )
            app = VouchersApp(
                Settings.from_environment("vouchers", settings("vouchers", url, "", folder, ""))
            )
            with transaction(app) as tx:
                head = ledger.lock_head(tx, ledger.shard_for(tx, "EUR", "pot"))
                ledger.post(tx, head, bookings.fund(new_id(), "fundingSources/bench", "pot", MONEY))
            try:
                yield app
            finally:
                app.close()


_PEOPLE = (
    """UPDATE pots SET funded_cents = :money, available_cents = :money""",
    """INSERT INTO learner_facts (id, learner, key, source, value, observed_date)
      SELECT gen_random_uuid(), 'learners/' || n, f.key, 2, f.value, current_date - n % 365
      FROM generate_series(1, :people) AS n, LATERAL (VALUES ('employment_status', '"unemployed"'::jsonb),
        ('education_level', to_jsonb(n % 9)), ('birth_year', to_jsonb(1960 + n % 45))) AS f (key, value)""",
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


def replay(app: VouchersApp) -> int:
    """Computes every decision again, page by page, as ReplayApplications does; returns how many."""
    request = ReplayApplicationsRequest(programme="programmes/bench", page_size=PAGE)
    order = [applications.c.created_at, applications.c.id]
    done = 0
    while True:
        with transaction(app, read_only=True) as tx:
            found = page(tx, app.signer, listed("", "bench", 0), order_by=order, request=request)
            replayer = Replayer(tx)
            answers = [replayer.replay(row) for row in found.rows if row.offer]
        assert all(answer.agrees for answer in answers), answers[0].differences
        done += len(answers)
        request.page_token = found.next_page_token
        if not request.page_token:
            return done


def verified(app: VouchersApp, figures: dict[str, float], what: str) -> int:
    """Verifies the whole ledger; returns how many rounds it has."""
    with memory() as rise, spending(figures, what, entry_count(app)):
        found = verify(app.engine, app.checkpoint_keys)
    assert not found.findings, found.findings
    figures |= {what: found.entries, f"{what}_rise_mib": rise[0]}
    return found.checkpoints


def entry_count(app: VouchersApp) -> int:
    """Returns how many entries the heads say there are."""
    with transaction(app, read_only=True) as tx:
        return sum(head.sequence for head in ledger.heads(tx).values())


def sign_densely(app: VouchersApp, entries: int) -> None:
    """Goes on with the ledger by so many entries: money comes to the pot, by cents, over all chains, and
    whenever as much has moved as in five minutes of a YEAR, a round is signed."""
    many = entries // 2
    for start in range(0, many, PER_ROUND):
        with transaction(app) as tx:
            ledger.post_all(
                tx,
                (
                    (number % SHARDS, bookings.fund(new_id(), "fundingSources/bench", "pot", 1))
                    for number in range(start, min(start + PER_ROUND, many))
                ),
            )
        checkpoint(app)
    with transaction(app) as tx:
        more = "UPDATE pots SET funded_cents = funded_cents + :n, available_cents = available_cents + :n"
        tx.execute(text(more), {"n": many})
    tidy(app)


def tidy(app: VouchersApp) -> None:
    """Does what autovacuum does within a minute of a bulk load."""
    with app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE applications, vouchers, ledger_entries, ledger_rounds"))


@contextmanager
def spending(figures: dict[str, float], what: str, count: int) -> Iterator[None]:
    """Notes how many of `count` things the body does in a second and what each costs in processor time."""
    started = time.perf_counter()
    with cpu.measured({what: os.getpid()}) as seconds:  # the database is a child of this process
        yield
    figures[f"{what}_per_s"] = count / (time.perf_counter() - started)
    figures[f"{what}_cpu_us"] = seconds[what] / count * 1e6


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
