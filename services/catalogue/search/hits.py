"""Makes hits: what the index keeps of a course, with the next session and the reasons for this search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tantivy import DocAddress, Searcher
from waymark.catalogue.v1.course_pb2 import ListSessionsResponse, Session
from waymark.catalogue.v1.search_pb2 import (
    CourseHit,
    SearchCoursesRequest,
    SearchCoursesResponse,
    SearchReason,
)

from services.catalogue.search.directory import distance
from services.catalogue.search.documents import EPOCH
from services.catalogue.search.filters import Wanted
from services.catalogue.search.market import View

FOREVER = 10_000_000


def add_hits(
    response: SearchCoursesResponse,
    searcher: Searcher,
    found: Sequence[tuple[float, DocAddress]],
    request: SearchCoursesRequest,
    wanted: Wanted,
    view: View,
    *,
    corrected: bool,
) -> None:
    """Adds the hits to the response, in the order found."""
    for score, address in found:
        stored = searcher.doc(address)
        hit = response.hits.add()
        hit.MergeFromString(bytes(stored.get_first("hit") or b""))
        hit.score = score
        sessions = ListSessionsResponse.FromString(bytes(stored.get_first("sessions") or b"")).sessions
        upcoming = next_session(sessions, wanted)
        if upcoming is not None:
            hit.next_session.CopyFrom(upcoming)
        if wanted.near is not None:
            near = wanted.near
            located = [s.location for s in sessions if s.HasField("location")]
            hit.distance_km = min((distance(*near, at.latitude, at.longitude) for at in located), default=0.0)
        organisation = hit.organisation.rsplit("/", 1)[-1]
        hit.organisation_display_name = view.names.get(organisation, "")
        _reasons(hit, organisation, request, wanted, corrected=corrected)


def start_of(session: Session) -> int:
    """Returns the start as days since 1970-01-01; FOREVER for permanent entry."""
    if not session.HasField("start_date"):
        return FOREVER
    at = session.start_date
    return _ordinal(at.year, at.month, at.day) - EPOCH


def _ordinal(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal()


def next_session(sessions: Sequence[Session], wanted: Wanted) -> Session | None:
    """Returns the first session that fits:

    Not before the day looked from, not after the last day asked for.
    """
    for session in sessions:  # they are in order of start, permanent entry last
        start = start_of(session)
        if start < wanted.start_from or (wanted.start_to is not None and start > wanted.start_to):
            continue
        if start == FOREVER and session.HasField("end_date"):
            end = session.end_date
            if _ordinal(end.year, end.month, end.day) - EPOCH < wanted.start_from:
                continue
        return session
    return None


def _reasons(
    hit: CourseHit, organisation: str, request: SearchCoursesRequest, wanted: Wanted, *, corrected: bool
) -> None:
    add = hit.reasons.add
    if request.query.strip():
        kind = SearchReason.KIND_SIMILAR_WORDS if corrected else SearchReason.KIND_WORDS
        add(kind=kind, evidence=request.query.strip())
    short = wanted.shortages.by_isco or wanted.shortages.by_uri
    for tag in hit.occupations if short or request.occupations else ():
        if any(_covers(value, tag.uri, tag.isco_code) for value in request.occupations):
            add(kind=SearchReason.KIND_OCCUPATION, evidence=tag.uri)
        entry = wanted.shortages.of(tag.uri, tag.isco_code)
        if entry is not None and all(reason.evidence != entry[0] for reason in hit.reasons):
            add(kind=SearchReason.KIND_SHORTAGE, evidence=entry[0])
    if organisation in wanted.eligible:
        add(kind=SearchReason.KIND_VOUCHER_ELIGIBLE, evidence=hit.organisation)
    if wanted.near is not None:
        add(kind=SearchReason.KIND_NEAR, evidence=f"{hit.distance_km:.1f} km")
    if hit.next_session.HasField("start_date"):
        at = hit.next_session.start_date
        add(kind=SearchReason.KIND_STARTS, evidence=f"{at.year:04}-{at.month:02}-{at.day:02}")


def _covers(value: str, uri: str, isco_code: str) -> bool:
    return value == uri or (value.isdecimal() and isco_code.startswith(value))
