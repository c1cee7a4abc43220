"""Courses are tagged with skills that their texts name, once a text; a person's word outlives it all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.catalogue.v1 import (
    course_pb2,
    search_pb2,
    tag_review_pb2_grpc,
    taxonomy_change_pb2,
    taxonomy_change_pb2_grpc,
)
from waymark.catalogue.v1 import tag_review_pb2 as pb

from services.catalogue import skill_tagging
from services.catalogue.domain import naming
from services.catalogue.service import WORK
from services.catalogue.store import concept_links, skill_tags
from services.catalogue.store.tables import courses
from services.platform.db.transaction import Transaction, transaction
from services.platform.operations.runner import run_chunk
from tests.integration.catalogue.copies import Copy, served
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import MANAGER, Catalogue, until_settled
from tests.support.meetings import Meanwhile
from tests.support.portfolio import reason_of

BASE = "http://data.europa.eu/esco/skill"
BAKE, PROJECTS, WELD, LOAF = (f"{BASE}/{name}" for name in ("bake", "pm", "weld", "loaf"))
SKILLS = f"""conceptUri,preferredLabel,altLabels,description
{BAKE},bake bread,prepare dough,Bakes.
{PROJECTS},project management,managing projects,Plans.
{WELD},welding,,Joins metal.
""".encode()
# The bread has another URI, the projects have lost the label that found them.
NEXT = f"""conceptUri,preferredLabel,altLabels,description
{LOAF},bake bread,prepare dough,Bakes.
{PROJECTS},leading undertakings,,Plans.
{WELD},welding,,Joins metal.
""".encode()
ROWS = (
    row("A", "Baking bread"),
    row("B", "Cooking", description="You prepare dough."),
    row("C", "Managing projects", subjects="Baking bread"),
)
ACCEPTED, REJECTED, REPLACED, NOTHING = (
    pb.TagReview.Verdict.Value(f"VERDICT_{name}")
    for name in ("ACCEPTED", "REJECTED", "REPLACED", "UNSPECIFIED")
)


@pytest.fixture
def tagged(catalogue: Catalogue) -> tuple[Catalogue, str]:
    """Three courses and their skills."""
    catalogue.import_taxonomy(SKILLS, "ESCO_SKILLS", "ESCO_SKILLS", "1")
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(*ROWS))
    look(catalogue)
    return catalogue, source


def look(catalogue: Catalogue) -> None:
    """Lets the job go as far as it gets."""
    until_settled(catalogue.app.engine)
    while skill_tagging.apply_next(catalogue.app) or skill_tagging.look_at_next(catalogue.app):
        until_settled(catalogue.app.engine)


def stub(catalogue: Catalogue) -> Any:
    return catalogue.stub(tag_review_pb2_grpc.TagReviewServiceStub)


def reviews(catalogue: Catalogue, **wanted: Any) -> dict[tuple[str, str], Any]:
    """By phrase and URI, in the order of the list."""
    found = stub(catalogue).ListTagReviews(pb.ListTagReviewsRequest(**wanted)).tag_reviews
    return {(each.phrase, each.uri): each for each in found}


def decide(catalogue: Catalogue, review: Any, verdict: int, **values: Any) -> Any:
    return stub(catalogue).DecideTag(pb.DecideTagRequest(name=review.name, verdict=verdict, **values))


def skills(catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """By the partner's id and URI."""
    return {each.external_id: {tag.uri: tag for tag in each.skills} for each in served(catalogue).values()}


def uris(catalogue: Catalogue) -> dict[str, set[str]]:
    return {key: set(tags) for key, tags in skills(catalogue).items()}


def named(catalogue: Catalogue, external_id: str) -> str:
    return str(next(each.name for each in served(catalogue).values() if each.external_id == external_id))


def recommended(catalogue: Catalogue, skill: str) -> dict[str, bool]:
    """Title of each course for a skill → whether it is tagged with it."""
    among = search_pb2.SearchCoursesRequest(include_not_bookable=True)
    request = search_pb2.RecommendCoursesRequest(skills=[skill], among=among)
    return {
        each.hit.titles["en"]: each.covered_skills[0].tagged
        for each in catalogue.searches("").RecommendCourses(request).recommendations
    }


def test_skills_are_found_queued_by_use_and_searched_by(tagged: tuple[Catalogue, str]) -> None:
    catalogue, _ = tagged
    assert uris(catalogue) == {"A": {BAKE}, "B": {BAKE}, "C": {BAKE, PROJECTS}}
    tag = skills(catalogue)["B"][BAKE]
    assert (tag.label, tag.phrase, tag.origin, tag.taxonomy_version, tag.reviewed) == (
        "bake bread",
        "prepare dough",
        course_pb2.TAG_ORIGIN_MODEL,
        "1",
        False,
    )
    assert 0 < tag.confidence < skills(catalogue)["A"][BAKE].confidence <= 1
    queue = reviews(catalogue)
    assert next(iter(queue)) == ("baking bread", BAKE)  # two courses have it
    assert [each.course_count for each in queue.values()] == [2, 1, 1]
    for _ in range(2):
        catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=named(catalogue, "B")))
    catalogue.app.views.settle(catalogue.app.engine)
    skill_tagging.count_views(catalogue.app)
    assert list(reviews(catalogue))[1] == ("prepare dough", BAKE)  # of equals what is looked at more
    assert reviews(catalogue)["prepare dough", BAKE].view_count == 2
    first = stub(catalogue).ListTagReviews(pb.ListTagReviewsRequest(page_size=2))
    rest = pb.ListTagReviewsRequest(page_size=2, page_token=first.next_page_token)
    assert len(first.tag_reviews) + len(stub(catalogue).ListTagReviews(rest).tag_reviews) == 3
    assert set(reviews(catalogue, course=named(catalogue, "B"))) == {("prepare dough", BAKE)}
    catalogue.wait_for(lambda: recommended(catalogue, BAKE).get("Baking bread"))
    assert recommended(catalogue, BAKE) == {"Baking bread": True, "Cooking": True, "Managing projects": True}
    hit = next(each for each in catalogue.search("bake bread").hits if each.titles["en"] == "Cooking")
    assert (hit.reasons[0].kind, hit.reasons[0].evidence) == (search_pb2.SearchReason.KIND_CONCEPT, BAKE)


def test_the_same_text_is_looked_at_once_whatever_else_of_the_course_changes(
    tagged: tuple[Catalogue, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, source = tagged
    texts: list[str] = []
    clearest = naming.Names.clearest
    monkeypatch.setattr(
        naming.Names, "clearest", lambda self, phrase: texts.append(phrase) or clearest(self, phrase)
    )
    catalogue.app.skill_finder = None  # forgets phrases it knows
    before = served(catalogue)
    changed = [{**each, "price": "77.00"} for each in ROWS]
    catalogue.feed(source, feed(*changed))
    look(catalogue)
    assert (texts, [each.skills for each in served(catalogue).values()]) == (
        [],
        [each.skills for each in before.values()],
    )
    catalogue.feed(source, feed(changed[0], {**changed[1], "title": "Welding"}, changed[2]))
    look(catalogue)
    assert texts == ["welding"]
    assert uris(catalogue)["B"] == {BAKE, WELD}
    catalogue.feed(source, feed(*changed[:2], row("D", "Sailing"), row("E", "Rowing")))
    until_settled(catalogue.app.engine)
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE courses SET removed_time = now() WHERE external_id = 'C'"))
    look(catalogue)
    assert reviews(catalogue)["baking bread", BAKE].course_count == 1  # a course that is gone does not count


def test_what_is_rejected_of_all_courses_stays_rejected(
    tagged: tuple[Catalogue, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, source = tagged
    copy = Copy(catalogue)
    copy.begin()
    review = reviews(catalogue)["baking bread", BAKE]
    said = decide(catalogue, review, REJECTED)
    assert (said.verdict, said.decided_by, said.applied) == (REJECTED, MANAGER, False)
    look(catalogue)
    assert uris(catalogue) == {"A": set(), "B": {BAKE}, "C": {PROJECTS}}
    assert reviews(catalogue, verdict=REJECTED)["baking bread", BAKE].applied
    assert ("baking bread", BAKE) not in reviews(catalogue)
    catalogue.wait_for(lambda: recommended(catalogue, BAKE) == {"Cooking": True})
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)
    # The next feeds: a text that is new, a course that is, one that was away.
    catalogue.feed(
        source, feed(row("A", "Baking bread", description="New."), *ROWS[1:], row("D", "Baking bread"))
    )
    look(catalogue)
    assert uris(catalogue) == {"A": set(), "B": {BAKE}, "C": {PROJECTS}, "D": set()}
    other = decide(catalogue, review, REPLACED, replacement=WELD)
    assert (other.replacement, other.replacement_label) == (WELD, "welding")
    look(catalogue)
    tag = skills(catalogue)["A"][WELD]
    assert (tag.origin, tag.confidence, tag.reviewed) == (course_pb2.TAG_ORIGIN_PERSON, 1.0, True)
    assert decide(catalogue, review, NOTHING).decided_by == ""
    look(catalogue)
    assert uris(catalogue) == {"A": {BAKE}, "B": {BAKE}, "C": {BAKE, PROJECTS}, "D": {BAKE}}
    # Courses that are gone, and that the job has not seen go, hold up nothing.
    monkeypatch.setattr(skill_tagging, "BATCH", 1)
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE courses SET removed_time = now() WHERE external_id = 'A'"))
    decide(catalogue, review, REJECTED)
    assert [skill_tagging.apply_next(catalogue.app) for _ in range(4)] == [True] * 3 + [False]
    assert uris(catalogue) == {"B": {BAKE}, "C": {PROJECTS}, "D": set()}
    with transaction(catalogue.app) as tx:  # it is back before the job has seen it go
        tx.execute(text("UPDATE courses SET removed_time = NULL WHERE external_id = 'A'"))
    look(catalogue)
    assert uris(catalogue) == {"A": set(), "B": {BAKE}, "C": {PROJECTS}, "D": set()}


def test_a_word_on_one_course_holds_at_once_there_and_goes_before_one_on_all(
    tagged: tuple[Catalogue, str],
) -> None:
    catalogue, source = tagged
    review, course = reviews(catalogue)["baking bread", BAKE], named(catalogue, "A")
    decide(catalogue, review, REJECTED, course=course)
    assert uris(catalogue) == {"A": set(), "B": {BAKE}, "C": {BAKE, PROJECTS}}
    decide(catalogue, review, ACCEPTED)
    catalogue.feed(source, feed(row("A", "Baking bread", description="You prepare dough."), *ROWS[1:]))
    look(catalogue)
    shown = skills(catalogue)
    assert (uris(catalogue)["A"], shown["C"][BAKE].reviewed) == (set(), True)
    decide(catalogue, review, NOTHING, course=course)
    assert uris(catalogue)["A"] == {BAKE}
    request = pb.DecideTagRequest(name=review.name, verdict=REPLACED)
    assert reason_of(stub(catalogue).DecideTag, request) == "INVALID_ARGUMENT"
    request.replacement = f"{BASE}/none"
    assert reason_of(stub(catalogue).DecideTag, request) == "INVALID_ARGUMENT"
    elsewhere = pb.DecideTagRequest(name=review.name, verdict=REJECTED, course=named(catalogue, "B"))
    assert reason_of(stub(catalogue).DecideTag, elsewhere) == "INVALID_ARGUMENT"
    unknown = pb.DecideTagRequest(name="tagReviews/00000000-0000-4000-8000-000000000000", verdict=REJECTED)
    assert reason_of(stub(catalogue).DecideTag, unknown) == "NOT_FOUND"
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE courses SET removed_time = now() WHERE external_id = 'A'"))
    gone = pb.DecideTagRequest(name=review.name, verdict=REJECTED, course=course)
    assert reason_of(stub(catalogue).DecideTag, gone) == "WRONG_STATE"


def test_words_outlive_a_new_version_of_the_skills(
    tagged: tuple[Catalogue, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, source = tagged
    catalogue.feed(source, feed(row("Z", "Zoology")), partial=True)
    queue = reviews(catalogue)
    decide(catalogue, queue["baking bread", BAKE], REJECTED)
    decide(catalogue, queue["managing projects", PROJECTS], ACCEPTED)
    decide(catalogue, queue["prepare dough", BAKE], REJECTED, course=named(catalogue, "B"))
    look(catalogue)
    catalogue.import_taxonomy(NEXT, "ESCO_SKILLS", "ESCO_SKILLS", "2")
    old, new = (f"taxonomies/esco-skills/versions/{version}" for version in "12")
    calls = taxonomy_change_pb2_grpc.TaxonomyChangeServiceStub
    first, second = catalogue.stub(calls), catalogue.stub(calls, catalogue.second)
    links = catalogue.upload(f"source,target,strength\n{BAKE},{LOAF},exact\n".encode())
    first.ImportConceptLinks(
        taxonomy_change_pb2.ImportConceptLinksRequest(upload=links, source=old, target=new)
    )
    look(catalogue)
    assert uris(catalogue) == {"A": set(), "B": set(), "C": {PROJECTS}, "Z": set()}  # not in use yet
    change = first.ProposeTaxonomyChange(taxonomy_change_pb2.ProposeTaxonomyChangeRequest(to_version=new))
    while run_chunk(catalogue.app, WORK):
        pass
    second.ApplyTaxonomyChange(taxonomy_change_pb2.ApplyTaxonomyChangeRequest(name=change.name))
    while run_chunk(catalogue.app, WORK):
        pass
    look(catalogue)
    assert catalogue.app.skill_finder.state.startswith("1/2/")
    # Projects are found by no label any more, the bread by that of a skill which stands for the rejected one.
    assert uris(catalogue) == {"A": set(), "B": set(), "C": {PROJECTS}, "Z": set()}
    # Control: who does not follow links shows what was rejected under its new URI.
    monkeypatch.setattr(concept_links, "successors", lambda *_: {})
    with transaction(catalogue.app) as tx:
        skill_tagging.show(tx, [each.rpartition("/")[2] for each in served(catalogue)])
    assert uris(catalogue) == {"A": {LOAF}, "B": {LOAF}, "C": {PROJECTS, LOAF}, "Z": set()}
    # Back again: all are looked at by the labels of before.
    second.UndoTaxonomyChange(taxonomy_change_pb2.UndoTaxonomyChangeRequest(name=change.name))
    while run_chunk(catalogue.app, WORK):
        pass
    look(catalogue)
    assert uris(catalogue) == {"A": set(), "B": set(), "C": {PROJECTS}, "Z": set()}
    with transaction(catalogue.app, read_only=True) as tx:
        ids = [each.rpartition("/")[2] for each in served(catalogue)]
        assert {each.labels for each in skill_tags.taggings(tx, ids).values()} == {"1/1/5"}


@pytest.mark.parametrize("locks", [True, False])
def test_a_word_said_while_a_course_is_tagged_is_not_lost(
    tagged: tuple[Catalogue, str], monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """Control: without the lock on the course the job writes what it knew before."""
    catalogue, source = tagged
    review, course = reviews(catalogue)["baking bread", BAKE], named(catalogue, "A")
    if not locks:
        monkeypatch.setattr(skill_tags, "locked", unlocked)
    said = Meanwhile(
        monkeypatch, skill_tags, "words_on", lambda: decide(catalogue, review, REJECTED, course=course), 0.5
    )
    catalogue.feed(source, feed(row("A", "Baking bread", subjects="Welding"), *ROWS[1:]))
    look(catalogue)
    assert said.answer.name == review.name
    assert said.done is not locks
    assert uris(catalogue)["A"] == ({WELD} if locks else {BAKE, WELD})


def unlocked(tx: Transaction, ids: Collection[str]) -> Any:
    """Reads courses without the lock."""
    c = courses.c
    return tx.execute(select(c.id, c.skills).where(c.id.in_(ids), c.removed_time.is_(None))).all()
