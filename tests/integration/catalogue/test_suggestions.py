"""What may be meant, courses like one, and courses for a gap in skills, over the real server."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.catalogue.v1 import search_pb2
from waymark.catalogue.v1.search_pb2 import SearchReason, Suggestion

from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import DEVELOPER, ESCO, ISCO, Catalogue, day
from tests.support.portfolio import reason_of

SKILL = "http://data.europa.eu/esco/skill/"
JAVA, TESTING, BOOKS = f"{SKILL}java", f"{SKILL}testing", f"{SKILL}books"
SKILLS = f"""conceptUri,preferredLabel,altLabels,description
{JAVA},Java (computer programming),Java,
{TESTING},software testing,"try out programs | test software",
{BOOKS},bookkeeping,,
""".encode()
LABELS = f"concept,language,label\n{TESTING},fr,test de logiciels\n".encode()
TESTER = b"http://data.europa.eu/esco/occupation/tester,2512,software tester,test engineer,Tries.,2512.9\n"
ROWS = [
    row("J", "Software development with Java", occupations=DEVELOPER),
    row("T", "Software testing in Java"),
    row("E", "Be a test engineer"),
    row("L", "Logiciels: le test", language="fr", nuts_code="FR101"),
    row("B", "Bread"),
]
AMONG = search_pb2.SearchCoursesRequest(as_of=day("2030-01-15"))


@pytest.fixture
def found(catalogue: Catalogue) -> Catalogue:
    catalogue.import_taxonomy(ESCO + TESTER, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.1.1")
    catalogue.import_taxonomy(ISCO, "ISCO_08", "ISCO_GROUPS", "08")
    catalogue.import_taxonomy(SKILLS, "ESCO_SKILLS", "ESCO_SKILLS", "1")
    catalogue.import_taxonomy(LABELS, "ESCO_SKILLS", "LABELS", "1")
    catalogue.feed(catalogue.source(catalogue.organisation("softland")), feed(*ROWS))
    catalogue.wait_for(lambda: catalogue.search("", as_of=AMONG.as_of).total_size == len(ROWS))
    # The last that was imported: with it all labels are known. A course may be suggested before.
    catalogue.wait_for(lambda: ("SKILL", "test de logiciels", "testing") in suggested(catalogue, "test de"))
    return catalogue


def suggested(catalogue: Catalogue, query: str, **values: Any) -> list[tuple[str, str, str]]:
    request = search_pb2.SuggestTermsRequest(query=query, **values)
    answer = catalogue.searches("").SuggestTerms(request)
    return [
        (Suggestion.Kind.Name(each.kind).removeprefix("KIND_"), each.text, each.resource.rpartition("/")[2])
        for each in answer.suggestions
    ]


def title(hit: Any) -> str:
    return str(next(iter(hit.titles.values())))


def test_what_may_be_meant(found: Catalogue) -> None:
    answer = suggested(found, "softw")
    assert answer[:2] == [
        ("OCCUPATION", "software tester", "tester"),
        ("OCCUPATION", "software engineer", "dev"),
    ]
    kinds = [kind for kind, _, _ in answer]
    assert kinds == sorted(kinds, key=["OCCUPATION", "SKILL", "ORGANISATION", "COURSE"].index)
    assert ("SKILL", "software testing", "testing") in answer
    assert [text for kind, text, _ in answer if kind == "COURSE"] == [
        "Software testing in Java",
        "Software development with Java",
    ]
    assert suggested(found, "softl", kinds=[Suggestion.KIND_ORGANISATION]) == [
        ("ORGANISATION", "SOFTLAND", "softland")
    ]
    # Each thing once, by the label that begins as typed; in the language asked for.
    assert [each for each in suggested(found, "programm") if each[2] == "dev"] == [
        ("OCCUPATION", "programmer", "dev")
    ]
    assert suggested(found, "test de", language="fr") == [("SKILL", "test de logiciels", "testing")]
    assert not suggested(found, "test de", language="nl")
    assert suggested(found, "java soft", kinds=[Suggestion.KIND_COURSE], page_size=1)[0][1].endswith(
        "in Java"
    )
    # One letter wrong, of every kind; two are too many, and so is one of a short word.
    for typed, text in (
        ("sofware tes", "software tester"),
        ("bokkeeping", "bookkeeping"),
        ("softlnad", "SOFTLAND"),
        ("sotfware dev", "Software development with Java"),
    ):
        request = search_pb2.SuggestTermsRequest(query=typed)
        offered = found.searches("").SuggestTerms(request).suggestions
        assert (text, True) in [(each.text, each.corrected) for each in offered], typed
    assert not suggested(found, "bokeping")
    assert not suggested(found, "xav")
    assert reason_of(found.searches("").SuggestTerms, search_pb2.SuggestTermsRequest()) == "INVALID_ARGUMENT"


def test_courses_like_one(found: Catalogue) -> None:
    java = found.search("java development", as_of=AMONG.as_of).hits[0]
    request = search_pb2.FindSimilarCoursesRequest(name=java.course, among=AMONG)
    hits = found.searches("").FindSimilarCourses(request).hits
    assert [title(hit) for hit in hits] == ["Software testing in Java", "Be a test engineer"]
    assert java.course not in [hit.course for hit in hits]
    near = hits[1].reasons[0]
    assert (near.kind, near.evidence) == (SearchReason.KIND_NEAR_CONCEPT, DEVELOPER)
    request.among.nuts_code = "FR1"
    assert not found.searches("").FindSimilarCourses(request).hits
    request.name = "courses/00000000-0000-4000-8000-000000000000"
    assert reason_of(found.searches("").FindSimilarCourses, request) == "NOT_FOUND"


def test_courses_for_a_gap(found: Catalogue) -> None:
    request = search_pb2.RecommendCoursesRequest(skills=[JAVA, TESTING, BOOKS], among=AMONG)
    answer = found.searches("").RecommendCourses(request)
    covered = {
        title(each.hit): {skill.skill: skill.label for skill in each.covered_skills}
        for each in answer.recommendations
    }
    assert next(iter(covered)) == "Software testing in Java"  # the most skills first
    assert covered == {
        "Software testing in Java": {JAVA: "Java (computer programming)", TESTING: "software testing"},
        "Software development with Java": {JAVA: "Java (computer programming)"},
        "Logiciels: le test": {TESTING: "software testing"},
    }
    assert list(answer.uncovered_skills) == [BOOKS]
    request.among.nuts_code, request.among.language = "FR1", "fr"
    (french,) = found.searches("").RecommendCourses(request).recommendations
    assert [skill.label for skill in french.covered_skills] == ["test de logiciels"]
    request.skills.append(f"{SKILL}none")
    assert reason_of(found.searches("").RecommendCourses, request) == "INVALID_ARGUMENT"
