"""Statements of learner facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.facts import Fact, Source, value_of
from services.vouchers.store.tables import learner_facts, learners


def put(tx: Transaction, learner: str, facts: Sequence[Fact]) -> None:
    """Stores facts; a newer one takes the place of an older one with the same key and source."""
    if not facts:
        return
    new = insert(learner_facts)
    statement = new.on_conflict_do_update(
        index_elements=["learner", "key", "source"],
        set_={name: new.excluded[name] for name in ("value", "observed_date", "valid_until", "created_at")},
    )
    rows = [
        {
            "id": new_id(),
            "learner": learner,
            "key": fact.key,
            "source": int(fact.source),
            "value": fact.value.isoformat() if isinstance(fact.value, date) else fact.value,
            "observed_date": fact.observed,
            "valid_until": fact.valid_until,
            "created_at": tx.now,
        }
        for fact in sorted(facts, key=lambda fact: (fact.key, fact.source))
    ]
    tx.execute(statement, rows)


def of_learner(learner: str) -> Select[Any]:
    """Returns the statement for a learner's facts."""
    return select(learner_facts).where(learner_facts.c.learner == learner)


def read(tx: Transaction, learner: str) -> list[Fact]:
    """Returns a learner's facts."""
    return [fact_of(row) for row in tx.execute(of_learner(learner))]


def fact_of(row: Row[Any]) -> Fact:
    """Returns a row as a fact."""
    return Fact(row.key, value_of(row.key, row.value), Source(row.source), row.observed_date, row.valid_until)


def lock_learner(tx: Transaction, learner: str) -> None:
    """Makes applications of one learner follow each other, so that two cannot share the last face value."""
    tx.execute(insert(learners).on_conflict_do_nothing(), {"id": learner})
    tx.execute(select(learners.c.id).where(learners.c.id == learner).with_for_update())


def lock_learners(tx: Transaction, learners_: Sequence[str]) -> None:
    """The same for several at once, in order of their ids."""
    for learner in sorted(learners_):
        lock_learner(tx, learner)
