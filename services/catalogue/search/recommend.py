"""Courses for a gap in skills: those that teach most of them first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tantivy import DocAddress, Searcher
from waymark.catalogue.v1.search_pb2 import (
    CoveredSkill,
    Recommendation,
    RecommendCoursesRequest,
    RecommendCoursesResponse,
    SearchCoursesRequest,
    SearchCoursesResponse,
)

from services.catalogue.api.messages import last
from services.catalogue.search import words
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.filters import Wanted, understand
from services.catalogue.search.hits import add_hits
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import Market, View
from services.catalogue.search.meaning import points, teaching
from services.catalogue.store.taxonomies import LabelRow
from services.platform.errors import invalid

SIZE = 10
MOST = 500  # courses looked at for each skill, the clearest first
Place = tuple[int, int]  # where a course stands in the index
Names = Mapping[str, tuple[LabelRow, ...]]  # skill → its labels


def recommend(
    request: RecommendCoursesRequest, snapshot: Snapshot, labels: Labels, market: Market
) -> RecommendCoursesResponse:
    """Answers; raises Refusal(INVALID_ARGUMENT), IndexDamaged."""
    view = market.view()
    wanted = understand(request.among, market, view, snapshot)
    known = labels.of(request.skills)
    for number, skill in enumerate(request.skills):
        if skill not in known:
            raise invalid(f"skills[{number}]", "is no concept of an imported taxonomy")
    covered = covering(snapshot, known, wanted, MOST)
    best = sorted(covered.values(), key=lambda each: (-len(each.skills), -each.score, each.place))
    chosen = best[: request.page_size or SIZE]
    answer = RecommendCoursesResponse()
    answer.recommendations.extend(
        recommendations(chosen, snapshot.searcher, known, request.among, wanted, view)
    )
    taught = {skill for each in covered.values() for skill in each.skills}
    answer.uncovered_skills.extend(skill for skill in request.skills if skill not in taught)
    return answer


@dataclass
class Covering:
    """A course for some of the skills; `score`: how clearly it names them."""

    address: DocAddress
    skills: list[str] = field(default_factory=list)
    score: float = 0.0

    @property
    def place(self) -> Place:
        """Where the course stands in the index."""
        return self.address.segment_ord, self.address.doc


def covering(snapshot: Snapshot, known: Names, wanted: Wanted, most: int) -> dict[Place, Covering]:
    """Returns the courses that come into question and are for some of the skills, at most so many of each."""
    covered: dict[Place, Covering] = {}
    for skill, rows in known.items():
        either = teaching(skill, rows, snapshot.labelled)
        query = words.filtered([either], wanted.filters, wanted.excluded)
        for score, address in snapshot.searcher.search(query, most, count=False).hits:
            each = covered.setdefault((address.segment_ord, address.doc), Covering(address))
            each.skills.append(skill)
            each.score += score
    return covered


def recommendations(
    chosen: Sequence[Covering],
    searcher: Searcher,
    known: Names,
    among: SearchCoursesRequest,
    wanted: Wanted,
    view: View,
) -> list[Recommendation]:
    """Returns the messages of courses, each with the skills it is for."""
    shown = SearchCoursesResponse()
    found = [(each.score, each.address) for each in chosen]
    add_hits(shown.hits, searcher, found, among.occupations, wanted, view)
    taught = {skill for each in chosen for skill in each.skills}
    tagged = _tagged(searcher, taught, [last(hit.course) for hit in shown.hits])
    return [
        Recommendation(
            hit=hit,
            covered_skills=[
                CoveredSkill(
                    skill=skill,
                    label=label_of(known.get(skill, ()), among.language),
                    tagged=each.place in tagged[skill],
                )
                for skill in each.skills
            ],
        )
        for each, hit in zip(chosen, shown.hits, strict=True)
    ]


def _tagged(searcher: Searcher, skills: Iterable[str], ids: Sequence[str]) -> dict[str, set[Place]]:
    """Returns where those of some courses stand that are tagged, by skill."""
    if not ids:
        return {}
    among = words.any_of("id", ids)
    found = {
        skill: searcher.search(
            words.filtered([points("uri", skill, 1.0)], [among]), len(ids), count=False
        ).hits
        for skill in skills
    }
    return {skill: {(at.segment_ord, at.doc) for _, at in hits} for skill, hits in found.items()}


def label_of(rows: Sequence[LabelRow], language: str) -> str:
    """Returns the label in a language, else the first; "" when there is none."""
    first = rows[0].label if rows else ""
    return next((row.label for row in rows if row.language == language), first)
