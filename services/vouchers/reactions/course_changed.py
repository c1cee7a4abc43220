"""CourseChanged: what can be booked, at which price, and what was cancelled."""

from __future__ import annotations

from datetime import date
from typing import Any

from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.api.convert import date_of
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import cents_of
from services.vouchers.store import offers


def course_changed(
    _app: VouchersApp, tx: Transaction, event: events_pb2.CourseChanged, _info: EventInfo
) -> None:
    """Keeps the course as told; an older version than the one kept changes nothing. What was reserved for a
    session that is cancelled a job releases, in transactions of its own: each locks a chain of the ledger."""
    values = {
        "name": event.course,
        "version": event.version,
        "removed": event.removed,
        "organisation": event.organisation,
        "kind": event.kind,
        "eqf_level": event.eqf_level,
        "occupations": [[occupation.uri, occupation.isco_code] for occupation in event.occupations],
        "isced_f": list(event.isced_f_codes),
        "titles": dict(event.titles),
    }
    offers.put_course(tx, values, [_session(tx, event.course, session) for session in event.sessions])


def _session(tx: Transaction, course: str, session: events_pb2.SessionRef) -> dict[str, Any]:
    priced = session.HasField("price")
    return {
        "name": session.session,
        "course": course,
        "listed": not session.cancelled,
        "cancelled": session.cancelled,
        "release_from": tx.now if session.cancelled else None,
        **{name: _day(session, name) for name in ("start_date", "end_date", "apply_until")},
        "price_cents": cents_of(session.price) if priced else None,
        "currency": session.price.currency_code if priced else "",
        "nuts_code": session.nuts_code,
    }


def _day(session: events_pb2.SessionRef, name: str) -> date | None:
    return date_of(getattr(session, name), "session") if session.HasField(name) else None  # type: ignore[arg-type]
