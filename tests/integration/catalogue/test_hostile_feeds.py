"""What a partner's server can do to us, one hostility after another on one source: each is a run that says
why, in bounded time and memory, and what was served before stays served."""

from __future__ import annotations

import gzip
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import course_pb2, feed_run_pb2

from services.catalogue.domain import guard
from services.catalogue.feeding import puller
from services.catalogue.imports import pipeline
from services.catalogue.imports.feed import Raw
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, many, pull, pulled
from tests.support.catalogue import JSON, Catalogue
from tests.support.origins import Asked, Origin, Reply

Run = feed_run_pb2.FeedRun
COURSES = 20
PEAK = 96 << 20  # bytes that the worst of them may add to the most memory the process ever had
_UNIT = 1 if sys.platform == "darwin" else 1024
PACKED = {"content-encoding": "gzip"}
GOOD = feed(*many(COURSES))
LAUGHS = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
HEADER = GOOD.partition(b"\r\n")[0] + b"\r\n"


def endless() -> Iterator[bytes]:
    while True:
        yield GOOD


def drip() -> Iterator[bytes]:
    for byte in GOOD:
        yield bytes([byte])
        time.sleep(0.05)


def one_record() -> Iterator[bytes]:
    yield HEADER + b'C1,"'
    while True:
        yield b"x" * 65536


# Reply, and what the run says: state, and the value or code of its finding.
HOSTILE: dict[str, tuple[Callable[[], Reply], int, str]] = {
    "ten gigabytes": (lambda: Reply(length=str(10 << 30)), Run.STATE_FAILED, "TOO_LARGE"),
    "endless": (lambda: Reply(parts=endless), Run.STATE_FAILED, "TOO_LARGE"),
    "slow": (lambda: Reply(parts=drip), Run.STATE_FAILED, "TIMEOUT"),
    "truncated": (lambda: Reply(body=GOOD[:-40], length=str(len(GOOD))), Run.STATE_FAILED, "TRUNCATED"),
    "truncated within a quote": (lambda: Reply(body=HEADER + b'C1,"Wel'), Run.STATE_FAILED, "CSV_INVALID"),
    "wrong encoding": (
        lambda: Reply(body=GOOD.replace(b"Course", b"Caf\xe9")),
        Run.STATE_FAILED,
        "ENCODING_INVALID",
    ),
    "zip bomb": (
        lambda: Reply(body=gzip.compress(bytes(64 << 20)), headers=PACKED),
        Run.STATE_FAILED,
        "BOMB",
    ),
    "one record without end": (lambda: Reply(parts=one_record), Run.STATE_FAILED, "TOO_LARGE"),
    "a page for people": (lambda: Reply(body=b"<html>Log in</html>"), Run.STATE_FAILED, "HEADER_INVALID"),
    "an empty file": (lambda: Reply(body=b""), Run.STATE_HELD, ""),
    "a header alone": (lambda: Reply(body=HEADER), Run.STATE_HELD, ""),
    "a fifth gone": (lambda: Reply(body=feed(*many(COURSES)[:16])), Run.STATE_HELD, ""),
}


@pytest.fixture
def source(catalogue: Catalogue, partner: Origin, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source whose good feed of COURSES is served. Its limits are those of the service, scaled down."""
    limits = replace(puller.LIMITS, size=12 << 20, seconds=1.0, silence=0.5, tries=1)
    monkeypatch.setattr(puller, "LIMITS", limits)
    found = pulled(catalogue, partner.url)
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE sources SET max_feed_mib = 12"))
    partner.answer = lambda _: Reply(body=GOOD)
    assert pull(catalogue, found).courses_created == COURSES
    return found


def served(catalogue: Catalogue) -> int:
    answer = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(page_size=200))
    return len([course for course in answer.courses if course.offerings[0].sessions])


def test_no_partner_can_make_us_lose_courses_or_stand_still(
    catalogue: Catalogue, source: str, partner: Origin
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    for name, (reply, state, said) in HOSTILE.items():
        ready = reply()  # beforehand: packing a bomb takes longer than the silence that is borne
        partner.answer = lambda _, ready=ready: ready  # type: ignore[misc]
        began = time.monotonic()
        run = pull(catalogue, source)
        assert time.monotonic() - began < 30, name  # they would go on for ever
        assert run.state == state, name
        found = {each.code: each.value for each in catalogue.findings(run.name)}
        assert not said or said in (*found, *found.values()), name
        assert served(catalogue) == COURSES, name
        if run.state == Run.STATE_HELD:
            catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=run.name))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT - before < PEAK
    partner.answer = lambda _: Reply(body=feed(*many(COURSES + 1)))
    assert pull(catalogue, source).courses_created == 1  # and the next good one counts


@pytest.mark.parametrize(("most", "held"), [(None, 8), (1 << 40, 30)], ids=["capped", "control"])
def test_large_records_are_not_in_memory_together(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, most: int | None, held: int
) -> None:
    """Ten records of 3 MiB, each below what a record may have."""
    if most is not None:
        monkeypatch.setattr(pipeline, "READ_BYTES", most)
    read, together = pipeline.FeedImport._read_batch, []

    def counted(self: pipeline.FeedImport, batch: list[Raw], before: set[str]) -> Any:
        together.append(sum(len(raw.raw) for raw in batch))
        return read(self, batch, before)

    monkeypatch.setattr(pipeline.FeedImport, "_read_batch", counted)
    large = (
        {"@type": "Course", "@id": f"C{n}", "name": "C", "description": "x " * (3 << 19)} for n in range(10)
    )
    lines = "\n".join(map(json.dumps, large)).encode()
    source = catalogue.source(catalogue.organisation("harbour"), "SCHEMA_ORG")
    run = catalogue.feed(source, lines, JSON)
    assert (run.state, run.records_in, run.courses_created) == (Run.STATE_SUCCEEDED, 10, 10)
    assert held << 20 <= max(together) <= (held + 4) << 20


def test_control_without_the_guard_an_emptied_feed_takes_the_courses_along(
    catalogue: Catalogue, source: str, partner: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "judge", lambda _: guard.Verdict(guard.NONE, removes=True))
    partner.answer = lambda _: Reply(body=HEADER)
    pull(catalogue, source)
    assert served(catalogue) == 0


@pytest.mark.parametrize("form", ["XCRI_CAP_1_2", "EMG_3_0", "LHEO", "ELM_LOQ_3_1"])
def test_a_billion_laughs_are_none_in_any_xml(catalogue: Catalogue, partner: Origin, form: str) -> None:
    laughing = (
        b'<?xml version="1.0"?><!DOCTYPE Courses [<!ENTITY a0 "ha">' + LAUGHS + b"]><Courses>&a11;</Courses>"
    )
    partner.answer = lambda _: Reply(body=laughing)
    source = pulled(catalogue, partner.url, form)
    run = pull(catalogue, source)
    assert (run.state, [each.code for each in catalogue.findings(run.name)]) == (
        Run.STATE_FAILED,
        ["DTD_FORBIDDEN"],
    )


def test_markup_and_formulas_are_text(catalogue: Catalogue, partner: Origin) -> None:
    asked: list[Asked] = []
    evil = many(1)
    evil[0] |= {
        "title": "<img src=x onerror=alert(1)>Welding",
        "description": "<script>alert(1)</script><p>Weld</p>",
        "url": "javascript:alert(1)",
        "subjects": "=HYPERLINK(1)",
    }

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply(body=feed(*evil))

    partner.answer = answer
    source = pulled(catalogue, partner.url)
    assert pull(catalogue, source).records_accepted == 1
    (course,) = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    assert (course.titles["en"], course.descriptions["en"], course.url) == ("Welding", "Weld", "")
    assert len(asked) == 1  # nothing within a feed is called
