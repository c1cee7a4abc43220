"""From skills to occupations: the gap to one, and those that are near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from waymark.catalogue.v1.search_pb2 import Recommendation, SearchCoursesRequest
from waymark.catalogue.v1.skill_gap_pb2 import (
    CheckSkillGapRequest,
    NeededSkill,
    OccupationIdea,
    OccupationInShortage,
    RecommendOccupationsRequest,
    RecommendOccupationsResponse,
    SkillGap,
)

from services.catalogue.domain.skill_map import (
    CLOSES_ESSENTIAL,
    CLOSES_OPTIONAL,
    Near,
    Needs,
    Option,
    SkillMap,
    closing,
)
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.filters import understand
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import Market
from services.catalogue.search.recommend import Covering, Place, covering, label_of, recommendations
from services.catalogue.store.taxonomies import LabelRow

COURSES, IDEAS = 10, 10
MOST = 20  # courses looked at for each skill, the clearest first
COURSES_OF_IDEA = 3
CLOSED_OF_IDEA = 5  # missing skills of an idea that courses are looked for, the rarest first


def gap(
    request: CheckSkillGapRequest, needs: Needs, snapshot: Snapshot, labels: Labels, market: Market
) -> SkillGap:
    """Answers; raises Refusal(INVALID_ARGUMENT), IndexDamaged."""
    asked = _Asked(request.among, snapshot, labels, market)
    asked.know([needs.uri, *needs.essential, *needs.optional])
    held = set(request.skills)
    answer = SkillGap(
        occupation=needs.uri,
        label=asked.label(needs.uri),
        isco_code=needs.isco_code,
        taxonomy_version=needs.version,
        shortage=asked.shortage(needs),
    )
    worth: dict[str, float] = {}
    for each in asked.needed(needs):
        if each.skill in held:
            answer.held_skills.append(each)
        else:
            answer.missing_skills.append(each)
            worth[each.skill] = CLOSES_ESSENTIAL if each.essential else CLOSES_OPTIONAL
    asked.find_courses(worth)
    answer.courses.extend(asked.closing(worth, request.page_size or COURSES))
    answer.uncovered_skills.extend(asked.uncovered(worth))
    return answer


def ideas(
    request: RecommendOccupationsRequest,
    known: SkillMap,
    snapshot: Snapshot,
    labels: Labels,
    market: Market,
) -> RecommendOccupationsResponse:
    """Answers; raises Refusal(INVALID_ARGUMENT), IndexDamaged."""
    asked = _Asked(request.among, snapshot, labels, market)
    held = set(request.skills)
    near = known.near(held, request.present_occupations)
    wanted = (each for each in near if not request.only_shortage or asked.shortage(each.needs))
    shown = [(each, _missing(known, each.needs, held)) for each in islice(wanted, request.page_size or IDEAS)]
    asked.know(
        uri for each, _ in shown for uri in (each.needs.uri, *each.needs.essential, *each.needs.optional)
    )
    asked.find_courses({skill for _, missing in shown for skill in missing[:CLOSED_OF_IDEA]})
    answer = RecommendOccupationsResponse()
    for each, missing in shown:
        idea = _idea(asked, known, each, held)
        idea.missing_skills.extend(asked.one(skill, essential=True) for skill in missing)
        worth = dict.fromkeys(missing[:CLOSED_OF_IDEA], CLOSES_ESSENTIAL)
        idea.courses.extend(asked.closing(worth, COURSES_OF_IDEA))
        answer.ideas.append(idea)
    return answer


def _missing(known: SkillMap, needs: Needs, held: set[str]) -> list[str]:
    return known.rarest(set(needs.essential) - held)


def _idea(asked: _Asked, known: SkillMap, near: Near, held: set[str]) -> OccupationIdea:
    needs = near.needs
    idea = OccupationIdea(
        occupation=needs.uri,
        label=asked.label(needs.uri),
        isco_code=needs.isco_code,
        nearness=near.nearness,
        shortage=asked.shortage(needs),
    )
    for skills, essential in ((needs.essential, True), (needs.optional, False)):
        shared = known.rarest(held.intersection(skills))
        idea.shared_skills.extend(asked.one(skill, essential=essential) for skill in shared)
    return idea


class _Asked:
    """What both answers are made from: which courses come into question, labels and shortages."""

    def __init__(
        self, among: SearchCoursesRequest, snapshot: Snapshot, labels: Labels, market: Market
    ) -> None:
        self._among = among
        self._snapshot = snapshot
        self._labels = labels
        self._names: dict[str, tuple[LabelRow, ...]] = {}
        self._found: dict[Place, Covering] = {}
        self._teaching: defaultdict[str, list[Place]] = defaultdict(list)
        self._view = market.view()
        self._wanted = understand(among, market, self._view, snapshot)

    def know(self, uris: Iterable[str]) -> None:
        """Reads the labels of concepts, all at once."""
        self._names = self._labels.of(set(uris))

    def label(self, uri: str) -> str:
        """What the taxonomy calls a concept."""
        return label_of(self._names.get(uri, ()), self._among.language)

    def one(self, skill: str, *, essential: bool) -> NeededSkill:
        """The message of a skill."""
        return NeededSkill(skill=skill, label=self.label(skill), essential=essential)

    def needed(self, needs: Needs) -> list[NeededSkill]:
        """The messages of all that an occupation needs, essential ones first, then by label."""
        found = [self.one(skill, essential=True) for skill in needs.essential]
        found += [self.one(skill, essential=False) for skill in needs.optional]
        return sorted(found, key=lambda each: (not each.essential, each.label, each.skill))

    def shortage(self, needs: Needs) -> OccupationInShortage | None:
        """The entry in force that covers an occupation."""
        found = self._wanted.shortages.of(needs.uri, needs.isco_code)
        if found is None:
            return None
        name, entry = found
        return OccupationInShortage(
            entry=name,
            nuts_code=entry.nuts_code,
            severity=entry.severity,
            cause=entry.cause,  # type: ignore[arg-type]
        )

    def find_courses(self, skills: Collection[str]) -> None:
        """Finds the clearest courses for each of the skills, which the next two go by."""
        names = {each: self._names.get(each, ()) for each in skills}
        self._found = covering(self._snapshot, names, self._wanted, MOST)
        for place, course in self._found.items():
            for skill in course.skills:
                self._teaching[skill].append(place)

    def uncovered(self, skills: Iterable[str]) -> list[str]:
        """Those of the skills that no course is for."""
        return [skill for skill in skills if skill not in self._teaching]

    def closing(self, worth: Mapping[str, float], most: int) -> list[Recommendation]:
        """Those of the courses that close most of some missing skills."""
        places = dict.fromkeys(place for skill in worth for place in self._teaching.get(skill, ()))
        courses = {place: self._found[place] for place in places}
        options = {place: Option(worth.keys() & each.skills, each.score) for place, each in courses.items()}
        chosen = [
            Covering(courses[place].address, sorted(options[place].skills), options[place].score)
            for place in closing(options, worth, most)
        ]
        return recommendations(
            chosen, self._snapshot.searcher, self._names, self._among, self._wanted, self._view
        )
