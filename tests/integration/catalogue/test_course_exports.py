"""Courses in bulk: what was imported goes out and comes in again as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from lxml import etree
from waymark.catalogue.v1 import course_export_pb2 as pb
from waymark.catalogue.v1 import course_export_pb2_grpc, course_pb2

from services.catalogue.api import course_exports
from services.catalogue.store import courses as store
from tests.integration.catalogue.feeds import feed, many, row
from tests.support.catalogue import CSV, DEVELOPER, JSON, XML, Catalogue, with_taxonomy
from tests.support.elm_schema import elm_schema
from tests.support.real_data import real_data
from tests.support.servers import token

SCHEMA_ORG, TEMPLATE = pb.COURSE_EXPORT_FORMAT_SCHEMA_ORG, pb.COURSE_EXPORT_FORMAT_CSV_TEMPLATE


def messages(catalogue: Catalogue, access: str | None = None, **request: Any) -> list[Any]:
    stub = catalogue.stub(course_export_pb2_grpc.CourseExportServiceStub, access)
    return list(stub.ExportCourses(pb.ExportCoursesRequest(**request), timeout=60))


def exported(catalogue: Catalogue, **request: Any) -> bytes:
    return b"".join(message.data for message in messages(catalogue, **request))


def contents(catalogue: Catalogue, source: str) -> dict[str, Any]:
    """Courses of a source by the partner's id, without what belongs to that source alone."""
    answer = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(source=source, page_size=200))
    found = {}
    for course in answer.courses:
        kept = course_pb2.Course(
            titles=course.titles,
            descriptions=course.descriptions,
            kind=course.kind,
            eqf_level=course.eqf_level,
            url=course.url,
            subjects=course.subjects,
            occupations=[tag for tag in course.occupations if tag.origin != course_pb2.TAG_ORIGIN_MODEL],
            offerings=course.offerings,
        )
        for offering in kept.offerings:
            for session in offering.sessions:
                session.name = ""
        found[course.external_id] = kept
    return found


@pytest.mark.parametrize(
    ("form", "written", "content_type"), [("SCHEMA_ORG", SCHEMA_ORG, JSON), ("CSV_TEMPLATE", TEMPLATE, CSV)]
)
@pytest.mark.parametrize(
    ("real_form", "path"),
    [
        ("EMG_3_0", "feeds/emg-3.0/course-sample.xml"),
        ("EMG_3_0", "feeds/emg-3.0/basic-sample.xml"),
        ("LHEO", "feeds/lheo/exemple-bts-onisep.xml"),
    ],
)
def test_a_real_feed_goes_out_and_comes_in_again(
    catalogue: Catalogue, form: str, written: int, content_type: str, real_form: str, path: str
) -> None:
    organisation = catalogue.organisation("partner")
    first = catalogue.source(organisation, real_form)
    catalogue.feed(first, real_data(path).read_bytes(), XML)
    data = exported(catalogue, format=written, source=first)
    second = catalogue.source(organisation, form)
    run = catalogue.feed(second, data, content_type)
    assert (run.error_count, run.warning_count) == (0, 0)
    assert contents(catalogue, second) == contents(catalogue, first) != {}


def test_elm_goes_out_valid_and_comes_in_again(catalogue: Catalogue, tmp_path: Path) -> None:
    with_taxonomy(catalogue)
    source = catalogue.source(catalogue.organisation("partner"))
    rows = [row("C1", "Welding", occupations=DEVELOPER, town="Gent"), row("C1", "Welding", session_id="S2")]
    catalogue.feed(source, feed(*rows, many(3)[0], many(3)[2]))
    data = exported(catalogue, format=pb.COURSE_EXPORT_FORMAT_ELM_LOQ_3_1)
    elm_schema(tmp_path / "elm").assertValid(etree.fromstring(data))
    assert b">PARTNER</legalName>" in data
    again = catalogue.source("organisations/partner", "ELM_LOQ_3_1")
    run = catalogue.feed(again, data, XML)
    # A session is a course there.
    assert (run.records_accepted, run.error_count, run.warning_count) == (4, 0, 0)
    sessions = [o.sessions[0] for course in contents(catalogue, again).values() for o in course.offerings]
    assert {session.price.units for session in sessions} == {100}
    assert {session.nuts_code for session in sessions} == {"BE211"}


def test_languages_and_tags_of_partners_come_back(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    organisation = catalogue.organisation("partner")
    first, second = (catalogue.source(organisation, form) for form in ("CSV_TEMPLATE", "SCHEMA_ORG"))
    catalogue.feed(first, feed(row("A", "Software", occupations=DEVELOPER, subjects="code|craft, hand")))
    both = json.loads(exported(catalogue, source=first))
    both["name"].append({"@value": "Logiciel", "@language": "fr"})
    catalogue.feed(second, json.dumps(both).encode(), JSON)
    again = exported(catalogue, source=second)
    assert json.loads(again) == both
    assert contents(catalogue, second)["A"].titles == {"en": "Software", "fr": "Logiciel"}
    assert contents(catalogue, second)["A"].occupations[0].uri == DEVELOPER


def test_it_comes_in_parts_and_of_whom_was_asked(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour, quay = (catalogue.organisation(name) for name in ("harbour", "quay"))
    for organisation in (harbour, quay):
        catalogue.feed(catalogue.source(organisation), feed(*many(25)))
    monkeypatch.setattr(store, "AT_ONCE", 4)
    monkeypatch.setattr(course_exports, "CHUNK", 1000)
    parts = messages(catalogue)
    assert len(parts) > 10
    assert {part.content_type for part in parts} == {"application/x-ndjson"}
    assert b"".join(part.data for part in parts).count(b"\n") == 50
    assert exported(catalogue, organisation=harbour).count(b"\n") == 25
    assert exported(catalogue, organisation=harbour, format=TEMPLATE).count(b"\r\n") == 26
    assert exported(catalogue, organisation=catalogue.organisation("nobody")) == b""


def test_a_learner_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        messages(catalogue, token("learner"))
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
