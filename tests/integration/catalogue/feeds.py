"""Feeds in the CSV template for tests, and what became of them."""

from __future__ import annotations

import csv
import io
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1.feed_run_pb2 import FeedRun, ListFeedRunsRequest
from waymark.catalogue.v1.source_pb2 import FeedPull, PullSourceRequest, Source, UpdateSourceRequest

from services.catalogue import deriving
from services.catalogue.imports.csv_template import COLUMNS
from services.catalogue.service import pull_feeds
from tests.support.catalogue import Catalogue, run_waiting, until_settled

HOURLY = Duration(seconds=3600)


def row(key: str, title: str, **values: str) -> dict[str, str]:
    """Returns a row with one session that can be booked in 2030."""
    return {
        "course_id": key,
        "title": title,
        "language": "en",
        "session_id": "S1",
        "start_date": "2030-03-01",
        "price": "100.00",
        "mode": "on_site",
        "instruction_language": "nl",
        "nuts_code": "BE211",
        "eqf_level": "4",
        **values,
    }


def feed(*rows: dict[str, str]) -> bytes:
    """Returns the file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def many(count: int) -> list[dict[str, str]]:
    """Returns rows C0, C1, …"""
    return [row(f"C{number}", f"Course number {number}") for number in range(count)]


def newest(catalogue: Catalogue) -> FeedRun:
    """Returns the newest run, an empty one where there is none."""
    runs = catalogue.feed_runs().ListFeedRuns(ListFeedRunsRequest()).feed_runs
    return runs[0] if runs else FeedRun()


def limited(catalogue: Catalogue, source: str, mebibytes: int) -> None:
    """Sets how much one fetch or push of a source may bring."""
    given = Source(name=source, max_feed_mib=mebibytes)
    mask = FieldMask(paths=["max_feed_mib"])
    catalogue.sources().UpdateSource(UpdateSourceRequest(source=given, update_mask=mask))


def pulled(catalogue: Catalogue, url: str, form: str = "CSV_TEMPLATE", **values: Any) -> str:
    """Adds a source of an organisation of its own that is fetched from an address, each hour unless `values`
    say otherwise; returns its name."""
    pull = FeedPull(**{"url": url, "interval": HOURLY, **values})
    return catalogue.source(catalogue.organisation("partner"), form, pull=pull)


def pull(catalogue: Catalogue, source: str = "") -> FeedRun:
    """Fetches what is due, `source` now, and works on it; returns the newest run."""
    if source:
        catalogue.sources().PullSource(PullSourceRequest(name=source))
    pull_feeds(catalogue.app)
    catalogue.app.puller.wait()
    run_waiting(catalogue.app)
    return newest(catalogue)


def derive(catalogue: Catalogue) -> None:
    """Works out what follows from all courses as they are now."""
    until_settled(catalogue.app.engine)
    while deriving.look_at_next(catalogue.app):
        pass
