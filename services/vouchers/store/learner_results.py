"""Statements of what learners say: feedback, where they are when they leave and later, sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, extract, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.transaction import Transaction
from services.vouchers.domain.results import CHANGEABLE
from services.vouchers.store.catalogue_tables import sessions
from services.vouchers.store.columns import apart
from services.vouchers.store.quality_tables import acceptances, feedback, leavings, outcomes
from services.vouchers.store.tables import redemptions

_r, _f, _o, _l = redemptions.c, feedback.c, outcomes.c, leavings.c
GROUPS = {
    "programme": func.concat("programmes/", _r.programme_id),
    "organisation": _r.organisation,
    "course": _r.course,
}
_ASK = text("""WITH asked AS (
  UPDATE acceptances SET asked_at = now() WHERE redemption_id IN (
    SELECT redemption_id FROM acceptances
    WHERE asked_at IS NULL AND accepted_at <= now() - make_interval(months => :months)
    ORDER BY accepted_at LIMIT :limit FOR UPDATE SKIP LOCKED)
  RETURNING redemption_id
)
SELECT r.id, r.learner, r.course, r.state FROM asked a JOIN redemptions r ON r.id = a.redemption_id
ORDER BY r.id""")


def give(tx: Transaction, redemption: str, satisfaction: int, skills_gained: int) -> Row[Any] | None:
    """Writes feedback; returns its row, or None when it can no longer be changed."""
    marks = {"satisfaction": satisfaction, "skills_gained": skills_gained, "updated_at": tx.now}
    statement = insert(feedback).values(redemption_id=redemption, created_at=tx.now, **marks)
    changed = statement.on_conflict_do_update(
        index_elements=["redemption_id"], set_=marks, where=_f.created_at > tx.now - CHANGEABLE
    )
    return tx.execute(changed.returning(feedback)).one_or_none()


def feedback_on(tx: Transaction, redemption: str) -> Row[Any]:
    """Returns the feedback on a redemption; raises Refusal(NOT_FOUND)."""
    return tx.one(select(feedback).where(_f.redemption_id == redemption))


def report(tx: Transaction, values: dict[str, Any]) -> None:
    """Writes where a learner is, in place of what was known."""
    statement = insert(outcomes).values(values)
    changed = {name: statement.excluded[name] for name in values if name != "redemption_id"}
    tx.execute(statement.on_conflict_do_update(index_elements=["redemption_id"], set_=changed))


def outcome_of(tx: Transaction, redemption: str) -> Row[Any]:
    """Returns a redemption with what is known of its outcome; raises Refusal(NOT_FOUND)."""
    statement = (
        select(
            _r.id,
            _r.learner,
            _r.state,
            _r.accepted_at,
            _r.no_show_at,
            _r.part_of,
            acceptances.c.asked_at,
            outcomes,
        )
        .outerjoin(acceptances, acceptances.c.redemption_id == _r.id)
        .outerjoin(outcomes, _o.redemption_id == _r.id)
        .where(_r.id == redemption)
    )
    return tx.one(statement)


def report_leaving(tx: Transaction, values: dict[str, Any]) -> None:
    """Writes where a learner was upon leaving, in place of what was known; what is None leaves that alone."""
    statement = insert(leavings).values(values)
    changed = {
        name: func.coalesce(statement.excluded[name], _l[name]) for name in values if name != "redemption_id"
    }
    tx.execute(statement.on_conflict_do_update(index_elements=["redemption_id"], set_=changed))


def leaving_of(tx: Transaction, redemption: str) -> Row[Any]:
    """Returns a redemption with the last day of its session and what is known of its learner upon leaving;
    raises Refusal(NOT_FOUND)."""
    statement = (
        select(
            *(_r.id, _r.learner, _r.state, _r.delivered_at, _r.no_show_at, _r.part_of),
            sessions.c.end_date,
            *(_l.status, _l.in_education, _l.qualified, _l.source, _l.observed_on, _l.answered_at),
        )
        .outerjoin(sessions, sessions.c.name == _r.session)
        .outerjoin(leavings, _l.redemption_id == _r.id)
        .where(_r.id == redemption)
    )
    return tx.one(statement)


def ask(tx: Transaction, months: int, limit: int) -> Sequence[Row[Any]]:
    """Marks and returns redemptions accepted so many months ago whose learner was not asked yet."""
    return tx.execute(_ASK, {"months": months, "limit": limit}).all()


def sums(tx: Transaction, group_by: str, programme: str, organisation: str, year: int) -> list[Row[Any]]:
    """Returns sums by group; empty and zero mean any. `group_by`: one of GROUPS."""
    group = GROUPS[group_by].label("name")
    learners = func.count(_r.learner.distinct())
    statement = (
        select(
            group,
            learners.filter(_f.satisfaction.is_not(None)).label("feedback_learners"),
            func.count(_f.satisfaction).label("feedback_count"),
            func.coalesce(func.sum(_f.satisfaction), 0).label("satisfaction"),
            func.coalesce(func.sum(_f.skills_gained), 0).label("skills"),
            *(func.count().filter(_f.satisfaction == mark).label(f"mark_{mark}") for mark in range(1, 6)),
            learners.filter(_o.status.is_not(None)).label("outcome_learners"),
            func.count(_o.status).label("outcome_count"),
            *(func.count().filter(_o.status == status).label(f"status_{status}") for status in range(1, 5)),
        )
        .select_from(redemptions)
        .outerjoin(feedback, _f.redemption_id == _r.id)
        .outerjoin(outcomes, _o.redemption_id == _r.id)
        .where(or_(_f.redemption_id.is_not(None), _o.redemption_id.is_not(None)), apart(_r.currency))
        .group_by(group)
        .order_by(group)
    )
    if programme:
        statement = statement.where(_r.programme_id == programme)
    if organisation:
        statement = statement.where(_r.organisation == organisation)
    if year:
        statement = statement.where(extract("year", _r.accepted_at) == year)
    return list(tx.execute(statement))
