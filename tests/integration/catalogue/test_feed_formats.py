"""EMG 3.0, LHÉO and schema.org from upload to course: the real files, and what a broken one leaves alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from waymark.catalogue.v1 import course_pb2, feed_run_pb2, finding_pb2

from tests.support.catalogue import JSON, XML, Catalogue
from tests.support.real_data import real_data

Run = feed_run_pb2.FeedRun


def courses(catalogue: Catalogue) -> dict[str, Any]:
    answer = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(page_size=200))
    return {course.external_id: course for course in answer.courses}


@pytest.mark.parametrize(
    ("form", "path", "records"),
    [
        ("EMG_3_0", "feeds/emg-3.0/basic-sample.xml", 1),
        ("EMG_3_0", "feeds/emg-3.0/course-sample.xml", 13),
        ("LHEO", "feeds/lheo/exemple-bts-onisep.xml", 1),
        ("XCRI_CAP_1_2", "feeds/xcri-cap-1.2/ou-example.xml", 2),
    ],
)
def test_every_record_of_a_real_file_is_accounted_for(
    catalogue: Catalogue, form: str, path: str, records: int
) -> None:
    data = real_data(path).read_bytes()
    source = catalogue.source(catalogue.organisation("partner"), form, default_language="fr")
    dry = catalogue.feed(source, data, XML, dry_run=True)
    assert (dry.state, dry.records_in, dry.records_accepted) == (Run.STATE_SUCCEEDED, records, records)
    assert not courses(catalogue)

    run = catalogue.feed(source, data, XML)
    assert (run.state, run.complete) == (Run.STATE_SUCCEEDED, True)
    assert run.records_in == run.records_accepted + run.records_rejected + run.records_held == records
    assert (run.courses_created, run.error_count, run.warning_count) == (records, 0, 0)
    found = catalogue.findings(run.name)
    assert {finding.severity for finding in found} == {finding_pb2.FINDING_SEVERITY_INFO}
    paths = [finding.path for finding in found if finding.code == "FIELD_NOT_CARRIED"]
    assert len(paths) == len(set(paths))
    assert len(courses(catalogue)) == records

    again = catalogue.feed(source, data, XML)
    assert (again.courses_unchanged, again.courses_updated, again.courses_removed) == (records, 0, 0)


def test_every_record_of_the_real_elm_file_is_accounted_for_although_its_values_are_random(
    catalogue: Catalogue,
) -> None:
    data = real_data("feeds/elm-loq-3.1/loq.xml").read_bytes()
    source = catalogue.source(catalogue.organisation("partner"), "ELM_LOQ_3_1")
    run = catalogue.feed(source, data, XML)
    assert (run.state, run.complete, run.records_in) == (Run.STATE_SUCCEEDED, True, 2)
    assert run.records_in == run.records_accepted + run.records_rejected + run.records_held
    # With prices that are some, and days in order, both arrive.
    mended = re.sub(rb"<value>[-0-9.]+</value>", b"<value>100.00</value>", data)
    mended = re.sub(rb"<endDate>[^<]+</endDate>", b"<endDate>2030-01-01T00:00:00</endDate>", mended)
    run = catalogue.feed(source, mended, XML)
    assert (run.records_accepted, run.courses_created) == (2, 2)
    assert {course.eqf_level for course in courses(catalogue).values()} == {2}


def test_the_real_lheo_file_arrives(catalogue: Catalogue) -> None:
    data = real_data("feeds/lheo/exemple-bts-onisep.xml").read_bytes()
    source = catalogue.source(catalogue.organisation("lycee"), "LHEO", default_language="fr")
    catalogue.feed(source, data, XML)
    course = courses(catalogue)["9436_18706"]
    assert course.titles == {"fr": "BTS négociation et relation client"}
    assert course.eqf_level == 5
    assert "RNCP 474" in course.subjects
    (session,) = course.offerings[0].sessions
    assert (session.town, session.nuts_code) == ("QUIMPERLÉ", "FRH02")
    assert (session.start_date.year, session.end_date.year) == (2015, 2017)
    assert session.location.latitude == pytest.approx(47.882108)
    assert "<" not in course.descriptions["fr"]


def test_schema_org_by_the_line_and_what_a_cut_off_file_leaves_alone(catalogue: Catalogue) -> None:
    def line(key: str, **fields: Any) -> str:
        return json.dumps({"@type": "Course", "identifier": key, "name": key} | fields)

    source = catalogue.source(catalogue.organisation("platform"), "SCHEMA_ORG")
    lines = [line(f"C{n}") for n in range(1200)] + [line("bad", name=""), line("C0"), '{"@type": "Recipe"}']
    run = catalogue.feed(source, "\n".join(lines).encode(), JSON)
    assert run.state == Run.STATE_SUCCEEDED
    assert (run.records_in, run.records_accepted, run.records_rejected) == (1203, 1200, 3)
    found = {(finding.code, finding.record, finding.line) for finding in catalogue.findings(run.name)}
    assert found == {("TITLE_MISSING", "bad", 1201), ("ID_DOUBLED", "C0", 1202), ("ID_MISSING", "", 1203)}

    broken = catalogue.feed(source, "\n".join(lines).encode()[:-5], JSON)
    assert (broken.state, broken.complete) == (Run.STATE_FAILED, False)
    assert broken.records_in == broken.records_rejected
    assert "JSON_INVALID" in {finding.code for finding in catalogue.findings(broken.name)}
    assert len(courses(catalogue)) == 200  # a full page of what was there before
