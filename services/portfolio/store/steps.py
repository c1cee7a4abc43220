"""Steps of pathways, and how far the redemptions spent on them have come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.portfolio.v1.pathway_pb2 import Pathway, Step
from waymark.vouchers.v1.events_pb2 import RedemptionRef

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names, quotas
from services.portfolio.domain.graph import Node
from services.portfolio.domain.pathways import LIVE
from services.portfolio.domain.steps import Stage, State, counted
from services.portfolio.store.pathways import Loaded
from services.portfolio.store.step_courses import PathwayKey, is_cancelled
from services.portfolio.store.tables import courses, pathway_steps, pathways, step_redemptions
from services.portfolio.store.vault import Vault

Conditions: TypeAlias = tuple[ColumnElement[bool], ...]
_p, _s = pathways.c, pathway_steps.c


class StepRef(NamedTuple):
    """A step as far as events move it."""

    holder: str
    pathway: str
    id: str
    state: State

    @property
    def pathway_name(self) -> str:
        """`holders/{holder}/pathways/{pathway}`."""
        return f"holders/{self.holder}/pathways/{self.pathway}"

    @property
    def name(self) -> str:
        """`holders/{holder}/pathways/{pathway}/steps/{step}`."""
        return f"{self.pathway_name}/steps/{self.id}"


def node(step: Step) -> Node:
    """Returns a step as the graph sees it, under its bare id."""
    before = frozenset(map(names.last, step.prerequisites))
    return Node(names.last(step.name), step.state, before, step.alternatives_label)


def nodes(pathway: Pathway) -> list[Node]:
    """Returns the graph of a pathway's steps."""
    return [node(step) for step in pathway.steps]


def add(tx: Transaction, vault: Vault, pathway: Loaded, step: Step) -> str:
    """Adds a planned step to a locked pathway and returns its id; raises Refusal(QUOTA_EXCEEDED)."""
    quotas.check("pathway_steps", len(pathway.message.steps))
    row_id = new_id()
    tx.execute(
        insert(pathway_steps).values(
            holder_id=vault.holder,
            pathway_id=pathway.id,
            id=row_id,
            state=Step.STATE_PLANNED,
            course=step.course,
            sealed=_sealed(vault, row_id, step),
        )
    )
    return row_id


def save(tx: Transaction, vault: Vault, ref: StepRef, step: Step) -> None:
    """Writes what a step of a locked pathway says, its course and its state."""
    tx.execute(
        update(pathway_steps)
        .where(*_is(ref))
        .values(course=step.course, state=step.state, sealed=_sealed(vault, ref.id, step))
    )


def lock_pathways(
    tx: Transaction,
    planned: ColumnElement[bool],
    *,
    after: PathwayKey | None = None,
    limit: int | None = None,
) -> list[PathwayKey]:
    """Locks the living pathways that have a step of which `planned` is true, up to `limit` of those `after`
    one; returns them.

    Who locks more than one does it by this and in one go, in the order of ids: so nobody waits for somebody
    who waits in turn.
    """
    key, of_step = tuple_(_p.holder_id, _p.id), tuple_(_s.holder_id, _s.pathway_id)
    with_step = select(_s.holder_id, _s.pathway_id).where(planned, _s.course != literal_column("''", Text))
    living = select(_p.holder_id, _p.id).where(_p.state.in_(sorted(LIVE)))
    if after:
        with_step, living = with_step.where(of_step > after), living.where(key > after)
    rows = tx.execute(
        living.where(key.in_(with_step)).order_by(_p.holder_id, _p.id).limit(limit).with_for_update()
    )
    return [(row.holder_id, row.id) for row in rows]


def lock_by_course(tx: Transaction, course: str, holder: str) -> list[StepRef]:
    """Locks the living pathways of a holder that have a step with this course; returns the steps.

    Empty for an unknown holder or course.
    """
    planned = and_(_s.holder_id == holder, _s.course == course)
    return of_locked(tx, planned, lock_pathways(tx, planned))


def of_locked(tx: Transaction, planned: ColumnElement[bool], locked: Collection[PathwayKey]) -> list[StepRef]:
    """Returns the steps of locked pathways of which `planned` is true: read after the lock, as a step may
    have moved while we waited for it."""
    if not locked:
        return []
    query = select(_s.holder_id, _s.pathway_id, _s.id, _s.state)
    rows = tx.execute(query.where(planned, tuple_(_s.holder_id, _s.pathway_id).in_(locked)).order_by(_s.id))
    return [StepRef(row.holder_id, row.pathway_id, row.id, row.state) for row in rows]


def note_stage(tx: Transaction, step: StepRef, spent: RedemptionRef, stage: Stage) -> None:
    """Notes that a redemption came to `stage`, unless it is further already."""
    statement = upsert(step_redemptions).values(
        holder_id=step.holder,
        pathway_id=step.pathway,
        step_id=step.id,
        redemption=spent.redemption,
        session=spent.session,
        stage=stage,
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["holder_id", "pathway_id", "step_id", "redemption"],
            set_={"stage": func.greatest(step_redemptions.c.stage, statement.excluded.stage)},
        )
    )


def stages(tx: Transaction, found: Collection[StepRef]) -> dict[StepRef, list[Stage]]:
    """Returns the stages of the redemptions spent on steps, as they count; no steps on which none was."""
    s, r = pathway_steps.c, step_redemptions.c
    key = (r.holder_id, r.pathway_id, r.step_id)
    rows = tx.execute(
        select(*key, r.stage, is_cancelled(r.session).label("cancelled"))
        .join(pathway_steps, tuple_(*key) == tuple_(s.holder_id, s.pathway_id, s.id))
        .outerjoin(courses, courses.c.course == s.course)
        .where(tuple_(*key).in_([(step.holder, step.pathway, step.id) for step in found]))
    )
    by_key = {(step.holder, step.pathway, step.id): step for step in found}
    stages_of: dict[StepRef, list[Stage]] = defaultdict(list)
    for row in rows:
        step = by_key[row.holder_id, row.pathway_id, row.step_id]
        stages_of[step].append(counted(Stage(row.stage), cancelled=row.cancelled))
    return stages_of


def forget_redemptions(tx: Transaction, step: StepRef) -> None:
    """Forgets the redemptions of a step that is given another course."""
    tx.execute(delete(step_redemptions).where(*_redemptions_of(step)))


def move(tx: Transaction, step: StepRef, state: State) -> None:
    """Writes the state of a step of a locked pathway, whose etag changes with it."""
    tx.execute(update(pathway_steps).where(*_is(step)).values(state=state))
    tx.execute(
        update(pathways)
        .where(pathways.c.holder_id == step.holder, pathways.c.id == step.pathway)
        .values(version=pathways.c.version + 1, updated_at=tx.now, stalled_at=None)
    )


def _is(step: StepRef) -> Conditions:
    table = pathway_steps.c
    return table.holder_id == step.holder, table.pathway_id == step.pathway, table.id == step.id


def _redemptions_of(step: StepRef) -> Conditions:
    table = step_redemptions.c
    return table.holder_id == step.holder, table.pathway_id == step.pathway, table.step_id == step.id


def _sealed(vault: Vault, step_id: str, step: Step) -> bytes:
    said = Step()
    said.CopyFrom(step)
    for field in ("name", "course", "state", "course_standing", "session", "session_start_date"):
        said.ClearField(field)
    return vault.seal(pathway_steps, step_id, said)
