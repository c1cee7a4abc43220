"""What partners are told of runs: signed reports to a server of their own, and a page to read."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import feed_run_pb2, source_pb2

from services.catalogue.api import feed_runs
from services.catalogue.feeding import reporter
from services.catalogue.service import report_on_feeds
from services.platform.db.transaction import transaction
from services.platform.outgoing.webhooks import WAITS
from tests.integration.catalogue.feeds import feed, many, newest, row
from tests.support.catalogue import Catalogue
from tests.support.receivers import receiver, verified

Run = feed_run_pb2.FeedRun


def told(catalogue: Catalogue) -> None:
    report_on_feeds(catalogue.app)
    catalogue.app.reporter.wait()


def test_partners_are_told_by_signed_reports_until_they_have_them(catalogue: Catalogue) -> None:
    with receiver() as office:
        source = catalogue.source(catalogue.organisation("partner"), report_url=office.url)
        catalogue.feed(source, feed(*many(3)))
        told(catalogue)
        assert not office.got  # nothing before there is a secret
        request = source_pb2.RotateReportSecretRequest(name=source)
        first = catalogue.sources().RotateReportSecret(request)
        assert first.source.reports_signed
        office.answers = [500]
        run = catalogue.feed(source, feed(row("C0", ""), *many(3)[1:]))
        assert run.report_state == Run.REPORT_STATE_PENDING
        told(catalogue)
        failed = catalogue.run(run.name)
        assert (failed.report_attempts, failed.report_error) == (1, "STATUS 500")
        told(catalogue)
        assert len(office.got) == 1  # only when its wait is over
        with transaction(catalogue.app) as tx:
            tx.execute(text("UPDATE feed_runs SET report_next_time = now() WHERE report_state = 1"))
        told(catalogue)
        assert catalogue.run(run.name).report_state == Run.REPORT_STATE_DELIVERED
        (one, body), (two, same) = office.got
        assert (one["webhook-id"], body) == (two["webhook-id"], same)
        assert verified(first.secret, two, body)
        assert not verified(first.secret, two, body + b" ")  # control
        said = json.loads(body)
        assert said["type"] == "feedRun.ended"
        assert (said["data"]["feedRun"]["name"], said["data"]["feedRun"]["recordsRejected"]) == (
            run.name,
            "1",
        )
        assert said["data"]["findings"][0]["code"] == "TITLE_MISSING"

        second = catalogue.sources().RotateReportSecret(request)
        held = catalogue.feed(source, feed(row("C9", "Alone")))
        told(catalogue)
        assert json.loads(office.got[-1][1])["type"] == "feedRun.held"
        assert verified(first.secret, *office.got[-1]) and verified(second.secret, *office.got[-1])  # noqa: PT018
        with transaction(catalogue.app) as tx:
            tx.execute(text("UPDATE sources SET report_former_until = now()"))
        catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=held.name))
        told(catalogue)
        assert not verified(first.secret, *office.got[-1])  # its time is over
        assert json.loads(office.got[-1][1])["data"]["feedRun"]["state"] == "STATE_REJECTED"


def test_who_is_gone_or_has_not_answered_for_so_long_is_told_no_more(catalogue: Catalogue) -> None:
    with receiver() as office:
        source = catalogue.source(catalogue.organisation("partner"), report_url=office.url)
        catalogue.sources().RotateReportSecret(source_pb2.RotateReportSecretRequest(name=source))
        office.status = 410
        catalogue.feed(source, feed(*many(3)))
        told(catalogue)
        assert newest(catalogue).report_state == Run.REPORT_STATE_FAILED
        office.status = 500
        catalogue.feed(source, feed(*many(3)))
        with transaction(catalogue.app) as tx:
            tx.execute(
                text("UPDATE feed_runs SET report_attempts = :n WHERE report_state = 1"), {"n": len(WAITS)}
            )
        told(catalogue)
        assert newest(catalogue).report_state == Run.REPORT_STATE_FAILED


def test_reports_and_pages_tell_the_worst_findings_and_not_all(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "TOLD", 1)
    monkeypatch.setattr(feed_runs, "FINDINGS", 1)
    with receiver() as office:
        source = catalogue.source(catalogue.organisation("partner"), report_url=office.url)
        catalogue.sources().RotateReportSecret(source_pb2.RotateReportSecretRequest(name=source))
        run = catalogue.feed(source, feed(row("C1", "Welding", mode="by post"), row("C2", "")))
        told(catalogue)
        said = json.loads(office.got[-1][1])["data"]["findings"]
    assert [each["code"] for each in said] == ["TITLE_MISSING"]
    page = catalogue.feed_runs().GetFeedRunPage(feed_run_pb2.GetFeedRunPageRequest(name=run.name)).data
    assert (b"TITLE_MISSING" in page, b"MODE_UNKNOWN" in page) == (True, False)
    assert [each.code for each in catalogue.findings(run.name)] == ["MODE_UNKNOWN", "TITLE_MISSING"]


def test_the_report_of_a_run_is_a_page_in_which_nothing_of_a_feed_is_markup(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("partner"))
    evil = "'\"><img src=x onerror=alert(1)>"
    run = catalogue.feed(source, feed(row("C1", "Welding", price=evil), row("C2", "Baking")))
    page = catalogue.feed_runs().GetFeedRunPage(feed_run_pb2.GetFeedRunPageRequest(name=run.name))
    shown = page.data.decode()
    assert page.content_type.startswith("text/html")
    assert "PRICE_INVALID" in shown
    assert "<img" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
