"""Courses that are pushed record by record: kept as they come, imported when their end has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import pytest
from google.type.money_pb2 import Money
from sqlalchemy import text
from waymark.catalogue.v1 import course_pb2, course_push_pb2_grpc, feed_run_pb2
from waymark.catalogue.v1 import course_push_pb2 as pb

from services.catalogue.feeding.pushes import break_off_abandoned
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import limited
from tests.support.catalogue import DEVELOPER, Catalogue, day, run_waiting, with_taxonomy
from tests.support.portfolio import reason_of as refusal
from tests.support.refusals import reason_of
from tests.support.servers import token

Run = feed_run_pb2.FeedRun
Request = pb.PushCoursesRequest


def course(key: str, title: str = "Welding", **values: Any) -> pb.PushedCourse:
    session = pb.PushedSession(
        external_id="S1",
        mode=course_pb2.COURSE_MODE_ON_SITE,
        language="nl",
        start_date=day("2030-03-01"),
        price=Money(currency_code="EUR", units=99, nanos=500_000_000),
        town="Gent",
        postal_code="9000",
        nuts_code="BE234",
    )
    return pb.PushedCourse(external_id=key, titles={"en": title}, sessions=[session], **values)


def parts(
    source: str, courses: Iterable[pb.PushedCourse], end: int | None = -1, **start: Any
) -> Iterator[Request]:
    """The requests of a push; `end`: the count told, -1 the true one, None no end."""
    yield Request(start=pb.PushStart(source=source, **start))
    count = 0
    for each in courses:
        count += 1
        yield Request(course=each)
    if end is not None:
        yield Request(end=pb.PushEnd(course_count=count if end < 0 else end))


def push(
    catalogue: Catalogue, requests: Iterable[Request], access: str | None = None
) -> list[pb.PushCoursesResponse]:
    stub = catalogue.stub(course_push_pb2_grpc.CoursePushServiceStub, access)
    return list(stub.PushCourses(iter(requests), timeout=60))


def refused(catalogue: Catalogue, requests: Iterable[Request], access: str | None = None) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        push(catalogue, requests, access)
    return reason_of(caught.value)


def pushed(catalogue: Catalogue, requests: Iterable[Request]) -> Run:
    answer = push(catalogue, requests)[-1]
    assert catalogue.run(answer.feed_run).state == Run.STATE_QUEUED
    run_waiting(catalogue.app)
    return catalogue.run(answer.feed_run)


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    return catalogue.source(catalogue.organisation("partner"), "PUSH")


def test_a_push_goes_the_way_of_every_feed(catalogue: Catalogue, source: str) -> None:
    with_taxonomy(catalogue)
    evil = "<script>alert(1)</script>Weld <b>steel</b>"
    courses = [
        course("C0", descriptions={"en": evil}, occupations=[DEVELOPER]),
        course("C1", ""),
        course("C2"),
    ]
    dry = pushed(catalogue, parts(source, courses, dry_run=True))
    assert (dry.state, dry.courses_created, dry.dry_run) == (Run.STATE_SUCCEEDED, 2, True)
    run = pushed(catalogue, parts(source, courses))
    assert (run.way, run.records_in, run.records_accepted, run.records_rejected) == (Run.WAY_PUSH, 3, 2, 1)
    assert run.upload
    assert [(f.code, f.record, f.line) for f in catalogue.findings(run.name)] == [("TITLE_MISSING", "C1", 2)]
    found = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    (first,) = [each for each in found if each.external_id == "C0"]
    assert first.descriptions["en"] == "Weld steel"
    assert [tag.uri for tag in first.occupations] == [DEVELOPER]
    session = first.offerings[0].sessions[0]
    assert (session.price.units, session.price.nanos, session.town, session.nuts_code) == (
        99,
        500_000_000,
        "Gent",
        "BE234",
    )
    assert (session.postal_code, session.start_date) == ("9000", day("2030-03-01"))

    assert pushed(catalogue, parts(source, courses)).courses_unchanged == 2
    assert pushed(catalogue, parts(source, courses[:1], partial=True)).courses_removed == 0
    held = pushed(catalogue, parts(source, courses[:1]))
    assert (held.state, held.hold_reason) == (Run.STATE_HELD, Run.HOLD_REASON_REMOVALS_ABOVE_LIMIT)
    assert refused(catalogue, parts(source, courses)) == "FEED_RUN_ACTIVE"


def test_a_push_is_answered_in_chunks_and_only_its_end_counts(catalogue: Catalogue, source: str) -> None:
    answers = push(catalogue, parts(source, (course(f"C{n}") for n in range(1200))))
    assert [answer.course_count for answer in answers] == [499, 999, 1200]
    run_waiting(catalogue.app)
    assert catalogue.run(answers[-1].feed_run).courses_created == 1200
    with transaction(catalogue.app, read_only=True) as tx:
        assert tx.execute(text("SELECT count(*) FROM feed_pushed")).scalar_one() == 0

    # Without its end it changes nothing; the next start replaces it, a job ends what nobody replaces.
    broken = push(catalogue, parts(source, [course("C0")], end=None))[-1].feed_run
    assert catalogue.run(broken).state == Run.STATE_RECEIVING
    assert refused(catalogue, parts(source, [course("C0")], end=2)) == "PUSH_OUT_OF_ORDER"
    again = push(catalogue, parts(source, [course("C0")], end=None))[-1].feed_run
    assert catalogue.run(broken).state == Run.STATE_FAILED
    assert [found.code for found in catalogue.findings(broken)] == ["PUSH_BROKEN_OFF"]
    break_off_abandoned(catalogue.app)
    assert catalogue.run(again).state == Run.STATE_RECEIVING  # control: young ones are left alone
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE feed_runs SET create_time = now() - interval '2 hours' WHERE state = 8"))
    break_off_abandoned(catalogue.app)
    assert catalogue.run(again).state == Run.STATE_FAILED
    assert catalogue.run(answers[-1].feed_run).courses_created == 1200


def test_only_owners_push_in_order_and_not_too_much(catalogue: Catalogue, source: str) -> None:
    courses = [course("C0")]
    own = token("provider", org="organisations/partner")
    assert push(catalogue, parts(source, courses), own)[-1].course_count == 1
    run_waiting(catalogue.app)
    other = token("provider", org="organisations/other")
    assert refused(catalogue, parts(source, courses), other) == "NOT_FOUND"
    assert refused(catalogue, parts(source, courses), token("learner")) == "PERMISSION_DENIED"
    files = catalogue.source("organisations/partner")
    assert refused(catalogue, parts(files, courses)) == "INVALID_ARGUMENT"
    assert refused(catalogue, []) == "PUSH_OUT_OF_ORDER"
    assert refused(catalogue, [Request(course=courses[0])]) == "PUSH_OUT_OF_ORDER"
    start = next(parts(source, []))
    assert refused(catalogue, [start, start]) == "PUSH_OUT_OF_ORDER"
    assert refused(catalogue, [start, Request()]) == "INVALID_ARGUMENT"
    upload = feed_run_pb2.StartFeedRunRequest(source=source, upload=catalogue.upload(b"x"))
    assert refusal(catalogue.feed_runs().StartFeedRun, upload) == "INVALID_ARGUMENT"
    many = [course(f"C{n}", descriptions={"en": "welding " * 10_000}) for n in range(30)]
    limited(catalogue, source, 1)
    assert refused(catalogue, parts(source, many)) == "PUSH_TOO_LARGE"
    limited(catalogue, source, 3)  # control: the limit is what refused
    assert push(catalogue, parts(source, many))[-1].course_count == 30
