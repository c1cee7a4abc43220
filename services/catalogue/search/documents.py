"""Makes index documents of courses."""

from __future__ import annotations

import math
import struct
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple, cast

import tantivy
from tantivy import FieldType, Query
from waymark.catalogue.v1.search_pb2 import CourseHit

from services.catalogue.api.courses import session_message, tag_message
from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.search import places, ways
from services.catalogue.search.schema import CURRENCIES, PLAIN, TITLE, columns, field_language, prepared
from services.catalogue.search.ways import FOREVER, NEVER, SessionFacts
from services.catalogue.search.words import between

EPOCH = date(1970, 1, 1).toordinal()
ITSELF = "itself"
SUMMARY = 300  # characters
_KEPT = struct.Struct("<iiddqB8s5s3s")  # start, last day to book, latitude, longitude, and the other facts
_HEAD = struct.Struct("<iidd")  # those of them that are always looked at


class KeptSession(NamedTuple):
    """A session as the index keeps it: what chooses among sessions can be read without parsing a message.

    `start`, `until` and the place are as in `SessionFacts`; `kept`: all of it.
    """

    start: int
    until: int
    latitude: float
    longitude: float
    kept: bytes

    @property
    def hit(self) -> bytes:
        """A serialized CourseHit with the session as `next_session`, to be merged into the hit shown."""
        return self.kept[_KEPT.size :]

    @property
    def facts(self) -> SessionFacts:
        """What a search asks of sessions."""
        start, until, latitude, longitude, cents, mode, *texts = _KEPT.unpack_from(self.kept)
        language, nuts, currency = (text.rstrip(b"\0").decode() for text in texts)
        return SessionFacts(mode, language, nuts, latitude, longitude, start, until, currency, cents)


def days(iso: str) -> int:
    """Returns an ISO date as days since 1970-01-01."""
    return date.fromisoformat(iso).toordinal() - EPOCH


def document(row: Any, today: date) -> tantivy.Document:
    """Returns the index document for a row of `courses`, as it is up to the first day after `today` on which
    a session cannot be booked any more: `outdated` says of which documents that day has come."""
    state = courses.taking_place(row.document)  # nobody finds a course by a session that is cancelled
    made = tantivy.Document()
    made.add_text("id", row.id)
    made.add_text("organisation", row.organisation_id)
    if row.same_as is None:
        made.add_text("stands_for", ITSELF)
    made.add_text("kind", state["kind"])
    made.add_unsigned("eqf", state["eqf_level"] or 0)
    for field, key in (("target_group", "target_groups"), ("territory", "territories")):
        for tag in state.get(key, []):
            made.add_text(field, tag)
    _texts(made, state)
    _occupations(made, state)
    for tag in row.skills.get("tags", ()):
        made.add_text("uri", tag["uri"])
    for uri in row.skills.get("refused", ()):
        made.add_text("refused", uri)
    sessions = sorted(courses.sessions(state), key=courses.session_order)
    found = _sessions(made, sessions, today)
    _taught(made, found or state["offerings"])
    ways.put(made, ways.ways(map(_facts, found)))
    made.add_bytes("hit", _hit(row, state).SerializeToString())
    for session in sessions:
        made.add_bytes("session", _kept(row.id, session))
    return made


def kept_sessions(stored: tantivy.Document) -> list[KeptSession]:
    """Returns the sessions of a stored document in order of start, permanent entry last."""
    return [
        KeptSession(start, until, latitude, longitude, kept)
        for kept in cast("list[bytes]", stored.get_all("session"))
        for start, until, latitude, longitude in (_HEAD.unpack_from(kept),)
    ]


def _facts(session: Document) -> SessionFacts:
    return SessionFacts(
        session["mode"],
        session["language"],
        session.get("nuts", ""),
        session.get("lat", math.nan),
        session.get("lon", math.nan),
        days(session["start"]) if "start" in session else FOREVER,
        days(courses.last_day(session)),
        session.get("currency", ""),
        session.get("cents", -1),
    )


def _kept(course: str, session: Document) -> bytes:
    mode, language, nuts, latitude, longitude, start, until, currency, cents = _facts(session)
    texts = (text.encode() for text in (language, nuts, currency))
    return (
        _KEPT.pack(start, until, latitude, longitude, cents, mode, *texts)
        + CourseHit(next_session=session_message(course, session)).SerializeToString()
    )


def _texts(made: tantivy.Document, state: Document) -> None:
    subjects = " ".join(state["subjects"])
    labels = " ".join(tag["label"] for tag in state["occupations"])
    parts = " ".join(module["title"] for module in state.get("modules", []))
    for language, title in state["titles"].items():
        field = field_language(language)
        made.add_text(f"title_{field}", prepared(title, field))
        made.add_text(TITLE, title)
        made.add_text(PLAIN, title)
        made.add_text(f"text_{field}", prepared(f"{subjects} {labels} {parts}", field))
    for language, text in state["descriptions"].items():
        field = field_language(language)
        made.add_text(f"text_{field}", prepared(text, field))
    made.add_text(PLAIN, f"{subjects} {labels}")


def _occupations(made: tantivy.Document, state: Document) -> None:
    for code in courses.isco_prefixes(state):
        made.add_text("isco", code)
    _counted(made, "isco4", {tag["isco"] for tag in state["occupations"] if len(tag["isco"]) == 4})
    for tag in state["occupations"]:
        made.add_text("uri", tag["uri"])


def _counted(made: tantivy.Document, name: str, values: Collection[str]) -> None:
    """Puts the values of a field where they are counted: see `schema.SPLIT`."""
    one, several = columns(name)
    made.add_text(one, "".join(values) if len(values) == 1 else "")
    for value in values if len(values) > 1 else ():
        made.add_text(several, value)


def outdated(today: date) -> Query:
    """Returns what finds the documents that hold a session one could still book when they were made, and
    cannot today."""
    return between("first_over", FieldType.Integer, None, days(today.isoformat()) - 1)


def _taught(made: tantivy.Document, found: list[Document]) -> None:
    """Puts in how and in which languages sessions are taught, or offerings that have none."""
    modes = {each["mode"] for each in found} - {0}
    for mode in modes:
        made.add_unsigned("mode", mode)
    _counted(made, "mode", list(map(str, modes)))
    languages = {each["language"] for each in found} - {""}
    for language in languages:
        made.add_text("language", language)
    _counted(made, "language", languages)


def _sessions(made: tantivy.Document, every: list[Document], today: date) -> list[Document]:
    """Puts in what a course is found by that is said of its sessions: of those that can be booked, where
    there are any; else of all, for who looks for what cannot be booked as well. Returns these sessions."""
    made.add_integer("bookable_until", days(max(map(courses.last_day, every))) if every else NEVER)
    sessions = [each for each in every if courses.bookable(each, today)]
    if sessions:
        made.add_integer("first_over", days(min(map(courses.last_day, sessions))))
    sessions = sessions or every
    entries = [courses.last_day(each) for each in sessions if "start" not in each]
    if entries:
        made.add_integer("enter_until", days(max(entries)))
    _begun(made, sessions)
    _located(made, sessions)
    for currency in CURRENCIES:
        prices = [s["cents"] for s in sessions if s.get("currency") == currency]
        if prices:
            made.add_unsigned(f"price_{currency}", min(prices))
    return sessions


def _begun(made: tantivy.Document, sessions: list[Document]) -> None:
    starts = {session["start"] for session in sessions if "start" in session}
    for start in starts:
        made.add_integer("start", days(start))
    for month in {start[:7] for start in starts}:
        made.add_text("start_month", month)


def _located(made: tantivy.Document, sessions: list[Document]) -> None:
    regions = courses.nuts_prefixes(session["nuts"] for session in sessions if "nuts" in session)
    for code in regions:
        made.add_text("nuts", code)
    smallest = max(regions, key=len, default="")
    _counted(made, "nuts", [smallest] if regions == courses.nuts_prefixes([smallest]) else regions)
    where = {places.term(s["lat"], s["lon"]) for s in sessions if "lat" in s}
    for town in {places.town(s["town"], s["lat"], s["lon"]) for s in sessions if "lat" in s and "town" in s}:
        made.add_text("town", town)
    for place in where:
        made.add_text("place", place)
    for cell in {cell for place in where for cell in places.cells(place)}:
        made.add_text("cell", cell)


def _hit(row: Any, state: Document) -> CourseHit:
    """Returns what a search shows of a course, as far as it does not depend on the search."""
    return CourseHit(
        course=f"courses/{row.id}",
        titles=state["titles"],
        summaries={language: text[:SUMMARY] for language, text in state["descriptions"].items()},
        organisation=f"organisations/{row.organisation_id}",
        kind=state["kind"],
        eqf_level=state["eqf_level"],
        modes=sorted({offering["mode"] for offering in state["offerings"]} - {0}),
        instruction_languages=sorted({offering["language"] for offering in state["offerings"]} - {""}),
        occupations=map(tag_message, state["occupations"]),
    )
