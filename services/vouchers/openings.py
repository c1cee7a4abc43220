"""Openings: announcing one with its commitment, and whether an application belongs to its draw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.assessment import Assessment
from services.vouchers.domain import draw
from services.vouchers.domain.draw import OpeningState, Phase
from services.vouchers.domain.notes import Notes
from services.vouchers.domain.programme import Version
from services.vouchers.domain.states import ApplicationState
from services.vouchers.domain.waiting import LACKING
from services.vouchers.store import applications, openings, programmes

SOON = timedelta(seconds=10)  # when to ask again while a draw is under way


def announce(tx: Transaction, notes: Notes, version: Row[Any]) -> None:
    """Makes the opening of a version that is being activated, where its rules have one: the seed is made and
    sealed, its SHA-256 is published. Raises Refusal(OPENING_NOT_POSSIBLE)."""
    rules = ParseDict(version.rules, Version())
    if not rules.HasField("opening_rule"):
        return
    opens, closes = draw.window(rules.opening_rule)
    programmes.lock(tx, version.programme_id)
    if tx.now >= opens or openings.standing(tx, version.programme_id) is not None:
        raise Refusal(reason_pb2.REASON_OPENING_NOT_POSSIBLE)
    seed = draw.new_seed()
    values = {
        "programme_id": version.programme_id,
        "number": version.number,
        "open_at": opens,
        "close_at": closes,
        "seed_sha256": draw.commitment(seed),
        "sealed_seed": notes.seal(name_of(version), seed.hex()),
        "created_at": tx.now,
    }
    openings.add(tx, values)


def collecting(tx: Transaction, programme_id: str) -> Row[Any] | None:
    """Returns the opening whose draw an application of now belongs to; None when it is decided at once.

    Call it before anything else is locked. Raises Refusal: OPENING_NOT_YET, OPENING_CLOSED.
    """
    row = openings.standing(tx, programme_id)
    if row is None:
        return None
    phase = draw.phase(OpeningState(row.state), row.open_at, row.close_at, tx.now)
    if phase is Phase.OPEN:
        return row
    metadata = {
        "opening": name_of(row),
        "openTime": f"{row.open_at:%Y-%m-%dT%H:%M:%SZ}",
        "closeTime": f"{row.close_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    if phase is Phase.CLOSED:
        raise Refusal(reason_pb2.REASON_OPENING_CLOSED, metadata=metadata, retry_after=SOON)
    if programmes.get(tx, programme_id).active_number != row.number:
        return None  # until then an earlier version without a window decides
    wait = row.open_at - tx.now
    raise Refusal(reason_pb2.REASON_OPENING_NOT_YET, metadata=metadata, retry_after=wait)


def certainly_refused(found: Assessment) -> bool:
    """True when something else than money speaks against a grant, whatever the draw says."""
    state, codes = found.decision.state
    return state is ApplicationState.REFUSED and set(codes) != set(LACKING)


def collect(tx: Transaction, opening: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Stores an application, with what would be decided now (`values`), for the draw; returns its row. Hold
    the learner's lock. Raises Refusal(APPLICATION_OPEN) for a second one of a person."""
    before = openings.application_of(tx, opening, values["learner"])
    if before:
        metadata = {"application": f"applications/{before}"}
        raise Refusal(reason_pb2.REASON_APPLICATION_OPEN, metadata=metadata)
    collected = {**values, "state": int(ApplicationState.IN_DRAW), "reason_codes": []}
    row = applications.add(tx, collected)
    openings.collect(tx, opening, row)
    return row


def name_of(row: Row[Any]) -> str:
    """Returns the resource name of an opening."""
    return f"programmes/{row.programme_id}/openings/{row.number}"
