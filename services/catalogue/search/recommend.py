"""Courses for a gap in skills: those that teach most of them first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tantivy import DocAddress, Searcher
from waymark.catalogue.v1.search_pb2 import (
    CoveredSkill,
    RecommendCoursesRequest,
    RecommendCoursesResponse,
    SearchCoursesResponse,
)

from services.catalogue.api.messages import invalid, last
from services.catalogue.search import words
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.filters import Wanted, understand
from services.catalogue.search.hits import add_hits
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import Market
from services.catalogue.search.meaning import points, teaching
from services.catalogue.store.taxonomies import LabelRow

SIZE = 10
MOST = 500  # courses looked at for each skill, the clearest first


def recommend(
    request: RecommendCoursesRequest, snapshot: Snapshot, labels: Labels, market: Market
) -> RecommendCoursesResponse:
    """Answers; raises Refusal(INVALID_ARGUMENT), ValueError from a damaged index."""
    view = market.view()
    wanted = understand(request.among, market, view, snapshot.places)
    known = labels.of(request.skills)
    for number, skill in enumerate(request.skills):
        if skill not in known:
            raise invalid(f"skills[{number}]", "is no concept of an imported taxonomy")
    covered = _covered(snapshot.searcher, known, wanted)
    best = sorted(covered.values(), key=lambda each: (-len(each.skills), -each.score, each.place))
    chosen = best[: request.page_size or SIZE]
    shown = SearchCoursesResponse()
    found = [(each.score, each.address) for each in chosen]
    add_hits(shown.hits, snapshot.searcher, found, request.among.occupations, wanted, view)
    answer = RecommendCoursesResponse()
    tagged = _tagged(snapshot.searcher, request.skills, [last(hit.course) for hit in shown.hits])
    for each, hit in zip(chosen, shown.hits, strict=True):
        skills = [
            CoveredSkill(
                skill=skill,
                label=_label(known[skill], request.among.language),
                tagged=each.place in tagged[skill],
            )
            for skill in each.skills
        ]
        answer.recommendations.add(hit=hit, covered_skills=skills)
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
    def place(self) -> tuple[int, int]:
        """Where the course stands in the index."""
        return self.address.segment_ord, self.address.doc


def _covered(
    searcher: Searcher, known: dict[str, tuple[LabelRow, ...]], wanted: Wanted
) -> dict[tuple[int, int], Covering]:
    covered: dict[tuple[int, int], Covering] = {}
    for skill, rows in known.items():
        query = teaching(skill, rows)
        for score, address in searcher.search(words.filtered(query, wanted.filters), MOST, count=False).hits:
            each = covered.setdefault((address.segment_ord, address.doc), Covering(address))
            each.skills.append(skill)
            each.score += score
    return covered


def _tagged(searcher: Searcher, skills: Iterable[str], ids: Sequence[str]) -> dict[str, set[tuple[int, int]]]:
    """Returns where those of some courses stand that are tagged, by skill."""
    if not ids:
        return {}
    among = words.any_of("id", ids)
    found = {
        skill: searcher.search(words.filtered(points("uri", skill, 1.0), [among]), len(ids), count=False).hits
        for skill in skills
    }
    return {skill: {(at.segment_ord, at.doc) for _, at in hits} for skill, hits in found.items()}


def _label(rows: tuple[LabelRow, ...], language: str) -> str:
    return next((row.label for row in rows if row.language == language), rows[0].label)
