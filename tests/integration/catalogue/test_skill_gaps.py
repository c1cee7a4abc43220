"""Gaps and ideas over the real server: what is missing, which courses close it, what is near and why."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from waymark.catalogue.v1 import search_pb2, skill_gap_pb2, skill_gap_pb2_grpc

from services.catalogue.store import occupation_skills
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import DEVELOPER, ESCO, ISCO, NURSE, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of

FORMAT = "OCCUPATION_SKILLS"
BASE = "http://data.europa.eu/esco/skill"
BAKER = "http://data.europa.eu/esco/occupation/baker"
TESTER = "http://data.europa.eu/esco/occupation/tester"
CODE, TEST, PLAN, LISTEN, BAKE = (f"{BASE}/{name}" for name in ("code", "test", "plan", "listen", "bake"))
SKILLS = f"""conceptUri,preferredLabel,altLabels,description
{CODE},write programs,programming,Codes.
{TEST},try programs out,software testing,Tests.
{PLAN},plan work,,Plans.
{LISTEN},listen to people,,Listens.
{BAKE},bake bread,,Bakes.
""".encode()
LABELS = f"concept,language,label\n{TEST},nl,programma's uitproberen\n".encode()
RELATIONS = f"""occupationUri,relationType,skillType,skillUri
{DEVELOPER},essential,skill/competence,{CODE}
{DEVELOPER},essential,skill/competence,{TEST}
{DEVELOPER},optional,skill/competence,{PLAN}
{DEVELOPER},essential,skill/competence,{LISTEN}
{TESTER},essential,skill/competence,{TEST}
{TESTER},essential,skill/competence,{LISTEN}
{TESTER},optional,skill/competence,{CODE}
{NURSE},essential,skill/competence,{LISTEN}
{NURSE},optional,skill/competence,{PLAN}
{BAKER},essential,skill/competence,{BAKE}
{BAKER},essential,skill/competence,{LISTEN}
""".encode()
ROWS = (
    row("A", "Software testing"),
    row("B", "Programming and how to plan work", description="Also software testing."),
    row("C", "How to plan work"),
    row("P", "Programming, long ago", start_date="2020-01-01"),
)
SHORT = b"occupation,region,severity,cause\n2512,BE2,4,too_few_people\n"


@pytest.fixture
def known(catalogue: Catalogue) -> Catalogue:
    tester = f"{TESTER},2519,software tester,,Tries programs out.,2519.1\n".encode()
    catalogue.import_taxonomy(ESCO + tester, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.1.1")
    catalogue.import_taxonomy(ISCO, "ISCO_08", "ISCO_GROUPS", "08")
    catalogue.import_taxonomy(SKILLS, "ESCO_SKILLS", "ESCO_SKILLS", "1.1.1")
    catalogue.import_taxonomy(LABELS, "ESCO_SKILLS", "LABELS", "1.1.1")
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(*ROWS))
    parent = catalogue.shortage_list()
    catalogue.publish(catalogue.draft(parent, SHORT, valid_from=day("2026-01-01")).name)
    made = catalogue.import_taxonomy(RELATIONS, "ESCO_OCCUPATIONS", FORMAT, "1.1.1")
    assert made.occupation_skill_count == 11
    as_of = day("2029-01-01")  # on which only what is long past has no session to come
    catalogue.wait_for(lambda: catalogue.search(as_of=as_of).total_size == 3)
    catalogue.wait_for(lambda: catalogue.search("programma's uitproberen", as_of=as_of).total_size)
    return catalogue


def stub(catalogue: Catalogue) -> Any:
    return catalogue.stub(skill_gap_pb2_grpc.SkillGapServiceStub, "")


def gap(catalogue: Catalogue, occupation: str, *skills: str, **more: Any) -> skill_gap_pb2.SkillGap:
    request = skill_gap_pb2.CheckSkillGapRequest(occupation=occupation, skills=skills, **more)
    answer: skill_gap_pb2.SkillGap = catalogue.wait_for(lambda: stub(catalogue).CheckSkillGap(request))
    return answer


def ideas(catalogue: Catalogue, *skills: str, **more: Any) -> dict[str, skill_gap_pb2.OccupationIdea]:
    request = skill_gap_pb2.RecommendOccupationsRequest(skills=skills, **more)
    return {each.label: each for each in stub(catalogue).RecommendOccupations(request).ideas}


def needed(skills: Any) -> list[tuple[str, bool]]:
    return [(each.label, each.essential) for each in skills]


def closes(courses: Any) -> dict[str, set[str]]:
    return {each.hit.titles["en"]: {one.label for one in each.covered_skills} for each in courses}


def among(**values: Any) -> search_pb2.SearchCoursesRequest:
    return search_pb2.SearchCoursesRequest(**values)


def test_gap_and_ideas(known: Catalogue) -> None:
    check_gap(known)
    check_ideas(known)


def check_gap(known: Catalogue) -> None:
    """What is missing, and the courses that close it."""
    found = gap(known, DEVELOPER, LISTEN, BAKE, "urn:of:no:taxonomy")
    assert (found.label, found.isco_code) == ("software developer", "2512")
    assert found.taxonomy_version == "taxonomies/esco-occupations/versions/1.1.1"
    assert needed(found.held_skills) == [("listen to people", True)]
    assert needed(found.missing_skills) == [
        ("try programs out", True),
        ("write programs", True),
        ("plan work", False),
    ]
    assert list(closes(found.courses).items()) == [  # the first closes all of it; what is over is not shown
        ("Programming and how to plan work", {"write programs", "try programs out", "plan work"}),
        ("Software testing", {"try programs out"}),
        ("How to plan work", {"plan work"}),
    ]
    assert not found.uncovered_skills
    assert (found.shortage.severity, found.shortage.nuts_code) == (4, "BE2")
    assert found.courses[0].hit.next_session.name  # which a voucher can be asked for
    whole = gap(known, DEVELOPER, CODE, TEST, PLAN, LISTEN)
    assert (len(whole.held_skills), len(whole.missing_skills), len(whole.courses)) == (4, 0, 0)
    dutch = gap(known, TESTER, LISTEN, CODE, among=among(language="nl", nuts_code="BE3"))
    assert needed(dutch.missing_skills) == [("programma's uitproberen", True)]
    assert (list(dutch.uncovered_skills), len(dutch.courses)) == ([TEST], 0)  # none in that region
    assert not dutch.HasField("shortage")
    one = gap(known, DEVELOPER, page_size=1)
    assert len(one.courses) == 1
    request = skill_gap_pb2.CheckSkillGapRequest(occupation="2512")
    assert reason_of(stub(known).CheckSkillGap, request) == "NOT_FOUND"  # of the group nothing is known


def check_ideas(known: Catalogue) -> None:
    """What is near with its reasons, and never what is done now."""
    found = ideas(known, LISTEN, TEST, PLAN)
    assert list(found) == ["nurse responsible for general care", "software tester", "software developer"]
    tester, developer = found["software tester"], found["software developer"]
    assert needed(tester.shared_skills) == [("try programs out", True), ("listen to people", True)]
    assert 0 < developer.nearness < tester.nearness < 1
    assert found["nurse responsible for general care"].nearness == 1
    assert needed(developer.missing_skills) == [("write programs", True)]
    assert closes(developer.courses) == {"Programming and how to plan work": {"write programs"}}
    assert (developer.shortage.severity, tester.HasField("shortage")) == (4, False)
    assert list(ideas(known, LISTEN, TEST, PLAN, only_shortage=True)) == ["software developer"]
    assert list(ideas(known, LISTEN, TEST, PLAN, page_size=1)) == ["nurse responsible for general care"]
    present = ideas(known, LISTEN, TEST, PLAN, present_occupations=[TESTER])
    assert list(present) == ["nurse responsible for general care", "software developer"]
    assert list(ideas(known, LISTEN, TEST, PLAN, present_occupations=["25", NURSE])) == []
    assert ideas(known, BAKE) == {}


def test_relations_are_taken_whole_and_those_known_stay(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    head = b"occupationUri,relationType,skillUri\n"
    more = head + f"{BAKER},optional,{LISTEN}\n{BAKER},optional,{PLAN}\n{BAKER},essential,{PLAN}\n".encode()
    for data, count in (
        (more, 2),
        (more.replace(b"optional", b"essential"), 2),
        (head + b"2512,optional,a:b\n", 1),
    ):
        scheme, version = ("ISCO_08", "08") if count == 1 else ("ESCO_OCCUPATIONS", "1.1.1")
        assert catalogue.import_taxonomy(data, scheme, FORMAT, version).occupation_skill_count == count
    for data, field in (
        (head + b"urn:none,essential,urn:x\n", "line 2, occupationUri"),
        (head + f"{BAKER},needed,urn:x\n".encode(), "line 2, relationType"),
        (head + f"{BAKER},optional,x\n".encode(), "line 2, skillUri"),
        (head, "file"),
        (b"occupationUri,skillUri\n", "line 1, header"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            catalogue.import_taxonomy(data, "ESCO_OCCUPATIONS", FORMAT, "1.1.1")
        assert field in str(caught.value.trailing_metadata()), field  # type: ignore[attr-defined]
    for scheme, version, why in (("EQF", "1", "has none"), ("ISCO_08", "09", "no version 09")):
        with pytest.raises(grpc.RpcError) as caught:
            catalogue.import_taxonomy(more, scheme, FORMAT, version)
        assert why in str(caught.value.trailing_metadata()), scheme  # type: ignore[attr-defined]
    with transaction(catalogue.app) as tx:
        group, baker = occupation_skills.all_needs(tx.connection)
    assert (group.uri, group.optional) == ("http://data.europa.eu/esco/isco/C2512", ["a:b"])
    assert (baker.uri, baker.essential, baker.optional) == (BAKER, [PLAN], [LISTEN])
