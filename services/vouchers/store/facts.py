"""Statements of learner facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.facts import Fact, Source, value_of
from services.vouchers.store.columns import one_of
from services.vouchers.store.tables import learner_facts, learners

_KNOW = text("INSERT INTO learners (id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING")

_KNOW_ONE = insert(learners).on_conflict_do_nothing()
_LOCK_ONE = select(learners.c.id).where(learners.c.id == bindparam("learner")).with_for_update()
_READ = select(learner_facts).where(learner_facts.c.learner == bindparam("learner"))


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


def name_of(tx: Transaction, learner: str, fact: Fact) -> str:
    """Returns the resource name of a stored fact."""
    f = learner_facts.c
    statement = select(f.id).where(f.learner == learner, f.key == fact.key, f.source == int(fact.source))
    return f"{learner}/facts/{tx.execute(statement).scalar_one()}"


def of_learner(learner: str) -> Select[Any]:
    """Returns the statement for a learner's facts."""
    return select(learner_facts).where(learner_facts.c.learner == learner)


def read(tx: Transaction, learner: str) -> list[Fact]:
    """Returns a learner's facts."""
    return [fact_of(row) for row in tx.execute(_READ, {"learner": learner})]


def read_many(tx: Transaction, people: Sequence[str]) -> dict[str, list[Fact]]:
    """Returns the facts of some learners, those without any included."""
    found: dict[str, list[Fact]] = {learner: [] for learner in people}
    f = learner_facts.c
    columns = f.learner, f.key, f.value, f.source, f.observed_date, f.valid_until
    for row in tx.execute(select(*columns).where(f.learner == one_of(people))):
        found[row.learner].append(fact_of(row))
    return found


def fact_of(row: Row[Any]) -> Fact:
    """Returns a row as a fact."""
    return Fact(row.key, value_of(row.key, row.value), Source(row.source), row.observed_date, row.valid_until)


def lock_learner(tx: Transaction, learner: str) -> None:
    """Makes applications of one learner follow each other, so that two cannot share the last face value."""
    tx.execute(_KNOW_ONE, {"id": learner})
    tx.execute(_LOCK_ONE, {"learner": learner})


def lock_learners(tx: Transaction, people: Sequence[str]) -> None:
    """The same for many, in the order of their ids, so that nobody waits in a ring."""
    ids = sorted(people)
    tx.execute(_KNOW, {"ids": ids})
    tx.execute(
        select(learners.c.id).where(learners.c.id == one_of(ids)).order_by(learners.c.id).with_for_update()
    )
