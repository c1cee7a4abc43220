"""Statements that take an import of figures back: what it replaced is kept until the next import of its
source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, extract, insert, literal, select, union
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.market_tables import (
    observation_former,
    observation_staged,
    observations,
)
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations.store import OPEN, State
from services.platform.operations.table import operations

KIND, UNDO = "observation_import", "observation_undo"
_o, _s, _f, _w = observations.c, observation_staged.c, observation_former.c, operations.c
_NAMES = [column.name for column in observations.columns]
_KEYS = [column.name for column in observations.primary_key]
_STAGED = [name for name in _KEYS if name != "source_id"]


def keep_former(tx: Transaction, import_id: str, source: str, measure: int, year: int) -> None:
    """Keeps the figures that an import is about to replace in a measure and year."""
    replaced = (
        select(literal(import_id, _f.undo_id.type), *(_o[name] for name in _NAMES))
        .join(observation_staged, _same())
        .where(_s.import_id == import_id, *_slice(_o, source, measure, year))
    )
    tx.execute(insert(observation_former).from_select(["undo_id", *_NAMES], replaced))


def _same() -> Any:
    first, *others = (_o[name] == _s[name] for name in _STAGED)
    for each in others:
        first &= each
    return first


def forget_former(tx: Transaction, source: str, import_id: str) -> None:
    """Forgets what earlier imports of a source have replaced, now that this one begins."""
    earlier = (_f.source_id == source, _f.undo_id != import_id)
    tx.execute(delete(observation_former).where(*earlier))


def check(tx: Transaction, row: Row[Any]) -> None:
    """Raises Refusal WRONG_STATE or OBSERVATION_IMPORT_NOT_NEWEST unless an import can be taken back."""
    refuse_while_undone(tx, row.argument["source"])
    undone = state(tx, row.id) == State.SUCCEEDED
    if row.state not in (State.SUCCEEDED, State.FAILED) or row.argument["dry_run"] or undone:
        name = "UNDONE" if undone else "DRY_RUN" if row.argument["dry_run"] else State(row.state).name
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": name, "needed": "SUCCEEDED"})
    later = tx.execute(
        select(_w.id)
        .where(_w.kind == KIND, _w.argument["source"].astext == row.argument["source"])
        .where(_w.argument["dry_run"].astext == "false", _w.created_at > row.created_at)
        .order_by(_w.created_at.desc())
    ).scalar()
    if later is not None:
        metadata = {"observation_import": f"observationImports/{later}"}
        raise Refusal(reason_pb2.REASON_OBSERVATION_IMPORT_NOT_NEWEST, metadata=metadata)


def refuse_while_undone(tx: Transaction, source: str) -> None:
    """Raises Refusal(WRONG_STATE) while an import of a locked source is being taken back."""
    of_source = _w.argument["source"].astext == source
    if tx.execute(select(_w.id).where(_w.kind == UNDO, of_source, _w.state.in_(OPEN))).first():
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "UNDOING", "needed": "IDLE"})


def state(tx: Transaction, import_id: str) -> int:
    """Returns the state of the work that takes an import back; 0 without any."""
    undone = select(_w.state).where(_w.kind == UNDO, _w.argument["import"].astext == import_id)
    return int(tx.execute(undone.order_by(_w.created_at.desc()).limit(1)).scalar() or 0)


def next_slice(tx: Transaction, import_id: str, source: str) -> tuple[int, int] | None:
    """Returns measure and year of what is to be taken back next."""
    left = union(
        select(_o.measure, extract("year", _o.first_day).label("year")).where(
            _o.source_id == source, _o.import_id == import_id
        ),
        select(_f.measure, extract("year", _f.first_day)).where(_f.undo_id == import_id),
    ).subquery()
    row = tx.execute(select(left).order_by(left.c.measure, left.c.year).limit(1)).first()
    return (row.measure, int(row.year)) if row else None


def restore(tx: Transaction, import_id: str, source: str, measure: int, year: int) -> None:
    """Takes back what an import brought in a measure and year, and puts there what it replaced."""
    brought = (_o.import_id == import_id, *_slice(_o, source, measure, year))
    tx.execute(delete(observations).where(*brought))
    former = (_f.undo_id == import_id, *_slice(_f, source, measure, year))
    kept = select(*(_f[name] for name in _NAMES)).where(*former)
    putting = upsert(observations).from_select(_NAMES, kept)
    fresh = {name: putting.excluded[name] for name in _NAMES if name not in _KEYS}
    tx.execute(putting.on_conflict_do_update(index_elements=list(observations.primary_key), set_=fresh))
    tx.execute(delete(observation_former).where(*former))


def _slice(columns: Any, source: str, measure: int, year: int) -> Sequence[Any]:
    within = columns.first_day.between(date(year, 1, 1), date(year, 12, 31))
    return columns.source_id == source, columns.measure == measure, within
