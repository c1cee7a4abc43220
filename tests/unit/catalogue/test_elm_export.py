"""Courses as ELM 3.1: valid by its XSD, and read again as what the format has room for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.exports.elm import ElmWriter
from services.catalogue.imports.elm import Elm
from tests.support.elm_schema import elm_schema
from tests.support.real_data import real_data
from tests.unit.catalogue.feeds import codes, read_all
from tests.unit.catalogue.test_exports import CONTEXT, TAG, documents

SESSION = {
    "id": "018f0000-0000-7000-8000-00000000000a",
    "external_id": "S1",
    "start": "2030-03-01",
    "end": "2030-04-01",
    "apply_until": "2030-02-01",
    "currency": "EUR",
    "cents": 45050,
    "nuts": "BE234",
    "town": "Gent",
    "postcode": "9000",
    "lat": 51.05,
    "lon": 3.72,
}
COURSE_OF_ONE: Document = {
    "titles": {"en": "Welding & <b>joining</b>", "nl": "Lassen"},
    "descriptions": {"en": '=cmd|" /C calc"!A0 \x0b ]]> <script>'},
    "kind": "course",
    "eqf_level": 4,
    "url": "https://example.org/?a=1&b=2",
    "subjects": ["Welding", "ISCED-F 0715"],
    "occupations": [TAG],
    "awarding_body": "Guild <of> welders",
    "offerings": [{"mode": CourseMode.COURSE_MODE_BLENDED, "language": "nl", "sessions": [SESSION]}],
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    return elm_schema(tmp_path_factory.mktemp("elm"))


def written(found: Iterable[Document]) -> bytes:
    writer = ElmWriter(lambda ids: {each: f"Provider <{each}>" for each in ids})
    rows = [
        SimpleNamespace(
            id=f"018f0000-0000-7000-8000-{number:012}", organisation_id="harbour", document=document
        )
        for number, document in enumerate(found)
    ]
    return b"".join([writer.head(), *map(writer.course, rows), *writer.tail()])


def valid(schema: etree.XMLSchema, data: bytes) -> Any:
    root = etree.fromstring(data)
    schema.assertValid(root)
    return root


def test_the_schema_takes_the_real_file_and_refuses_a_wrong_one(schema: etree.XMLSchema) -> None:
    data = real_data("feeds/elm-loq-3.1/loq.xml").read_bytes()
    valid(schema, data)
    assert not schema.validate(etree.fromstring(data.replace(b"snb/eqf/2", b"snb/eqf/9")))  # control
    assert not schema.validate(etree.fromstring(data.replace(b'idref="http://ORG-01"', b'idref="http://NO"')))


def test_a_course_is_valid_and_comes_back(schema: etree.XMLSchema) -> None:
    data = written([COURSE_OF_ONE])
    valid(schema, data)
    found, findings = read_all(Elm(), data, CONTEXT)
    assert codes(findings) == []
    (key, again), (offering,) = found[0], found[0][1]["offerings"]
    assert key == f"urn:uuid:{SESSION['id']}"
    assert again["titles"] == {"en": "Welding & joining", "nl": "Lassen"}
    same = ("eqf_level", "url", "subjects", "awarding_body")
    assert {name: again[name] for name in same} == {name: COURSE_OF_ONE[name] for name in same}
    assert [tag["uri"] for tag in again["occupations"]] == [TAG["uri"]]
    assert (offering["mode"], offering["language"]) == (CourseMode.COURSE_MODE_BLENDED, "nl")
    own = {
        name: value for name, value in offering["sessions"][0].items() if name not in ("id", "external_id")
    }
    assert own == {name: value for name, value in SESSION.items() if name not in ("id", "external_id")}


def test_a_cancelled_session_is_left_out_as_the_format_cannot_say_it() -> None:
    gone = {**SESSION, "id": SESSION["id"].replace("a", "b"), "external_id": "S2", "cancelled": True}
    (offering,) = COURSE_OF_ONE["offerings"]
    both = {**COURSE_OF_ONE, "offerings": [{**offering, "sessions": [SESSION, gone]}]}
    assert written([both]) == written([COURSE_OF_ONE])


@settings(max_examples=25, deadline=None)
@given(documents(languages=3))
def test_whatever_the_catalogue_holds_is_valid_and_read_without_a_finding(
    schema: etree.XMLSchema, document: Document
) -> None:
    data = written([document, {**document, "offerings": []}])
    valid(schema, data)
    found, findings = read_all(Elm(), data, CONTEXT)
    assert set(codes(findings)) <= {"VALUES_SEVERAL", "SUBJECTS_CUT"}
    sessions = [each for each in courses.sessions(document) if not courses.is_cancelled(each)]
    assert len(found) == max(1, len(sessions)) + 1
    for (_, again), session in zip(found, sessions, strict=False):
        assert again["titles"] == document["titles"]
        assert again.get("awarding_body") == document.get("awarding_body")
        kept = [s for offering in again["offerings"] for s in offering["sessions"]]
        for name in ("start", "end", "cents", "currency", "apply_until"):
            assert [s.get(name) for s in kept] in ([session.get(name)], [])


def test_an_empty_catalogue_is_a_valid_file(schema: etree.XMLSchema) -> None:
    valid(schema, written([]))


def test_what_is_not_kept_apart_is_not_written_twice(tmp_path: Path) -> None:
    root = etree.fromstring(written([COURSE_OF_ONE] * 3))
    assert len(root.findall(".//{*}agentReferences/{*}organisation")) == 2  # who teaches and who awards
    assert len(root.findall(".//{*}locationReferences/{*}location")) == 3  # those of both, and Gent
