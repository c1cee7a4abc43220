"""What the catalogue told last of courses, and what follows for the steps that wait for one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    and_,
    any_,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from waymark.portfolio.v1.pathway_pb2 import Step

from services.platform.db.transaction import Transaction
from services.portfolio.domain.steps import CourseStanding, Stage, course_standing
from services.portfolio.store.tables import courses, pathway_steps, step_redemptions

PathwayKey: TypeAlias = tuple[str, str]  # holder, pathway


class Told(NamedTuple):
    """What the catalogue tells of the course of a step, of the session booked, and of its first day."""

    standing: CourseStanding
    session: str
    start: date | None

    def show(self, step: Step) -> None:
        """Writes it into a step."""
        step.course_standing, step.session = self.standing, self.session
        if self.start:
            day = step.session_start_date
            day.year, day.month, day.day = self.start.year, self.start.month, self.start.day


def put(
    tx: Transaction,
    course: str,
    version: int,
    *,
    removed: bool,
    sessions: Mapping[str, str],
    cancelled: Collection[str],
) -> None:
    """Keeps a course as told, with the sessions that can be booked by name and their first days (ISO 8601, or
    empty), and the names of those that are cancelled, unless this or a newer version is there; all pathways
    with it are then to be looked at."""
    s = pathway_steps.c
    planned = exists().where(s.course == course, s.course != literal_column("''", Text))
    values = {
        "version": version,
        "removed": removed,
        "sessions": dict(sessions),
        "cancelled": list(cancelled),
        "looked_to": case((planned, literal_column("ARRAY['', '']", ARRAY(Text)))),
    }
    new = insert(courses).values(course=course, **values)
    changed = {name: new.excluded[name] for name in values}
    tx.execute(
        new.on_conflict_do_update(
            index_elements=["course"], set_=changed, where=courses.c.version < new.excluded.version
        )
    )


def unfinished(tx: Transaction) -> tuple[str, PathwayKey] | None:
    """Locks a course of which not all pathways have been looked at since it was told; returns it and the last
    one that has."""
    c = courses.c
    query = select(c.course, c.looked_to).where(c.looked_to.is_not(None)).order_by(c.course).limit(1)
    row = tx.execute(query.with_for_update()).first()
    return row and (row.course, tuple(row.looked_to))


def looked(tx: Transaction, course: str, to: PathwayKey | None) -> None:
    """Notes to which of its pathways a locked course has been looked at; none: at all."""
    tx.execute(update(courses).where(courses.c.course == course).values(looked_to=list(to) if to else None))


def is_cancelled(session: ColumnElement[str]) -> ColumnElement[bool]:
    """Returns whether a session is among the cancelled ones of the joined course; false without a course."""
    return func.coalesce(session == any_(courses.c.cancelled), False)


def told(tx: Transaction, pathways: Collection[PathwayKey]) -> dict[PathwayKey, dict[str, Told]]:
    """Returns what is told of the courses of planned and booked steps, by pathway and id of the step."""
    s, r = pathway_steps.c, step_redemptions.c
    theirs: list[ColumnElement[bool]] = [r[name] == s[name] for name in ("holder_id", "pathway_id")]
    cancelled = is_cancelled(r.session)
    # Of a planned step the sessions that were booked for it and cancelled since; released or still to be.
    counts = or_(
        and_(s.state == Step.STATE_BOOKED, r.stage == Stage.RESERVED, not_(cancelled)),
        and_(s.state == Step.STATE_PLANNED, cancelled),
    )
    rows = tx.execute(
        select(s.holder_id, s.pathway_id, s.id, s.state, r.session, courses.c.removed, courses.c.sessions)
        .select_from(pathway_steps.outerjoin(courses, courses.c.course == s.course))
        .outerjoin(step_redemptions, and_(*theirs, r.step_id == s.id, counts))
        .where(tuple_(s.holder_id, s.pathway_id).in_(pathways), s.course != "")
        .where(s.state.in_([Step.STATE_PLANNED, Step.STATE_BOOKED]))
        .order_by(s.id, r.redemption)
    )
    found: dict[PathwayKey, dict[str, Told]] = defaultdict(dict)
    for row in rows:
        days, booked = row.sessions or {}, row.session if row.state == Step.STATE_BOOKED else ""
        standing = course_standing(
            removed=bool(row.removed),
            offered=row.removed is None or not booked or booked in days,
            cancelled=bool(row.session and not booked),
        )
        start = days.get(booked, "")
        of_step = Told(standing, booked or "", date.fromisoformat(start) if start else None)
        before = found[row.holder_id, row.pathway_id].get(row.id, of_step)
        # Of several sessions booked for a step, one that is offered is enough.
        found[row.holder_id, row.pathway_id][row.id] = min(before, of_step, key=lambda each: each.standing)
    return found
