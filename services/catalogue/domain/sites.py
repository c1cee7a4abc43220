"""Sites of organisations, and which sessions are held at one: a session says where it is, but names none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.courses import Document, bookable, is_cancelled, sessions
from services.catalogue.domain.labels import normal
from services.platform.errors import Refusal


@dataclass(frozen=True)
class Place:
    """Where a site or a session is; either may be empty."""

    postal_code: str
    town: str

    def is_at(self, other: Place) -> bool:
        """True for the same postcode or, where one of them says none, the same town."""
        if self.postal_code and other.postal_code:
            return _code(self.postal_code) == _code(other.postal_code)
        return bool(self.town) and normal(self.town) == normal(other.town)


def check_unused(
    site: Place, others: Iterable[Place], courses: Iterable[tuple[str, Document]], today: date
) -> None:
    """Raises Refusal(SITE_IN_USE) where sessions that can be booked are at the site, and at no other one of
    the organisation. `courses`: its courses, id and document as far as `offerings`."""
    elsewhere = list(others)
    used = [
        course
        for course, document in courses
        for session in sessions(document)
        if not is_cancelled(session) and bookable(session, today)
        if (place := Place(session.get("postcode", ""), session.get("town", ""))).is_at(site)
        if not any(place.is_at(other) for other in elsewhere)
    ]
    if used:
        named = {"course": f"courses/{used[0]}", "session_count": str(len(used))}
        raise Refusal(reason_pb2.REASON_SITE_IN_USE, metadata=named)


def check_in_use(in_use: bool, *, wanted: bool) -> None:
    """Raises Refusal(WRONG_STATE) for a site that is removed but should be in use, or the other way round."""
    if in_use != wanted:
        state, needed = ("IN_USE", "REMOVED") if in_use else ("REMOVED", "IN_USE")
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": needed})


def _code(text: str) -> str:
    return normal(text).replace(" ", "")
