"""Organisations and sources that are closed: they stay to be read, and nothing more comes of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

REOPENED_WITHIN = timedelta(days=30)  # after that copies and learners have long gone by the closing


def check_open(close_time: datetime | None) -> None:
    """Raises Refusal(WRONG_STATE) for what was closed."""
    if close_time is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "CLOSED", "needed": "OPEN"})


def check_reopening(close_time: datetime | None, now: datetime) -> None:
    """Raises Refusal: WRONG_STATE for what is open, REOPENING_TOO_LATE for what was closed too long ago."""
    if close_time is None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "OPEN", "needed": "CLOSED"})
    last = close_time + REOPENED_WITHIN
    if now > last:
        raise Refusal(reason_pb2.REASON_REOPENING_TOO_LATE, metadata={"last_time": last.isoformat()})


def check_restored(restoring_since: datetime | None) -> None:
    """Raises Refusal(WRONG_STATE) while courses come back that an earlier closing had removed."""
    if restoring_since is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "REOPENING", "needed": "OPEN"})
