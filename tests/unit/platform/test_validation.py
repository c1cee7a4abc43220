"""Which fields of a request hold what no text of the database can."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from waymark.catalogue.v1 import course_pb2, shortage_list_pb2
from waymark.portfolio.v1 import credential_pb2

from services.platform.rpc.interceptors import validation
from services.platform.rpc.interceptors.validation import violations_of

NAME = "courses/00000000-0000-4000-8000-000000000000"


def fields(message: Message) -> list[str]:
    """The fields that are refused for it."""
    found = violations_of(message, message.SerializeToString())
    return [each.field for each in found if "NUL" in each.description]


def test_each_field_is_named_however_deep_it_is() -> None:
    course = course_pb2.Course(
        name=NAME,
        titles={"en": "a\0", "fr": "b"},
        occupations=[course_pb2.OccupationTag(uri="a"), course_pb2.OccupationTag(uri="\0")],
        subjects=["\0", "a", "\0"],
    )
    request = course_pb2.CorrectCourseRequest(course=course)
    request.update_mask.paths.append("titles\0")
    assert set(fields(request)) == {
        'course.titles["en"]',
        "course.occupations[1].uri",
        "course.subjects[0]",
        "course.subjects[2]",
        "update_mask.paths[0]",
    }


def test_a_key_is_a_text_too() -> None:
    assert fields(shortage_list_pb2.CreateShortageListRequest(display_names={"\0": "a"})) == ["display_names"]


def test_bytes_and_numbers_may_have_it() -> None:
    assert fields(credential_pb2.ImportCredentialRequest(parent="holders/a", content=b"a\0b")) == []
    assert fields(course_pb2.GetCourseRequest(name=NAME)) == []


def test_not_all_are_named_of_a_request_full_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    full = course_pb2.Course(subjects=["\0"] * (validation.TOLD + 1))
    assert len(fields(full)) == validation.TOLD
    monkeypatch.setattr(validation, "TOLD", None)
    assert len(fields(full)) == len(full.subjects)  # control
