"""How the feed of a source is fetched: what callers give, what is kept, what they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from waymark.catalogue.v1.source_pb2 import FeedFormat, FeedPull, Source
from waymark.errors.v1 import reason_pb2

from services.catalogue.app import CatalogueApp
from services.catalogue.domain.pull_schedule import PullSchedule, kept_schedule
from services.catalogue.feeding.credentials import sealed
from services.platform.errors import Refusal, Violation, invalid
from services.platform.outgoing.addresses import PORTS, Reach, url_problem

_NONE = {
    "pull_url": "",
    "pull_schedule": None,
    "pull_credentials": None,
    "pull_next_time": None,
    "pull_run": None,
    "pull_etag": "",
    "pull_modified": "",
}


def pull_values(app: CatalogueApp, source: str, given: Source, row: Any, now: datetime) -> dict[str, Any]:
    """Returns the columns for `given.pull`; `row`: the source as it was, None for a new one.

    The first pull is due at once, later ones as scheduled. Raises Refusal: FEED_URL_REFUSED,
    INVALID_ARGUMENT.
    """
    if not given.HasField("pull"):
        return _NONE
    pull = given.pull
    if given.format == FeedFormat.FEED_FORMAT_PUSH:
        raise invalid("source.pull", "courses are pushed to this source, so there is nothing to fetch")
    schedule = _schedule(pull)
    _check_url("source.pull.url", pull.url, app.feeds_reach)
    kept = _credentials(app, source, pull, row)
    if kept:
        _check_secret("source.pull.url", pull.url, app.feeds_reach)
    due = now if row is None or not row.pull_url else min(row.pull_next_time, schedule.next_after(now))
    return {
        **_NONE,
        "pull_url": pull.url,
        "pull_schedule": schedule.kept(),
        "pull_credentials": kept,
        "pull_next_time": due,
    }


def check_report_url(app: CatalogueApp, url: str) -> None:
    """Raises Refusal(FEED_URL_REFUSED) for an address that reports may not go to; "" is none."""
    if url:
        _check_url("source.report_url", url, app.settings.reach)


def pull_message(row: Any) -> FeedPull:
    """Returns what is shown of the columns: nothing of the credentials but that there are some."""
    schedule = kept_schedule(row.pull_schedule)
    answer = FeedPull(url=row.pull_url, credentials_kept=row.pull_credentials is not None)
    if schedule.seconds:
        answer.interval.seconds = schedule.seconds
    else:
        answer.times.times.extend(schedule.times)
        answer.times.weekdays.extend(schedule.weekdays)
        answer.times.time_zone = schedule.zone
    answer.next_time.FromDatetime(row.pull_next_time)
    if row.pull_last_time:
        answer.last_time.FromDatetime(row.pull_last_time)
    return answer


def _schedule(pull: FeedPull) -> PullSchedule:
    kind = pull.WhichOneof("schedule")
    if kind is None:
        raise invalid("source.pull.schedule", "needs an interval or times")
    if kind == "interval":
        return PullSchedule(seconds=pull.interval.seconds)
    zone = pull.times.time_zone or "UTC"
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise invalid("source.pull.times.time_zone", "is no time zone of the IANA database") from None
    if not pull.times.times:
        raise invalid("source.pull.times.times", "needs at least one time")
    return PullSchedule(times=tuple(pull.times.times), weekdays=tuple(pull.times.weekdays), zone=zone)


def _credentials(app: CatalogueApp, source: str, pull: FeedPull, row: Any) -> bytes | None:
    """What is kept of the credentials given; without any, those that were kept for the same host."""
    if pull.HasField("credentials"):
        if pull.credentials.WhichOneof("kind") == "oauth_client":
            url, field = (
                pull.credentials.oauth_client.token_url,
                "source.pull.credentials.oauth_client.token_url",
            )
            _check_url(field, url, app.feeds_reach)
            _check_secret(field, url, app.feeds_reach)
        return sealed(app.seals, source, pull.credentials)
    if row is None or _origin(row.pull_url) != _origin(pull.url):
        return None
    kept: bytes | None = row.pull_credentials
    return kept


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def _check_url(field: str, url: str, reach: Reach) -> None:
    if problem := url_problem(url, reach):
        raise Refusal(reason_pb2.REASON_FEED_URL_REFUSED, violations=[Violation(field, problem)])


def _check_secret(field: str, url: str, reach: Reach) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in reach.inside:
        violation = Violation(field, "must begin with https:// where credentials are sent")
        raise Refusal(reason_pb2.REASON_FEED_URL_REFUSED, violations=[violation])
