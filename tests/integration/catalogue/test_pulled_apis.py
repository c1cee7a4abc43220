"""Feeds that are walked page by page: Open Education APIs of partners; the servers are real."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from waymark.catalogue.v1 import course_pb2, feed_run_pb2, source_pb2

from services.catalogue.feeding import ooapi_pages, puller
from tests.integration.catalogue.feeds import pull, pulled
from tests.support.catalogue import Catalogue
from tests.support.origins import Asked, Origin, Reply

Run = feed_run_pb2.FeedRun
Pull, Credentials = source_pb2.FeedPull, source_pb2.PullCredentials


def value_of(catalogue: Catalogue, run: Run) -> str:
    """With what the fetch of a run failed."""
    (found,) = catalogue.findings(run.name)
    assert (run.state, found.code) == (Run.STATE_FAILED, "FETCH_FAILED")
    return str(found.value)


class Api:
    """An Open Education API of so many courses, two a page whatever page size is asked for; each has two
    offerings, a page each. It wants a token."""

    def __init__(self, count: int) -> None:
        self.courses = [
            {"courseId": f"c/{n}", "name": [{"language": "en", "value": f"Course {n}"}]} for n in range(count)
        ]
        self.endless = False

    def __call__(self, asked: Asked) -> Reply:
        path, query = urlsplit(asked.path).path, parse_qs(urlsplit(asked.path).query)
        if path == "/token":
            return Reply(body=b'{"access_token": "fresh"}')
        if asked.headers.get("authorization") != "Bearer fresh":
            return Reply(401)
        if path == "/v6/courses":
            return self.page(self.courses, 2, query)
        if path.startswith("/v6/courses/") and path.endswith("/course-offerings"):
            key = unquote(path.split("/")[3])
            offerings = [
                {"courseOfferingId": f"{key}-{n}", "startDateTime": f"2030-0{n}-01T00:00:00Z"} for n in (1, 2)
            ]
            return self.page(offerings, 1, query)
        return Reply(404)

    def page(self, items: list[Any], size: int, query: dict[str, list[str]]) -> Reply:
        number = int(query["pageNumber"][0])
        part = items[(number - 1) * size : number * size]
        more = self.endless or number * size < len(items)
        body = {"pageNumber": number, "items": items if self.endless else part, "hasNextPage": more}
        return Reply(body=json.dumps(body).encode())


def test_an_open_education_api_is_walked_page_by_page(
    catalogue: Catalogue, partner: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.answer = api = Api(6)
    client = Credentials.OauthClient(token_url=f"{partner.url}/token", client_id="us", client_secret="hush")
    source = pulled(catalogue, f"{partner.url}/v6", "OOAPI_6", credentials=Credentials(oauth_client=client))
    run = pull(catalogue)
    assert (run.state, run.records_in, run.courses_created) == (Run.STATE_SUCCEEDED, 6, 6)
    answer = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest())
    sessions = {
        c.external_id: [s.external_id for o in c.offerings for s in o.sessions] for c in answer.courses
    }
    assert sessions == {f"c/{n}": [f"c/{n}-1", f"c/{n}-2"] for n in range(6)}
    # A token, three pages of courses, two of offerings for each, and the programmes that it does not have.
    assert len(partner.asked) == 1 + 3 + 12 + 1
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED
    api.courses.pop()
    assert pull(catalogue, source).courses_removed == 1

    # What has no end, what is no page, what is no API: each is a run that failed, and nothing is removed.
    monkeypatch.setattr(ooapi_pages, "PAGES", 20)
    api.endless = True
    assert value_of(catalogue, pull(catalogue, source)) == "TOO_LARGE"
    api.endless = False
    with monkeypatch.context() as patch:
        patch.setattr(ooapi_pages, "SECONDS", 0.0)
        assert value_of(catalogue, pull(catalogue, source)) == "TIMEOUT"
        patch.undo()
        patch.setattr(puller, "Pages", lambda *given: ooapi_pages.Pages(*given[:3], 100))  # bytes
        assert value_of(catalogue, pull(catalogue, source)) == "TOO_LARGE"
    assert pull(catalogue, source).state == Run.STATE_UNCHANGED  # control
    partner.answer = lambda asked: Reply(body=b"<html>") if asked.method == "GET" else api(asked)
    assert value_of(catalogue, pull(catalogue, source)) == "NOT_OOAPI"
    partner.answer = lambda asked: Reply(404) if asked.method == "GET" else api(asked)
    assert value_of(catalogue, pull(catalogue, source)) == "STATUS 404"
    assert len(catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses) == 5


@pytest.mark.parametrize(("most", "pages"), [(None, 4), (1 << 40, 40)], ids=["capped", "control"])
def test_an_api_cannot_make_us_hold_more_offerings_of_a_course_than_a_record_may_have(
    catalogue: Catalogue, partner: Origin, monkeypatch: pytest.MonkeyPatch, most: int | None, pages: int
) -> None:
    """They are in memory together until the course is written down."""
    monkeypatch.setattr(ooapi_pages, "PAGES", 42)
    if most is not None:
        monkeypatch.setattr(ooapi_pages, "OFFERINGS", most)
    body = {"items": [{"courseOfferingId": "1", "remark": "x" * (2 << 20)}], "hasNextPage": True}
    heavy = json.dumps(body).encode()

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/courses?"):
            return Reply(body=b'{"items": [{"courseId": "c"}], "hasNextPage": false}')
        return Reply(body=heavy)

    partner.answer = answer
    pulled(catalogue, partner.url, "OOAPI_6")
    assert value_of(catalogue, pull(catalogue)) == "TOO_LARGE"
    assert pages - 1 <= sum("offerings" in asked.path for asked in partner.asked) <= pages + 1


@pytest.mark.parametrize("where", ["courses", "offerings"])
def test_a_page_of_an_api_of_too_many_values_is_refused_and_control(
    catalogue: Catalogue, partner: Origin, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    dense = json.dumps([[] for _ in range(20_000)])
    course = {"courseId": "c", "more": "MANY" if where == "courses" else ""}
    offering = {"courseOfferingId": "1", "more": "MANY" if where == "offerings" else ""}

    def answer(asked: Asked) -> Reply:
        if "programmes" in asked.path:
            return Reply(404)
        item = offering if "offerings" in asked.path else course
        body = json.dumps({"items": [item], "hasNextPage": False}).replace('"MANY"', dense)
        return Reply(body=body.encode())

    partner.answer = answer
    source = pulled(catalogue, partner.url, "OOAPI_6")
    limits = replace(ooapi_pages.PAGE_LIMITS, size=200_000)  # bytes of a page are far less than that
    monkeypatch.setattr(ooapi_pages, "PAGE_LIMITS", limits)
    assert value_of(catalogue, pull(catalogue)) == "TOO_LARGE"
    monkeypatch.setattr(ooapi_pages, "weight", lambda data, _: len(data))  # the guard off: bytes alone count
    assert pull(catalogue, source).state == Run.STATE_SUCCEEDED
