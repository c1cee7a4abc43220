"""Statements of delivery evidence; the bytes are in the object store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1.redemption_pb2 import DeliveryEvidence

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.store.evidence_tables import evidence
from services.vouchers.store.names import ids_among, last

BUCKET = "waymark-vouchers-evidence"
MAXIMUM = 20  # tickets for one redemption of which no bytes were handed in


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a piece of evidence; returns its row. Raises Refusal(EVIDENCE_LIMIT). Hold the redemption's
    lock."""
    waiting = (evidence.c.redemption_id == values["redemption_id"], evidence.c.verified_at.is_(None))
    count = select(func.count()).where(*waiting)
    if tx.execute(count).scalar_one() >= MAXIMUM:
        raise Refusal(reason_pb2.REASON_EVIDENCE_LIMIT)
    return tx.execute(insert(evidence).values(values).returning(evidence)).one()


def of_redemption(tx: Transaction, redemption_id: str, ids: list[str]) -> list[Row[Any]]:
    """Returns the pieces named; raises Refusal(NOT_FOUND) when one is not of this redemption."""
    statement = select(evidence).where(evidence.c.redemption_id == redemption_id, evidence.c.id.in_(ids))
    rows = list(tx.execute(statement))
    if len(rows) != len(set(ids)):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return rows


def handed_in(redemption: Row[Any], *, others: bool) -> Select[Any]:
    """Returns the statement for what was handed in with a redemption, or with the instalment that a part is.
    `others`: also what names other people, which is all but what shows completion."""
    whole = redemption.part_of or redemption.id
    statement = select(evidence).where(evidence.c.redemption_id == whole, evidence.c.verified_at.is_not(None))
    if redemption.part_of:
        statement = statement.where(evidence.c.id.in_([last(name) for name in redemption.evidence]))
    if not others:
        statement = statement.where(evidence.c.kind == DeliveryEvidence.KIND_COMPLETION)
    return statement


def mark_checked(tx: Transaction, evidence_id: str) -> None:
    """Notes that size, type and hash of the uploaded bytes were compared."""
    tx.execute(update(evidence).where(evidence.c.id == evidence_id).values(checked_at=tx.now))


def mark_verified(tx: Transaction, ids: list[str]) -> None:
    """Notes that checked pieces were handed in."""
    values = {"verified_at": tx.now, "returned_at": None}
    tx.execute(update(evidence).where(evidence.c.id.in_(ids)).values(values))


def send_back(tx: Transaction, redemption: Row[Any]) -> None:
    """Notes that the pieces of a delivery were sent back, so that they can be handed in again."""
    ids = [last(name) for name in redemption.evidence]
    tx.execute(update(evidence).where(evidence.c.id.in_(ids)).values(returned_at=tx.now))


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those of `keys` that rows refer to and that were not let go of, for the sweep."""
    known = select(evidence.c.id).where(evidence.c.id.in_(ids_among(keys)), evidence.c.let_go_at.is_(None))
    return set(tx.execute(known).scalars())
