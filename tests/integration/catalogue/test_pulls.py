"""Feeds that are fetched from partners' servers; the servers are real."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToJson
from sqlalchemy import text
from waymark.catalogue.v1 import feed_run_pb2, source_pb2

from services.catalogue.feeding import puller
from services.catalogue.service import pull_feeds
from services.platform.db.transaction import transaction
from services.platform.outgoing.fetching import Wanted, fetch
from tests.integration.catalogue.feeds import HOURLY, feed, limited, many, newest, pull, pulled, row
from tests.support.catalogue import ESCO, Catalogue, run_waiting, with_taxonomy
from tests.support.origins import Asked, Origin, Reply, origin
from tests.support.portfolio import reason_of
from tests.support.servers import token

Run = feed_run_pb2.FeedRun
Pull, Credentials = source_pb2.FeedPull, source_pb2.PullCredentials
CSV = source_pb2.FEED_FORMAT_CSV_TEMPLATE


def read(catalogue: Catalogue, source: str) -> source_pb2.Source:
    found: source_pb2.Source = catalogue.sources().GetSource(source_pb2.GetSourceRequest(name=source))
    return found


def change(catalogue: Catalogue, source: str, *paths: str, **values: Any) -> source_pb2.Source:
    given = source_pb2.Source(name=source, etag=read(catalogue, source).etag, **values)
    request = source_pb2.UpdateSourceRequest(source=given, update_mask=FieldMask(paths=paths))
    changed: source_pb2.Source = catalogue.sources().UpdateSource(request)
    return changed


def test_a_partner_says_itself_where_its_feed_is_and_where_reports_go(catalogue: Catalogue) -> None:
    source = pulled(catalogue, "https://old.example/courses.csv")
    own, stranger = (
        catalogue.sources(token("provider", org=org))
        for org in ("organisations/partner", "organisations/other")
    )

    def moving(*paths: str, url: str = "https://new.example/courses.csv") -> source_pb2.UpdateSourceRequest:
        given = source_pb2.Source(name=source, report_url="https://new.example/runs", precedence=9)
        given.pull.CopyFrom(Pull(url=url, interval=HOURLY))
        return source_pb2.UpdateSourceRequest(source=given, update_mask=FieldMask(paths=paths))

    changed = own.UpdateSource(moving("pull", "report_url"))
    assert (changed.pull.url, changed.report_url) == (
        "https://new.example/courses.csv",
        "https://new.example/runs",
    )
    assert reason_of(stranger.UpdateSource, moving("pull")) == "NOT_FOUND"
    for path in ("precedence", "removal_limit_percent", "field_precedence", "display_name"):
        assert reason_of(own.UpdateSource, moving("pull", path)) == "INVALID_ARGUMENT"
    inside = moving("pull", url="http://10.0.0.8/courses.csv")
    assert reason_of(own.UpdateSource, inside) == "FEED_URL_REFUSED"


def test_a_feed_is_fetched_when_due_and_read_only_when_it_has_changed(
    catalogue: Catalogue, partner: Origin
) -> None:
    served = {"data": feed(*many(3)), "etag": '"1"'}

    def answer(asked: Asked) -> Reply:
        if served["etag"] and asked.headers.get("if-none-match") == served["etag"]:
            return Reply(304)
        return Reply(body=served["data"], headers={"etag": served["etag"]} if served["etag"] else {})

    partner.answer = answer
    source = pulled(catalogue, f"{partner.url}/courses.csv")
    first = pull(catalogue)
    assert (first.state, first.way, first.courses_created) == (Run.STATE_SUCCEEDED, Run.WAY_PULL, 3)
    assert first.upload
    shown = read(catalogue, source).pull
    assert shown.next_time.seconds - shown.last_time.seconds == HOURLY.seconds
    assert pull(catalogue).name == first.name  # not due
    assert len(partner.asked) == 1

    again = pull(catalogue, source)
    assert (again.state, again.upload, again.records_in) == (Run.STATE_UNCHANGED, "", 0)
    served["etag"] = ""  # a server that knows no ETag: its bytes are compared
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED
    served["data"] = feed(*many(3)[1:], row("C9", "Welding"))
    changed = pull(catalogue, source)
    assert (changed.courses_created, changed.hold_reason) == (1, Run.HOLD_REASON_REMOVALS_ABOVE_LIMIT)
    before = len(partner.asked)
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE sources SET pull_next_time = now()"))
    assert pull(catalogue).name == changed.name  # a held run: nobody fetches on top of it
    assert len(partner.asked) == before
    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=changed.name))
    run_waiting(catalogue.app)

    # What was read may not be skipped once something else counts: another language, a file taken in by hand.
    change(catalogue, source, "default_language", default_language="nl")
    assert pull(catalogue, source).state == Run.STATE_SUCCEEDED
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED
    catalogue.feed(source, feed(*many(3)))
    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=newest(catalogue).name))
    run_waiting(catalogue.app)
    assert pull(catalogue, source).state != Run.STATE_UNCHANGED


def test_a_file_that_has_not_changed_is_read_again_once_another_taxonomy_is_in_use(
    catalogue: Catalogue, partner: Origin
) -> None:
    with_taxonomy(catalogue)
    partner.answer = lambda _: Reply(body=feed(row("C1", "Baker")))
    source = pulled(catalogue, partner.url)
    pull(catalogue)
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED
    catalogue.import_taxonomy(ESCO, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.2")  # stands beside
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE taxonomy_versions SET in_use_time = now() WHERE version = '1.2'"))
    read_again = pull(catalogue, source)
    assert (read_again.state, read_again.courses_updated) == (Run.STATE_SUCCEEDED, 1)
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED


def test_what_cannot_be_fetched_is_a_run_that_failed_and_changes_nothing(
    catalogue: Catalogue, partner: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.answer = lambda _: Reply(body=feed(*many(2)))
    source = pulled(catalogue, partner.url)
    assert pull(catalogue).courses_created == 2
    for status, said in ((404, "STATUS 404"), (401, "STATUS 401")):
        partner.answer = lambda _, status=status: Reply(status)  # type: ignore[misc]
        run = pull(catalogue, source)
        assert (run.state, run.error_count, run.records_in, run.upload) == (Run.STATE_FAILED, 1, 0, "")
        assert [(each.code, each.value) for each in catalogue.findings(run.name)] == [("FETCH_FAILED", said)]
    partner.answer = lambda _: Reply(
        body=feed(*many(2))[:-30]
    )  # cut off: what is left of it is a broken file
    assert pull(catalogue, source).courses_removed == 0

    # A claim whose process died is anybody's once it has run out, and what comes late of it is dropped.
    partner.answer = lambda _: Reply(body=feed(*many(3)))
    monkeypatch.setattr(puller, "LEASE", puller.LEASE * 0)
    before = newest(catalogue).name

    def overtaken(asked: Asked) -> Reply:
        with transaction(catalogue.app) as tx:
            tx.execute(text("UPDATE sources SET pull_next_time = now() + interval '1 hour'"))
        return Reply(body=feed(*many(3)))

    partner.answer = overtaken
    assert pull(catalogue, source).name == before


def test_what_is_fetched_while_a_file_is_uploaded_waits(catalogue: Catalogue, partner: Origin) -> None:
    source = pulled(catalogue, partner.url)
    upload = catalogue.upload(feed(*many(2)))

    def answer(_: Asked) -> Reply:
        request = feed_run_pb2.StartFeedRunRequest(source=source, upload=upload)
        catalogue.feed_runs().StartFeedRun(request)
        return Reply(body=feed(*many(3)))

    partner.answer = answer
    run = pull(catalogue)
    assert (run.way, run.courses_created) == (Run.WAY_UPLOAD, 2)
    next_pull = read(catalogue, source).pull
    assert 55 <= next_pull.next_time.seconds - next_pull.last_time.seconds <= 75  # and not an hour
    partner.answer = lambda _: Reply(body=feed(*many(3)))
    assert pull(catalogue, source).courses_created == 1


def test_credentials_are_sent_and_never_shown(catalogue: Catalogue, partner: Origin) -> None:
    partner.answer = lambda asked: (
        Reply(body=b'{"access_token": "fresh", "token_type": "Bearer", "expires_in": 60}')
        if asked.method == "POST"
        else Reply(body=feed(*many(1)))
    )
    basic = Credentials(basic=Credentials.Basic(username="waymark", password="hush"))
    source = pulled(catalogue, partner.url, credentials=basic)
    pull(catalogue)
    assert partner.asked[-1].headers["authorization"] == "Basic d2F5bWFyazpodXNo"
    shown = read(catalogue, source)
    assert shown.pull.credentials_kept
    assert "hush" not in MessageToJson(shown)
    with transaction(catalogue.app, read_only=True) as tx:
        kept = bytes(tx.execute(text("SELECT pull_credentials FROM sources")).scalar_one())
    assert b"hush" not in kept

    sent = [
        (Credentials(bearer_token="t0k"), "authorization", "Bearer t0k"),
        (Credentials(header=Credentials.Header(name="X-Api-Key", value="k3y")), "x-api-key", "k3y"),
        (oauth_client(partner), "authorization", "Bearer fresh"),
    ]
    for credentials, name, value in sent:
        change(
            catalogue, source, "pull", pull=Pull(url=partner.url, interval=HOURLY, credentials=credentials)
        )
        pull(catalogue, source)
        assert partner.asked[-1].headers[name] == value
    token = partner.asked[-2]
    assert (token.path, token.body) == ("/token", b"grant_type=client_credentials&scope=courses")
    assert token.headers["authorization"] == "Basic dXM6aHVzaA=="

    # Kept over an update that does not name them, as long as they go to the same host.
    kept_on = change(catalogue, source, "pull", pull=Pull(url=f"{partner.url}/other", interval=HOURLY))
    assert kept_on.pull.credentials_kept
    with origin(lambda _: Reply(body=feed(*many(1)))) as other:
        moved = change(catalogue, source, "pull", pull=Pull(url=other.url, interval=HOURLY))
        assert not moved.pull.credentials_kept
        pull(catalogue, source)
        assert "authorization" not in other.asked[-1].headers


def oauth_client(partner: Origin) -> Credentials:
    """Credentials by which a token is had from the partner first."""
    client = Credentials.OauthClient(
        token_url=f"{partner.url}/token", client_id="us", client_secret="hush", scope="courses"
    )
    return Credentials(oauth_client=client)


def test_a_token_that_is_refused_or_may_stand_in_no_header_is_a_run_that_failed(
    catalogue: Catalogue, partner: Origin
) -> None:
    source = pulled(catalogue, partner.url, credentials=oauth_client(partner))
    partner.answer = lambda asked: Reply(401 if asked.method == "POST" else 200)
    run = pull(catalogue, source)
    assert [each.value for each in catalogue.findings(run.name)] == ["TOKEN_REFUSED 401"]
    before = len(partner.asked)
    for said in (b'"a\\r\\nx: y"', b'"\\u00e9"', b'""', b"7"):  # what may stand in no header
        partner.answer = lambda _, said=said: Reply(body=b'{"access_token": %s}' % said)  # type: ignore[misc]
        run = pull(catalogue, source)
        assert [each.value for each in catalogue.findings(run.name)] == ["TOKEN_REFUSED"]
    assert {asked.method for asked in partner.asked[before:]} == {"POST"}


def test_no_feed_leads_inside_and_an_address_is_checked_when_it_is_given(catalogue: Catalogue) -> None:
    organisation = catalogue.organisation("partner")

    def creating(**values: Any) -> str:
        given = source_pb2.Source(organisation=organisation, display_name="Feed", format=CSV, **values)
        return reason_of(catalogue.sources().CreateSource, source_pb2.CreateSourceRequest(source=given))

    def refusal(**values: Any) -> str:
        return creating(pull=Pull(**{"interval": HOURLY, **values}))

    for url in (
        "http://169.254.169.254/latest",
        "ftp://example.org/x",
        "https://u:p@example.org/",
        "http://db.internal/",
    ):
        assert refusal(url=url) == "FEED_URL_REFUSED"
    secret = Credentials(bearer_token="t")
    assert refusal(url="http://feeds.example.org/", credentials=secret) == "FEED_URL_REFUSED"
    assert refusal(url="https://feeds.example.org/", interval=None) == "INVALID_ARGUMENT"
    times = source_pb2.PullTimes(times=["06:00"], time_zone="Europe/Nowhere")
    assert refusal(url="https://feeds.example.org/", interval=None, times=times) == "INVALID_ARGUMENT"
    assert creating(report_url="https://10.0.0.1/") == "FEED_URL_REFUSED"
    request = source_pb2.PullSourceRequest(name=catalogue.source(organisation))
    assert reason_of(catalogue.sources().PullSource, request) == "FEED_NOT_PULLED"

    # A name that leads inside is found out when it is called; control: the setting lets it through.
    with origin(lambda _: Reply(body=feed(*many(1)))) as inside:
        source = pulled_elsewhere(catalogue, organisation, inside.url.replace("127.0.0.1", "localhost"))
        allowed = catalogue.app.settings.inside_hosts
        object.__setattr__(catalogue.app.settings, "inside_hosts", frozenset())
        run = pull(catalogue)
        assert [each.value for each in catalogue.findings(run.name)] == ["ADDRESS_REFUSED"]
        assert not inside.asked
        object.__setattr__(catalogue.app.settings, "inside_hosts", allowed)
        assert pull(catalogue, source).courses_created == 1


def test_each_source_has_its_own_size_and_none_is_held_in_memory(
    catalogue: Catalogue, partner: Origin
) -> None:
    rows = [row(f"C{n}", "Welding", description="welding " * 2000) for n in range(80)]  # 1.2 MiB
    partner.answer = lambda _: Reply(body=feed(*rows))
    source = pulled(catalogue, partner.url)
    limited(catalogue, source, 1)
    refused = pull(catalogue, source)
    assert [each.value for each in catalogue.findings(refused.name)] == ["TOO_LARGE"]
    limited(catalogue, source, 2)
    taken = pull(catalogue, source)
    assert (taken.state, taken.courses_created, taken.read_count) == (Run.STATE_SUCCEEDED, 80, 80)
    # What comes goes to disk piece by piece, however much there is of it.
    partner.answer = lambda _: Reply(parts=lambda: iter([bytes(1 << 16)] * 1024))  # 64 MiB
    with TemporaryFile() as file:
        tracemalloc.start()
        try:
            fetch(Wanted(partner.url), file, catalogue.app.feeds_reach, puller._limits(10 << 30))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert file.tell() == 64 << 20
    assert peak < 4 << 20


def pulled_elsewhere(catalogue: Catalogue, organisation: str, url: str) -> str:
    return catalogue.source(organisation, pull=Pull(url=url, interval=HOURLY))


def test_a_slow_partner_holds_up_no_other(catalogue: Catalogue, partner: Origin) -> None:
    partner.answer = lambda asked: Reply(parts=lambda: slow(asked))

    def slow(asked: Asked) -> Iterator[bytes]:
        yield b""
        time.sleep(0.5 if asked.path == "/slow" else 0.0)
        yield feed(*many(1))

    organisation = catalogue.organisation("partner")
    for path in ("slow", "fast"):
        pulled_elsewhere(catalogue, organisation, f"{partner.url}/{path}")
    began = time.monotonic()
    pull_feeds(catalogue.app)
    assert time.monotonic() - began < 0.4  # the job does not wait
    catalogue.wait_for(lambda: newest(catalogue).way == Run.WAY_PULL)
    catalogue.app.puller.wait()
    run_waiting(catalogue.app)
    runs = catalogue.feed_runs().ListFeedRuns(feed_run_pb2.ListFeedRunsRequest()).feed_runs
    assert [run.courses_created for run in runs] == [1, 1]
