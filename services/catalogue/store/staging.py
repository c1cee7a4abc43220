"""Statements on staged records of feed runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select, text, update

from services.catalogue.store.feed_tables import feed_staged
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction


class Action:
    """What applying a staged record does."""

    UNCHANGED = 0
    CREATE = 1
    UPDATE = 2
    REJECTED = 3


class Staged(NamedTuple):
    """A record read; course id, hash and document (JSON) only where it is to be written."""

    external_id: str
    action: int
    course_id: str | None
    raw_hash: bytes | None
    document: str | None


def present(tx: Transaction, run: str, external_ids: Sequence[str]) -> set[str]:
    """Returns those of the ids that the run has staged before."""
    statement = text(
        "SELECT external_id FROM feed_staged WHERE run_id = :run AND external_id = ANY(:external_ids)"
    )
    return set(tx.execute(statement, {"run": run, "external_ids": list(external_ids)}).scalars())


def add(tx: Transaction, run: str, rows: Iterable[Staged]) -> None:
    """Stages records whose ids are not staged yet."""
    copy(
        tx.connection,
        "feed_staged (run_id, external_id, action, course_id, raw_hash, document)",
        ((run, *row) for row in rows),
    )


def to_apply(tx: Transaction, run: str, after: str, size: int) -> Sequence[Row[Any]]:
    """Returns the next staged records that change something, by external id."""
    statement = (
        select(feed_staged)
        .where(
            feed_staged.c.run_id == run,
            feed_staged.c.external_id > after,
            feed_staged.c.action.in_([Action.CREATE, Action.UPDATE]),
        )
        .order_by(feed_staged.c.external_id)
        .limit(size)
    )
    return tx.execute(statement).all()


def correct(
    tx: Transaction, run: str, external_id: str, document: dict[str, Any], imported: dict[str, Any]
) -> None:
    """Puts corrections into a staged document before it is written."""
    tx.execute(
        update(feed_staged)
        .where(feed_staged.c.run_id == run, feed_staged.c.external_id == external_id)
        .values(document=document, imported=imported)
    )


def count(tx: Transaction, run: str) -> int:
    """Returns how many records a run has staged."""
    counted = select(func.count()).where(feed_staged.c.run_id == run)
    return int(tx.execute(counted).scalar_one())


def forget(tx: Transaction, run: str) -> None:
    """Removes what a run has staged."""
    tx.execute(feed_staged.delete().where(feed_staged.c.run_id == run))


def analyze(tx: Transaction) -> None:
    """Counts anew for the planner: what is staged came faster than autovacuum notices. Not while another run
    has it counted, which is as good."""
    tx.execute(text("ANALYZE (SKIP_LOCKED) feed_staged"))
