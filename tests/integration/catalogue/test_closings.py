"""A source or an organisation that is closed: nothing more comes of it, and others hear that it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from waymark.catalogue.v1 import course_pb2, events_pb2, feed_run_pb2, source_pb2
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue import closing
from services.catalogue.domain import closing as closing_rules
from tests.integration.catalogue.feeds import feed, many, pulled
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of

Close = source_pb2.CloseSourceRequest


def served(catalogue: Catalogue) -> int:
    closing.move_courses(catalogue.app)
    return len(catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(page_size=200)).courses)


def found(catalogue: Catalogue) -> int:
    """How many a search finds, as the index has it."""
    return catalogue.search(as_of=day("2030-01-15")).total_size


def removed(catalogue: Catalogue) -> int:
    return sum(event.removed for event in events(catalogue, events_pb2.CourseChanged))


def test_a_source_is_closed_with_its_courses_or_without(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "AT_ONCE", 2)
    source = pulled(catalogue, "http://127.0.0.1:9/nothing.csv")
    other = catalogue.source("organisations/partner")
    catalogue.feed(source, feed(*many(4)))
    catalogue.feed(other, feed(*many(3)))
    held, calls = catalogue.feed(source, feed()), catalogue.sources()
    assert reason_of(calls.CloseSource, Close(name=source)) == "FEED_RUN_ACTIVE"
    catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=held.name))
    ended = calls.CloseSource(Close(name=source))
    assert (ended.HasField("close_time"), ended.HasField("pull")) == (True, False)
    assert (served(catalogue), removed(catalogue)) == (3, 4)
    assert calls.CloseSource(Close(name=other, keep_courses=True)).HasField("close_time")
    assert (served(catalogue), removed(catalogue)) == (3, 4)
    refused: list[tuple[Any, Any]] = [
        (calls.CloseSource, Close(name=source)),
        (calls.PullSource, source_pb2.PullSourceRequest(name=source)),
        (calls.RollBackSource, source_pb2.RollBackSourceRequest(name=source)),
        (
            catalogue.feed_runs().StartFeedRun,
            feed_run_pb2.StartFeedRunRequest(source=source, upload=catalogue.upload(feed(*many(4)))),
        ),
    ]
    assert {reason_of(call, request) for call, request in refused} == {"WRONG_STATE"}
    assert len(calls.ListSources(source_pb2.ListSourcesRequest()).sources) == 2  # to be read


def test_an_organisation_is_closed_with_sources_courses_and_accreditations(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    catalogue.organisation("quayside")
    source = catalogue.source(name)
    catalogue.feed(source, feed(*many(2)))
    grant = pb.GrantAccreditationRequest(parent=name, valid_to=day("2099-12-31"))
    calls.GrantAccreditation(grant)
    calls.GrantAccreditation(
        pb.GrantAccreditationRequest(
            parent=name, valid_from=day("2099-01-01"), valid_to=day("2099-12-31"), scheme="Later"
        )
    )
    closed = calls.CloseOrganisation(pb.CloseOrganisationRequest(name=name))
    assert (closed.accredited, len(closed.accreditations), closed.HasField("close_time")) == (False, 0, True)
    assert (served(catalogue), removed(catalogue)) == (0, 2)
    assert not events(catalogue, events_pb2.OrganisationChanged)[-1].accredited
    assert catalogue.sources().GetSource(source_pb2.GetSourceRequest(name=source)).HasField("close_time")

    def listed(**wanted: Any) -> list[str]:
        found = calls.ListOrganisations(pb.ListOrganisationsRequest(**wanted)).organisations
        return [each.name for each in found]

    assert listed() == ["organisations/quayside"]
    assert listed(include_closed=True) == [name, "organisations/quayside"]
    assert calls.GetOrganisation(pb.GetOrganisationRequest(name=name)) == closed
    branch = pb.Organisation(display_name="Branch", parent=name)
    given = source_pb2.Source(organisation=name, display_name="Feed", format=source_pb2.FEED_FORMAT_EMG_3_0)
    refused = [
        (calls.CloseOrganisation, pb.CloseOrganisationRequest(name=name)),
        (calls.GrantAccreditation, grant),
        (calls.CreateSite, pb.CreateSiteRequest(parent=name, site=pb.Site(display_name="Dock"))),
        (calls.CreateOrganisation, pb.CreateOrganisationRequest(organisation=branch)),
        (catalogue.sources().CreateSource, source_pb2.CreateSourceRequest(source=given)),
    ]
    assert {reason_of(call, request) for call, request in refused} == {"WRONG_STATE"}


def back(catalogue: Catalogue) -> list[bool]:
    """Of each course whether it was last told as removed, when what the job has to do is done."""
    closing.move_courses(catalogue.app)
    told = {event.course: event.removed for event in events(catalogue, events_pb2.CourseChanged)}
    return sorted(told.values())


def test_a_source_is_opened_again_with_the_courses_that_its_closing_removed(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "AT_ONCE", 2)
    source = catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)
    catalogue.feed(source, feed(*many(6)))
    catalogue.feed(source, feed(*many(5)))  # one goes by itself, and does not come back
    calls = catalogue.sources()
    again = source_pb2.ReopenSourceRequest(name=source, reason="closed by mistake")
    assert reason_of(calls.ReopenSource, again) == "WRONG_STATE"
    calls.CloseSource(Close(name=source))
    assert (served(catalogue), back(catalogue)) == (0, [True] * 6)
    opened = calls.ReopenSource(again)
    assert (opened.HasField("close_time"), opened.reopen_reason) == (False, "closed by mistake")
    assert reason_of(calls.CloseSource, Close(name=source)) == "WRONG_STATE"  # its courses are coming back
    assert (served(catalogue), back(catalogue)) == (5, [False] * 5 + [True])
    assert catalogue.feed(source, feed(*many(6))).state == feed_run_pb2.FeedRun.STATE_SUCCEEDED
    # A second closing and opening brings back what that closing removed.
    calls.CloseSource(Close(name=source))
    assert served(catalogue) == 0
    calls.ReopenSource(again)
    assert (served(catalogue), back(catalogue)) == (6, [False] * 6)
    calls.CloseSource(Close(name=source))
    monkeypatch.setattr(closing_rules, "REOPENED_WITHIN", timedelta(0))
    assert reason_of(calls.ReopenSource, again) == "REOPENING_TOO_LATE"
    # Control: the same request within the time.
    monkeypatch.undo()
    assert calls.ReopenSource(again).HasField("reopen_time")


def test_an_organisation_is_opened_again_with_what_ended_by_its_closing(catalogue: Catalogue) -> None:
    name, calls = catalogue.organisation("harbour"), catalogue.organisations()
    before, source = catalogue.source(name), catalogue.source(name)
    catalogue.feed(source, feed(*many(2)))
    catalogue.sources().CloseSource(Close(name=before))

    def grant(scheme: str) -> str:
        request = pb.GrantAccreditationRequest(parent=name, valid_to=day("2099-12-31"), scheme=scheme)
        return str(calls.GrantAccreditation(request).name)

    calls.WithdrawAccreditation(pb.WithdrawAccreditationRequest(name=grant("Former"), reason="x"))
    standing = grant("Standing")
    again = pb.ReopenOrganisationRequest(name=name, reason="another was meant")
    assert reason_of(calls.ReopenOrganisation, again) == "WRONG_STATE"
    catalogue.wait_for(lambda: found(catalogue) == 2)
    calls.CloseOrganisation(pb.CloseOrganisationRequest(name=name))
    assert served(catalogue) == 0
    catalogue.wait_for(lambda: found(catalogue) == 0)
    of_closed = source_pb2.ReopenSourceRequest(name=source, reason="x")
    assert reason_of(catalogue.sources().ReopenSource, of_closed) == "WRONG_STATE"

    opened = calls.ReopenOrganisation(again)
    assert (opened.accredited, opened.reopen_reason) == (True, "another was meant")
    assert [each.name for each in opened.accreditations] == [standing]  # not the one withdrawn before
    assert served(catalogue) == 2
    catalogue.wait_for(lambda: found(catalogue) == 2)
    assert events(catalogue, events_pb2.OrganisationChanged)[-1].accredited
    closed = {
        each.name: each.HasField("close_time")
        for each in catalogue.sources().ListSources(source_pb2.ListSourcesRequest()).sources
    }
    assert closed == {before: True, source: False}
