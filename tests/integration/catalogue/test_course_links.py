"""Courses of two sources that look alike are linked, and merged by nobody but a person, and not for good."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text
from waymark.catalogue.v1 import course_link_pb2 as pb
from waymark.catalogue.v1 import course_link_pb2_grpc, course_pb2, source_pb2

from services.catalogue.api import quality_holds
from services.catalogue.store import course_links
from tests.integration.catalogue.copies import Copy, served
from tests.integration.catalogue.feeds import derive, feed, row
from tests.integration.catalogue.holds import lift, place
from tests.support.catalogue import MANAGER, Catalogue
from tests.support.portfolio import reason_of
from tests.support.servers import token

SAME, DIFFERENT, NOTHING = (
    pb.CourseLink.VERDICT_SAME,
    pb.CourseLink.VERDICT_DIFFERENT,
    pb.CourseLink.VERDICT_UNSPECIFIED,
)
THEIRS = row("W", "Welding, an introduction", town="Antwerpen"), row("B", "Bread and pastry", town="Gent")
OURS = (
    row("1", "Introduction: welding", town="Antwerpen"),
    row("2", "Welding level 2", town="Antwerpen"),
    row("3", "Welding, an introduction", town="Liège", start_date="2031-05-05"),
)


@pytest.fixture
def two(catalogue: Catalogue) -> tuple[Catalogue, str, str]:
    harbour, market = (catalogue.source(catalogue.organisation(name)) for name in ("harbour", "market"))
    catalogue.feed(harbour, feed(*THEIRS))
    catalogue.feed(market, feed(*OURS))
    derive(catalogue)
    return catalogue, harbour, market


def links(catalogue: Catalogue, verdict: int = NOTHING, access: str | None = None) -> list[Any]:
    stub = catalogue.stub(course_link_pb2_grpc.CourseLinkServiceStub, access)
    return list(stub.ListCourseLinks(pb.ListCourseLinksRequest(verdict=verdict)).course_links)


def decide(catalogue: Catalogue, link: str, verdict: int) -> Any:
    stub = catalogue.stub(course_link_pb2_grpc.CourseLinkServiceStub)
    return stub.DecideCourseLink(pb.DecideCourseLinkRequest(name=link, verdict=verdict))


def course(catalogue: Catalogue, external_id: str) -> Any:
    name = next(each.name for each in served(catalogue).values() if each.external_id == external_id)
    return get(catalogue, name)


def pairs(catalogue: Catalogue, found: list[Any]) -> set[frozenset[str]]:
    """The partners' ids of what is linked."""
    ids = {name: each.external_id for name, each in served(catalogue).items()}
    return {frozenset(ids[name] for name in link.courses) for link in found}


def get(catalogue: Catalogue, name: str, **options: Any) -> Any:
    return catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=name, **options))


def collapsed(catalogue: Catalogue) -> set[str]:
    found = catalogue.search("welding", include_not_bookable=True, collapse_same=True)
    return {hit.course for hit in found.hits}


def held(catalogue: Catalogue, subject: str) -> str:
    """Holds back, and has all that follows from it worked out; returns the hold."""
    hold = place(catalogue, subject).name
    follow(catalogue)
    return str(hold)


def let_go(catalogue: Catalogue, hold: str) -> None:
    lift(catalogue, hold)
    follow(catalogue)


def follow(catalogue: Catalogue) -> None:
    quality_holds.tell_followers(catalogue.app)
    derive(catalogue)


def hits(catalogue: Catalogue, **options: Any) -> int:
    return int(catalogue.search("welding", include_not_bookable=True, **options).total_size)


def test_what_looks_alike_waits_for_a_person_and_is_merged_by_nobody(two: Any) -> None:
    catalogue, _, _ = two
    (link,) = links(catalogue)
    assert pairs(catalogue, [link]) == {frozenset({"W", "1"})}
    assert link.score > 0.75
    catalogue.wait_for(lambda: hits(catalogue) == 4)
    assert hits(catalogue, collapse_same=True) == 4
    assert not course(catalogue, "1").same_as
    provider = token("provider", org="organisations/market")
    assert links(catalogue, access=provider) == [link]
    assert links(catalogue, access=token("provider", org="organisations/other")) == []
    copy = Copy(catalogue)
    copy.begin()
    decided = decide(catalogue, link.name, SAME)
    assert (decided.decided_by, links(catalogue)) == (MANAGER, [])
    first, second = course(catalogue, "W"), course(catalogue, "1")
    assert (second.same_as, list(first.stands_for), first.same_as) == (first.name, [second.name], "")
    catalogue.wait_for(lambda: hits(catalogue, collapse_same=True) == 3)
    assert hits(catalogue) == 4
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)
    decide(catalogue, link.name, DIFFERENT)
    assert not course(catalogue, "1").same_as
    catalogue.wait_for(lambda: hits(catalogue, collapse_same=True) == 4)
    assert decide(catalogue, link.name, NOTHING).decided_by == ""
    assert links(catalogue) == [link]
    wrong = pb.DecideCourseLinkRequest(name="courseLinks/00000000-0000-4000-8000-000000000000")
    stub = catalogue.stub(course_link_pb2_grpc.CourseLinkServiceStub)
    assert reason_of(stub.DecideCourseLink, wrong) == "NOT_FOUND"


def test_a_word_holds_whatever_feeds_bring_and_who_stands_for_whom_follows_what_is_offered(two: Any) -> None:
    catalogue, harbour, market = two
    (link,) = links(catalogue)
    decide(catalogue, link.name, SAME)
    catalogue.feed(market, feed(row("1", "Something else altogether"), *OURS[1:]))
    derive(catalogue)
    assert [each.name for each in links(catalogue, SAME)] == [link.name]
    assert course(catalogue, "1").same_as == course(catalogue, "W").name
    limit = source_pb2.Source(name=harbour, removal_limit_percent=100, precedence=-1)
    paths = FieldMask(paths=["removal_limit_percent", "precedence"])
    catalogue.sources().UpdateSource(source_pb2.UpdateSourceRequest(source=limit, update_mask=paths))
    decide(catalogue, link.name, SAME)  # the source with the higher number comes first
    assert course(catalogue, "W").same_as == course(catalogue, "1").name
    catalogue.feed(market, feed(*OURS[1:]), partial=False)
    assert course(catalogue, "1")  # held by the guard
    catalogue.feed(harbour, feed(THEIRS[1]))
    derive(catalogue)
    assert not course(catalogue, "1").stands_for
    catalogue.feed(harbour, feed(*THEIRS))
    derive(catalogue)
    assert course(catalogue, "W").same_as == course(catalogue, "1").name


def test_a_link_without_a_word_goes_when_they_are_not_alike_any_more(two: Any) -> None:
    catalogue, _, market = two
    catalogue.feed(market, feed(row("1", "Something else altogether"), *OURS[1:]))
    derive(catalogue)
    assert links(catalogue) == []
    catalogue.feed(market, feed(*OURS))
    derive(catalogue)
    assert pairs(catalogue, links(catalogue)) == {frozenset({"W", "1"})}


def test_a_course_is_composed_field_by_field_of_those_that_are_the_same(two: Any) -> None:
    catalogue, _, market = two
    decide(catalogue, links(catalogue)[0].name, SAME)
    mine = course(catalogue, "W")
    change = source_pb2.Source(name=market, field_precedence={"offerings": 5})
    paths = FieldMask(paths=["field_precedence"])
    catalogue.sources().UpdateSource(source_pb2.UpdateSourceRequest(source=change, update_mask=paths))
    catalogue.feed(market, feed({**OURS[0], "description": "Theirs.", "price": "77.00"}, *OURS[1:]))
    theirs = course(catalogue, "1")
    given = course_pb2.Course(name=theirs.name, kind="exam")
    request = course_pb2.CorrectCourseRequest(course=given, update_mask=FieldMask(paths=["kind"]))
    catalogue.courses().CorrectCourse(request)

    whole = get(catalogue, mine.name, composed=True)
    assert dict(whole.titles) == dict(mine.titles)  # both say it, and the course comes first
    assert dict(whole.descriptions) == {"en": "Theirs."}  # one says nothing
    assert whole.offerings == theirs.offerings  # by the precedence of the field
    assert whole.kind == "exam"  # a correction comes before every feed
    origin = {each.field: each.course for each in whole.origins}
    others = {field for field, name in origin.items() if name == theirs.name}
    assert others == {"descriptions", "offerings", "kind"}
    plain = course(catalogue, "W")  # control: unless asked for it is as its source says
    assert (plain.kind, plain.descriptions, plain.offerings) == ("course", {}, mine.offerings)
    assert get(catalogue, theirs.name, composed=True).offerings == theirs.offerings


@pytest.mark.parametrize("of_organisation", [False, True])
def test_another_stands_for_those_whose_first_is_held_back(two: Any, of_organisation: bool) -> None:
    catalogue, _, _ = two
    decide(catalogue, links(catalogue)[0].name, SAME)
    names = {each.external_id: each.name for each in served(catalogue).values()}
    first, second, others = names["W"], names["1"], {names["2"], names["3"]}
    copy = Copy(catalogue)
    copy.begin()
    catalogue.wait_for(lambda: collapsed(catalogue) == {first, *others})
    hold = held(catalogue, "organisations/harbour" if of_organisation else first)
    catalogue.wait_for(lambda: collapsed(catalogue) == {second, *others})
    assert (get(catalogue, second).same_as, list(get(catalogue, second).stands_for)) == ("", [first])
    assert get(catalogue, first).same_as == second
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)
    both = held(catalogue, second)
    catalogue.wait_for(lambda: collapsed(catalogue) == others)
    assert get(catalogue, second).same_as == first  # of those that are all held back it is as before
    let_go(catalogue, both)
    catalogue.wait_for(lambda: collapsed(catalogue) == {second, *others})
    let_go(catalogue, hold)
    catalogue.wait_for(lambda: collapsed(catalogue) == {first, *others})
    assert (get(catalogue, first).same_as, get(catalogue, second).same_as) == ("", first)
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)


def test_whoever_is_said_to_be_the_same_as_one_held_back_stands_for_it(two: Any) -> None:
    catalogue, _, _ = two
    names = {each.external_id: each.name for each in served(catalogue).values()}
    held(catalogue, names["W"])
    decide(catalogue, links(catalogue)[0].name, SAME)
    assert get(catalogue, names["W"]).same_as == names["1"]


def test_without_a_look_at_holds_those_that_it_stands_for_are_not_found(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, _, _ = two
    blind = str(course_links._REGROUP).replace(course_links.ON_HOLD_SQL, "courses.id IS NULL")
    monkeypatch.setattr(course_links, "_REGROUP", text(blind))
    decide(catalogue, links(catalogue)[0].name, SAME)
    names = {each.external_id: each.name for each in served(catalogue).values()}
    held(catalogue, names["W"])
    catalogue.wait_for(lambda: collapsed(catalogue) == {names["2"], names["3"]})


def test_nothing_is_composed_of_what_is_held_back(two: Any) -> None:
    catalogue, _, market = two
    decide(catalogue, links(catalogue)[0].name, SAME)
    catalogue.feed(market, feed({**OURS[0], "description": "Theirs."}, *OURS[1:]))
    names = {each.external_id: each.name for each in served(catalogue).values()}
    theirs = {"en": "Theirs."}
    assert get(catalogue, names["W"], composed=True).descriptions == theirs
    hold = held(catalogue, names["1"])
    answer = get(catalogue, names["W"], composed=True)
    assert (answer.descriptions, list(answer.stands_for)) == ({}, [names["1"]])
    assert get(catalogue, names["1"], composed=True).descriptions == theirs  # itself as it is, marked
    let_go(catalogue, hold)
    assert get(catalogue, names["W"], composed=True).descriptions == theirs
