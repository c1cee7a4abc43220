"""A run that waits for a person is found by them, among all sources, and counted for operators."""

from __future__ import annotations

from prometheus_client import REGISTRY
from waymark.catalogue.v1 import feed_run_pb2, source_pb2

from services.catalogue.imports import worker
from tests.integration.catalogue.feeds import feed, many, pulled
from tests.support.catalogue import Catalogue
from tests.support.portfolio import refused
from tests.support.servers import token

Run = feed_run_pb2.FeedRun


def waiting(catalogue: Catalogue, access: str | None = None, source: str = "sources/-") -> list[str]:
    request = feed_run_pb2.ListFeedRunsRequest(source=source, state=Run.STATE_HELD)
    return [run.source for run in catalogue.feed_runs(access).ListFeedRuns(request).feed_runs]


def counted(catalogue: Catalogue) -> float | None:
    worker.count_held(catalogue.app)
    return REGISTRY.get_sample_value("waymark_feed_runs_held")


def test_a_held_run_is_found_among_all_sources_counted_and_named_to_who_would_fetch(
    catalogue: Catalogue,
) -> None:
    fetched = pulled(catalogue, "http://127.0.0.1:9/nothing.csv")
    other = catalogue.source(catalogue.organisation("harbour"))
    for source in (fetched, other):
        catalogue.feed(source, feed(*many(5)))
    assert (waiting(catalogue), counted(catalogue)) == ([], 0)
    fetch = source_pb2.PullSourceRequest(name=fetched)
    catalogue.sources().PullSource(fetch)
    held = [catalogue.feed(source, feed()) for source in (fetched, other)]
    assert {run.state for run in held} == {Run.STATE_HELD}
    assert (waiting(catalogue), counted(catalogue)) == ([other, fetched], 2)
    assert waiting(catalogue, source=fetched) == [fetched]
    assert waiting(catalogue, token("provider", org="organisations/harbour")) == [other]
    told = refused(catalogue.sources().PullSource, fetch)
    assert (told.reason, told.metadata["feed_run"], told.metadata["state"]) == (
        "FEED_RUN_ACTIVE",
        held[0].name,
        "HELD",
    )
    catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=held[0].name))
    catalogue.sources().PullSource(fetch)
    assert (waiting(catalogue), counted(catalogue)) == ([other], 1)
