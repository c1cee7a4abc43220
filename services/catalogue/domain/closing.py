"""Organisations and sources that are closed: they stay to be read, and nothing more comes of them."""

from __future__ import annotations

from datetime import datetime

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


def check_open(close_time: datetime | None) -> None:
    """Raises Refusal(WRONG_STATE) for what was closed."""
    if close_time is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "CLOSED", "needed": "OPEN"})
