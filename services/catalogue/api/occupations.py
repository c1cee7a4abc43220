"""OccupationService: one page out of taxonomy, figures, assessments, lists, programmes and the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

from waymark.catalogue.v1 import occupation_pb2 as pb
from waymark.catalogue.v1 import occupation_pb2_grpc
from waymark.catalogue.v1.exposure_pb2 import Exposure
from waymark.catalogue.v1.search_pb2 import SEARCH_ORDER_NEXT_START, SearchCoursesRequest
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.assessments import roll_ups
from services.catalogue.api.messages import put_date
from services.catalogue.api.observations import observation_message, source_message
from services.catalogue.api.paying_programmes import Entries, paying_programmes
from services.catalogue.api.search import from_indexes
from services.catalogue.api.shortage_versions import entry_message
from services.catalogue.api.taxonomies import concept_message
from services.catalogue.app import CatalogueApp
from services.catalogue.domain import shortage, skill_levels
from services.catalogue.domain.shortage import Occupation, Validity
from services.catalogue.search import search
from services.catalogue.store import observations, shortage_lists, taxonomies
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query

MOST = 50  # versions shown
MOST_PROGRAMMES = 100
MOST_COURSES = 5


class OccupationApi(occupation_pb2_grpc.OccupationServiceServicer):
    """Pages of occupations."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @query
    def GetOccupationPage(self, tx: Transaction, request: pb.GetOccupationPageRequest) -> pb.OccupationPage:
        found = taxonomies.find(tx.connection, request.occupation)
        if found is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND, "No imported taxonomy has this occupation.")
        concept, labels = found
        book = self.app.shortages
        book.check_region(*book.view(), request.nuts_code, "nuts_code")
        occupation = Occupation(concept.uri if concept.scheme == taxonomies.ESCO else "", concept.isco_code)
        page = pb.OccupationPage(nuts_code=request.nuts_code, concept=concept_message(concept, labels))
        _add_level(page, occupation)
        _add_figures(tx, page, occupation)
        name = occupation.uri or occupation.isco_code
        page.roll_ups.extend(roll_ups(tx, name, _regions(request.nuts_code)))
        _add_lists(tx, page, occupation)
        self._add_courses(page, occupation)
        put_date(page.date, tx.today)
        return page

    def _add_courses(self, page: pb.OccupationPage, occupation: Occupation) -> None:
        """Counts the courses that can be booked and shows some of the place; leaves it while there is no
        index."""
        wanted = SearchCoursesRequest(occupations=[occupation.uri or occupation.isco_code])
        here = SearchCoursesRequest(nuts_code=page.nuts_code, order_by=SEARCH_ORDER_NEXT_START)
        here.MergeFrom(wanted)
        try:
            anywhere, local = from_indexes(
                self.app,
                lambda i: [
                    search.search(request, i.courses, None, i.market, 0, size).response
                    for request, size in ((wanted, 1), (here, MOST_COURSES))
                ],
            )
        except Refusal as refusal:
            if refusal.reason != reason_pb2.REASON_SEARCH_NOT_READY:
                raise
            return
        page.course_count, page.local_course_count = anywhere.total_size, local.total_size
        page.courses.extend(local.hits)
        self.app.exposures.add(self.app.market.view().today, Exposure.KIND_FILTERS, local.hits)


def _regions(nuts_code: str) -> list[str]:
    """The nation, and each region below it down to the place."""
    return [nuts_code[:length] for length in range(2, len(nuts_code) + 1)]


def _add_level(page: pb.OccupationPage, occupation: Occupation) -> None:
    levels = skill_levels.skill_levels(occupation.isco_code)
    if levels:
        page.required_level.skill_levels.extend(levels)
        page.required_level.isced_levels.extend(skill_levels.isced_levels(levels))
        page.required_level.source = skill_levels.SOURCE


def _add_figures(tx: Transaction, page: pb.OccupationPage, occupation: Occupation) -> None:
    names = [name for name in (occupation.uri, occupation.isco_code) if name]
    rows = observations.latest(tx.connection, names, _regions(page.nuts_code))
    page.observations.extend(map(observation_message, rows))
    found = observations.sources(tx.connection, {row.source_id for row in rows})
    page.sources.extend(map(source_message, found))


def _add_lists(tx: Transaction, page: pb.OccupationPage, occupation: Occupation) -> None:
    """Adds the lists that it is and was on, and the programmes that go by them or by none."""
    published = shortage_lists.published(tx.connection)
    codes = [occupation.isco_code[:length] for length in range(1, len(occupation.isco_code) + 1)]
    entries = shortage_lists.everywhere(tx.connection, occupation.uri, codes)
    page.shortages.extend(_shortages(published, entries, occupation, page.nuts_code, tx.today))
    programmes = paying_programmes(tx, published, entries, occupation, page.nuts_code)
    page.paying_programmes.extend(islice(programmes, MOST_PROGRAMMES))


def _shortages(
    published: Mapping[str, list[Validity]],
    entries: Entries,
    occupation: Occupation,
    place: str,
    today: date,
) -> Iterator[pb.OccupationShortage]:
    versions = [(list_id, version) for list_id, found in published.items() for version in found]
    versions.sort(key=lambda each: (each[1].valid_from, each[0], each[1].number), reverse=True)
    for list_id, version in versions[:MOST]:
        entry = shortage.best(entries.get((list_id, version.number), []), occupation, place)
        in_force = shortage.in_force(published[list_id], today) == version
        yield _shortage(list_id, version, in_force, entry)


def _shortage(list_id: str, version: Validity, in_force: bool, entry: Any) -> pb.OccupationShortage:
    answer = pb.OccupationShortage(
        version=f"shortageLists/{list_id}/versions/{version.number}", in_force=in_force
    )
    put_date(answer.valid_from, version.valid_from)
    put_date(answer.valid_to, version.valid_to)
    if entry is not None:
        answer.entry.CopyFrom(entry_message(list_id, version.number, entry))
    return answer
