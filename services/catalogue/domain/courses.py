"""Courses as one document: what the feed says, what a person corrected, and what is served.

Documents are plain dictionaries, because they travel as JSON between parser, database and index. Keys:
`titles`, `descriptions` (language → text), `kind`, `eqf_level`, `url`, `subjects`, `occupations` (see `tag`),
`offerings` (`mode`, `language`, `sessions`); a session has `id`, `external_id` and, where known, `start`,
`end`, `apply_from`, `apply_until` (ISO dates), `currency` with `cents`, `nuts`, `town`, `postcode`, `lat`
with `lon` (`derived` from a table of places where the partner gives none), `capacity`, and `cancelled` where
it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

Document = dict[str, Any]

FIELDS = (
    *("titles", "descriptions", "kind", "eqf_level", "url", "subjects", "occupations", "offerings"),
    *("modules", "target_groups", "territories", "awarding_body"),
)
CANCELLED = "cancelled_sessions"  # a correction that is no field: ids of sessions that do not take place
CORRECTABLE = ("titles", "descriptions", "kind", "eqf_level", "url", "occupations", CANCELLED)
MAX_SESSIONS = 500
_ISCED_F = re.compile(r"ISCED-F (\d{2,4})", re.ASCII)
ALWAYS = "9999-12-31"  # start of a session one can enter at any time, where an order is needed


def course_id(source_id: str, external_id: str) -> str:
    """Returns the id of a course: it follows from source and partner's id alone (UUIDv5)."""
    return _uuid5(source_id, external_id)


def session_id(course: str, external_id: str) -> str:
    """Returns the id of a session: it follows from course and partner's id alone (UUIDv5)."""
    return _uuid5(course, external_id)


def _uuid5(namespace: str, name: str) -> str:
    """Returns a name-based UUID (RFC 9562, version 5) as text; `uuid.uuid5` takes five times as long, and an
    import needs two a record."""
    given = bytes.fromhex(namespace.replace("-", "")) + name.encode()
    found = hashlib.sha1(given, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


def amount(cents: int) -> str:
    """Returns cents as an amount, `1250.50`."""
    return f"{cents // 100}.{cents % 100:02}"


def tag(uri: str, isco: str, label: str, origin: int, confidence: float, version: str) -> Document:
    """Returns an occupation tag; `origin` is a value of TagOrigin."""
    return {
        "uri": uri,
        "isco": isco,
        "label": label,
        "origin": origin,
        "confidence": round(confidence, 3),
        "version": version,
    }


def corrected(imported: Document, corrections: Mapping[str, Any]) -> Document:
    """Returns the document as served: the feed's, with corrected fields in place of its own, and with those
    sessions cancelled that a person has said are."""
    values = {field: correction["value"] for field, correction in corrections.items()}
    cancelled = values.pop(CANCELLED, ())
    document = {**imported, **values} if values else imported
    return _with_sessions(document, lambda each: _cancel(each, cancelled)) if cancelled else document


def taking_place(document: Document) -> Document:
    """Returns the document without its cancelled sessions, where it has such, and then without offerings that
    have none at all."""
    if not any(map(is_cancelled, sessions(document))):
        return document
    left = _with_sessions(document, lambda each: None if is_cancelled(each) else each)
    return {**left, "offerings": [offering for offering in left["offerings"] if offering["sessions"]]}


def is_cancelled(session: Document) -> bool:
    """True when its provider, or a person who has corrected the feed, says that it does not take place."""
    return bool(session.get("cancelled", False))


def _cancel(session: Document, ids: Collection[str]) -> Document:
    return {**session, "cancelled": True} if session["id"] in ids else session


def _with_sessions(document: Document, change: Callable[[Document], Document | None]) -> Document:
    """Returns the document with each session as changed; None leaves it out."""
    offerings = [
        {**offering, "sessions": [new for each in offering["sessions"] if (new := change(each)) is not None]}
        for offering in document["offerings"]
    ]
    return {**document, "offerings": offerings}


def sessions(document: Document) -> Iterator[Document]:
    """Yields every session, with the `mode` and `language` of its offering put in."""
    for offering in document["offerings"]:
        for session in offering["sessions"]:
            yield {**session, "mode": offering["mode"], "language": offering["language"]}


def as_told(session: Document) -> Document:
    """Returns a session as its partner tells of it: without coordinates that are derived."""
    if not session.get("derived"):
        return session
    return {key: value for key, value in session.items() if key not in ("lat", "lon", "derived")}


def session_order(session: Document) -> tuple[str, str]:
    """Order of sessions: start, then id; permanent entry last."""
    return session.get("start", ALWAYS), session["id"]


def last_day(session: Document) -> str:
    """Returns the last day on which one can still book it (ISO 8601): that of its start, or of its end where
    one enters at any time, or before that the last day to enrol; ALWAYS where nothing ends it."""
    begins = session["start"] if "start" in session else session.get("end", ALWAYS)
    return str(min(begins, session.get("apply_until", ALWAYS)))


def bookable(session: Document, day: date) -> bool:
    """True when one can still book it on `day`."""
    return last_day(session) >= day.isoformat()


def isco_prefixes(document: Document) -> set[str]:
    """Returns every ISCO-08 code, of one to four digits, that covers one of the tags."""
    return {
        isco[:length]
        for isco in (tag["isco"] for tag in document["occupations"])
        for length in range(1, len(isco) + 1)
    }


def isced_f(document: Document) -> list[str]:
    """Returns the ISCED-F codes among the subjects, each once."""
    found = (_ISCED_F.fullmatch(subject) for subject in document["subjects"])
    return list(dict.fromkeys(each[1] for each in found if each))


def nuts_prefixes(codes: Iterable[str]) -> set[str]:
    """Returns every NUTS code, of two characters or more, that covers one of `codes`."""
    return {code[:length] for code in codes for length in range(2, len(code) + 1)}
