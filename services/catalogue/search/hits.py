"""Makes hits: what the index keeps of a course, with the next session and the reasons for this search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from tantivy import DocAddress, Searcher
from waymark.catalogue.v1.search_pb2 import CourseHit, SearchReason

from services.catalogue.domain.distance import Degrees, distance
from services.catalogue.search.documents import EPOCH, KeptSession, kept_sessions
from services.catalogue.search.filters import Wanted
from services.catalogue.search.market import View
from services.catalogue.search.ways import FOREVER

Hits = RepeatedCompositeFieldContainer[CourseHit]


def add_hits(
    hits: Hits,
    searcher: Searcher,
    found: Sequence[tuple[float, DocAddress]],
    occupations: Sequence[str],
    wanted: Wanted,
    view: View,
    first: Sequence[SearchReason] = (),
) -> None:
    """Adds what was found to `hits`, in that order; `occupations`: those asked for, if any; `first`: reasons
    of each before any other."""
    near = wanted.near
    tags_matter = bool(wanted.shortages.by_isco or wanted.shortages.by_uri or occupations)
    for score, address in found:
        stored = searcher.doc(address)
        sessions = kept_sessions(stored)
        fitting = list(passing(sessions, wanted))
        upcoming = fitting[0] if fitting else None
        hit = hits.add()
        # Messages one after another are one message: a single parse makes the hit of what is kept.
        hit.MergeFromString(b"".join((stored.get_first("hit") or b"", upcoming.hit if upcoming else b"")))
        hit.score = score
        if near is not None:
            hit.distance_km = _nearest(near, fitting) or _nearest(near, sessions) or 0.0
        organisation = hit.organisation.rpartition("/")[2]
        if shown := view.shown.get(organisation):
            hit.organisation_display_name = shown.display_name
            hit.organisation_logo = shown.logo
        add = hit.reasons.add
        hit.reasons.extend(first)
        if tags_matter:
            _occupations(hit, occupations, wanted)
        if organisation in wanted.eligible:
            hit.quality_marks.extend(view.marks_on(wanted.as_of, organisation))
            add(kind=SearchReason.KIND_VOUCHER_ELIGIBLE, evidence=hit.organisation)
        if near is not None:
            add(kind=SearchReason.KIND_NEAR, evidence=f"{hit.distance_km:.1f} km")
        if upcoming is not None and upcoming.start != FOREVER:
            add(kind=SearchReason.KIND_STARTS, evidence=_iso(upcoming.start))


def put_first(hit: CourseHit, reasons: Sequence[SearchReason]) -> None:
    """Puts reasons before those that a hit has."""
    others = list(hit.reasons)
    del hit.reasons[:]
    hit.reasons.extend([*reasons, *others])


def passing(sessions: Iterable[KeptSession], wanted: Wanted) -> Iterator[KeptSession]:
    """Yields the sessions that fit, in their order: they are as asked, can be booked on the day looked from,
    and begin, or can be entered, from the first day asked for to the last."""
    day, first, last = wanted.as_of.toordinal() - EPOCH, wanted.start_from, wanted.start_to
    for session in sessions:
        if session.start == FOREVER:
            fits = session.until >= first and (last is None or first <= last)
        else:
            fits = session.until >= day and first <= session.start and (last is None or session.start <= last)
        if fits and (not wanted.fit.asked or wanted.fit.met_by(session.facts)):
            yield session


def _nearest(near: Degrees, sessions: Iterable[KeptSession]) -> float | None:
    """Returns kilometres to the nearest session; None where no place is known of any."""
    located = (each for each in sessions if not math.isnan(each.latitude))
    return min((distance(*near, each.latitude, each.longitude) for each in located), default=None)


def _occupations(hit: CourseHit, occupations: Sequence[str], wanted: Wanted) -> None:
    """Adds the reasons that lie in the occupations of a course."""
    add = hit.reasons.add
    for tag in hit.occupations:
        if any(_covers(value, tag.uri, tag.isco_code) for value in occupations):
            add(kind=SearchReason.KIND_OCCUPATION, evidence=tag.uri)
        entry = wanted.shortages.of(tag.uri, tag.isco_code)
        if entry is not None and all(reason.evidence != entry[0] for reason in hit.reasons):
            add(kind=SearchReason.KIND_SHORTAGE, evidence=entry[0])


@lru_cache(4096)  # days; a search shows the same ones again and again
def _iso(start: int) -> str:
    return date.fromordinal(start + EPOCH).isoformat()


def _covers(value: str, uri: str, isco_code: str) -> bool:
    return value == uri or (value.isdecimal() and isco_code.startswith(value))
