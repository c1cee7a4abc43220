"""Statements of learner facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.db.wire import named
from services.vouchers.domain.facts import STATISTICS, Fact, Source, Told, kept_value, value_of
from services.vouchers.store.columns import one_of
from services.vouchers.store.tables import learner_facts, learners

# Whoever writes facts takes them in one order, so that two who do never wait for each other in a ring.
_PUT = text("""INSERT INTO learner_facts
  (id, learner, key, source, value, observed_date, valid_until, told_by, created_at)
SELECT id, learner, key, source, CAST(value AS jsonb), observed_date, valid_until, :by, :now
FROM unnest(CAST(:id AS uuid[]), CAST(:learner AS text[]), CAST(:key AS text[]), CAST(:source AS smallint[]),
  CAST(:value AS text[]), CAST(:observed AS date[]), CAST(:until AS date[]))
  AS e (id, learner, key, source, value, observed_date, valid_until)
ON CONFLICT (learner, key, source) DO UPDATE SET value = excluded.value,
  observed_date = excluded.observed_date, valid_until = excluded.valid_until,
  told_by = excluded.told_by, created_at = excluded.created_at""")
_KNOW = text("INSERT INTO learners (id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING")

_KNOW_ONE = insert(learners).on_conflict_do_nothing()
_LOCK_ONE = select(learners.c.id).where(learners.c.id == bindparam("learner")).with_for_update()
_READ = select(learner_facts).where(learner_facts.c.learner == bindparam("learner"))
# Values come as text, because the driver takes longer to read them as JSON than for all the rest.
_READ_MANY = named(
    "facts_of_many",
    """SELECT learner, key, value::text AS value, source, observed_date, valid_until FROM learner_facts
WHERE learner = ANY (CAST(:people AS text[]))""",
)


def put(tx: Transaction, learner: str, facts: Sequence[Fact]) -> None:
    """Stores facts; a newer one takes the place of an older one with the same key and source."""
    put_all(tx, [Told(learner, fact) for fact in facts])


def put_all(tx: Transaction, told: Iterable[Told], by: str = "") -> None:
    """Stores facts about any number of learners as if one by one: of several with the same learner, key and
    source the last stays. `by`: subject of who told them, by default the caller."""
    last = {(each.learner, each.fact.key, int(each.fact.source)): each.fact for each in told}
    if not last:
        return
    keys = sorted(last)
    facts = [last[key] for key in keys]
    columns = {
        "id": [new_id() for _ in keys],
        "learner": [learner for learner, _, _ in keys],
        "key": [key for _, key, _ in keys],
        "source": [source for _, _, source in keys],
        "value": [json.dumps(kept_value(fact)) for fact in facts],
        "observed": [fact.observed for fact in facts],
        "until": [fact.valid_until for fact in facts],
    }
    tx.execute(_PUT, {"now": tx.now, "by": by or tx.principal.subject, **columns})


def name_of(tx: Transaction, learner: str, fact: Fact) -> str:
    """Returns the resource name of a stored fact."""
    f = learner_facts.c
    statement = select(f.id).where(f.learner == learner, f.key == fact.key, f.source == int(fact.source))
    return f"{learner}/facts/{tx.execute(statement).scalar_one()}"


def of_learner(learner: str, *, own: bool) -> Select[Any]:
    """Returns the statement for a learner's facts; unless it is they who ask (`own`), without those told for
    statistics alone."""
    statement = select(learner_facts).where(learner_facts.c.learner == learner)
    return statement if own else statement.where(learner_facts.c.key.not_in(STATISTICS))


def stored(tx: Transaction, learner: str, facts: Sequence[Fact]) -> Sequence[Row[Any]]:
    """Returns the rows of facts just put."""
    f = learner_facts.c
    said = tuple_(f.key, f.source).in_([(fact.key, int(fact.source)) for fact in facts])
    return tx.execute(select(learner_facts).where(f.learner == learner, said).order_by(f.key, f.source)).all()


def read(tx: Transaction, learner: str) -> list[Fact]:
    """Returns a learner's facts."""
    return [fact_of(row) for row in tx.execute(_READ, {"learner": learner})]


def read_many(tx: Transaction, people: Sequence[str]) -> dict[str, list[Fact]]:
    """Returns the facts of some learners, those without any included."""
    found: dict[str, list[Fact]] = {learner: [] for learner in people}
    for learner, key, kept, source, day, until in tx.rows(_READ_MANY(people=people)):
        found[learner].append(Fact(key, value_of(key, json.loads(kept)), Source(source), day, until))
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
