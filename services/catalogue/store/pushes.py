"""Statements on courses that are being pushed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import func, insert, select
from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.store.feed_tables import feed_pushed, feed_runs, sources
from services.platform.db.transaction import Transaction

_p = feed_pushed.c


def add(tx: Transaction, run: str, first: int, lines: Sequence[bytes]) -> None:
    """Keeps courses, a line each, the first of them the `first` of the run."""
    values = {"run_id": run, "first": first, "course_count": len(lines), "lines": b"".join(lines)}
    tx.execute(insert(feed_pushed).values(values))


def size(tx: Transaction, run: str) -> int:
    """Returns how many bytes a run has received."""
    statement = select(func.coalesce(func.sum(func.octet_length(_p.lines)), 0)).where(_p.run_id == run)
    return int(tx.execute(statement).scalar_one())


def limit(tx: Transaction, run: str) -> int:
    """Returns how many bytes a run may receive: as many as its source may bring."""
    statement = select(sources.c.max_feed_mib).join(feed_runs, feed_runs.c.source_id == sources.c.id)
    return int(tx.execute(statement.where(feed_runs.c.id == run)).scalar_one()) << 20


def lines(tx: Transaction, run: str) -> Iterator[bytes]:
    """Yields what a run has received, in order and in flat memory."""
    for part in tx.parts(select(_p.lines).where(_p.run_id == run).order_by(_p.first), 1):
        yield from (bytes(row.lines) for row in part)


def forget(tx: Transaction, run: str) -> None:
    """Removes what a run has received."""
    tx.execute(feed_pushed.delete().where(_p.run_id == run))


def abandoned(tx: Transaction, older: timedelta) -> list[str]:
    """Returns runs that have been receiving for longer than any stream lasts; locks them."""
    c = feed_runs.c
    statement = (
        select(c.id)
        .where(c.state == FeedRun.STATE_RECEIVING, c.create_time < func.now() - older)
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    return list(tx.execute(statement).scalars())
