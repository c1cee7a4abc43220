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
    case,
    exists,
    literal_column,
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


def put(tx: Transaction, course: str, version: int, *, removed: bool, sessions: Mapping[str, str]) -> None:
    """Keeps a course as told, with its sessions by name and their first days (ISO 8601, or empty), unless
    this or a newer version is there; all pathways with it are then to be looked at."""
    s = pathway_steps.c
    planned = exists().where(s.course == course, s.course != literal_column("''", Text))
    new = insert(courses).values(
        course=course,
        version=version,
        removed=removed,
        sessions=dict(sessions),
        looked_to=case((planned, literal_column("ARRAY['', '']", ARRAY(Text)))),
    )
    changed = {name: new.excluded[name] for name in ("version", "removed", "sessions", "looked_to")}
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


def told(tx: Transaction, pathways: Collection[PathwayKey]) -> dict[PathwayKey, dict[str, Told]]:
    """Returns what is told of the courses of planned and booked steps, by pathway and id of the step."""
    s, r = pathway_steps.c, step_redemptions.c
    theirs: list[ColumnElement[bool]] = [r[name] == s[name] for name in ("holder_id", "pathway_id")]
    booked = and_(*theirs, r.step_id == s.id, r.stage == Stage.RESERVED, s.state == Step.STATE_BOOKED)
    rows = tx.execute(
        select(s.holder_id, s.pathway_id, s.id, s.state, r.session, courses.c.removed, courses.c.sessions)
        .select_from(pathway_steps.outerjoin(step_redemptions, booked))
        .outerjoin(courses, courses.c.course == s.course)
        .where(tuple_(s.holder_id, s.pathway_id).in_(pathways), s.course != "")
        .where(s.state.in_([Step.STATE_PLANNED, Step.STATE_BOOKED]))
        .order_by(s.id, r.redemption)
    )
    found: dict[PathwayKey, dict[str, Told]] = defaultdict(dict)
    for row in rows:
        days = row.sessions or {}
        offered = row.removed is None or not row.session or row.session in days
        standing = course_standing(removed=bool(row.removed), offered=offered)
        start = days.get(row.session, "")
        of_step = Told(standing, row.session or "", date.fromisoformat(start) if start else None)
        before = found[row.holder_id, row.pathway_id].get(row.id, of_step)
        # Of several sessions booked for a step, one that is offered is enough.
        found[row.holder_id, row.pathway_id][row.id] = min(before, of_step, key=lambda each: each.standing)
    return found
