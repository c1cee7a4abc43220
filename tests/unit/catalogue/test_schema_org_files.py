"""schema.org JSON-LD: files in every shape, odd and broken ones, and ones that ask for too much."""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports import feed as feed_module
from services.catalogue.imports import json_ld, json_records
from services.catalogue.imports.feed import Bounded, FeedBroken
from tests.unit.catalogue.feeds import codes, read_all
from tests.unit.catalogue.schema_org import (
    INSTANCE,
    OFFER,
    PLACE,
    READER,
    SHAPES,
    course,
    feed,
)

DEEP = json_records.MAX_DEPTH + 1


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_a_file(shape: str) -> None:
    data = SHAPES[shape](course("C1"), course("C2")).encode()
    documents, found = read_all(READER, data)
    assert [key for key, _ in documents] == ["C1", "C2"]
    assert codes(found) == []


@pytest.mark.parametrize("value", [7, "text", None, True, [], {}, [[{}]]])
def test_what_is_no_object_is_a_record_without_id(value: object) -> None:
    documents, found = read_all(READER, feed(value))
    assert (documents, codes(found)) == ([], ["TYPE_UNKNOWN"])


def test_kinds_that_are_made_up_do_not_grow_in_memory_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(*(course(f"C{n}", **{f"made up {n}": 1}) for n in range(200)))
    monkeypatch.setattr(feed_module, "MAX_KINDS", 50)
    assert len(read_all(READER, data)[1]) == 50
    monkeypatch.setattr(feed_module, "MAX_KINDS", 1 << 40)  # the guard off
    assert len(read_all(READER, data)[1]) == 200


def test_depth_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(course(more=json.loads("[" * DEEP + "]" * DEEP)))
    with pytest.raises(FeedBroken):
        read_all(READER, data)
    monkeypatch.setattr(json_records, "MAX_DEPTH", 1 << 10)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (feed(course())[:-20], "JSON_INVALID"),
        (json.dumps(course()).encode() + b"\n{", "JSON_INVALID"),
        (feed(course(name="caf")).replace(b"caf", b"caf\xe9"), "JSON_INVALID"),
        (feed(course()).decode().encode("utf-16"), "JSON_INVALID"),
        (feed(course()).replace(b"12}", b"9" * 5000 + b"}"), "JSON_INVALID"),
        (feed(course()).replace(b"12}", b"1e99999999999999999999}"), "JSON_INVALID"),
        (b"[[" + b"[" * DEEP + b"]" * DEEP + b"]]", "JSON_TOO_DEEP"),
        (b'{"a":' * (DEEP + 1) + b"1" + b"}" * (DEEP + 1), "JSON_TOO_DEEP"),
        (b"[" * 100_000, "JSON_TOO_DEEP"),
        (b'{"a":NaN}', "JSON_INVALID"),
        (b'[{"a":1},]', "JSON_INVALID"),
        (b'[{"a":1} {"a":1}]', "JSON_INVALID"),
        (b'{"a":1,}', "JSON_INVALID"),
        (b"{1:2}", "JSON_INVALID"),
        (b"<html/>", "JSON_INVALID"),
        (b"", "JSON_INVALID"),
    ],
    ids=[
        "cut off",
        "line cut off",
        "latin",
        "utf-16",
        "digits",
        "exponent",
        "arrays",
        "objects",
        "arrays never closed",
        "nan",
        "comma at the end of an array",
        "no comma",
        "comma at the end of an object",
        "no name",
        "html",
        "empty",
    ],
)
def test_attacks_and_accidents(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code


def test_texts_that_no_database_holds() -> None:
    data = feed(course()).replace(b'"Welding"', b'"a\\u0000b\\ud800c"').replace(b'"C1"', b'"C\\u00001"')
    documents, _ = read_all(READER, data)
    assert "\0" not in documents[0][0] + documents[0][1]["titles"]["en"]


def test_endless_record_is_cut_off_and_control() -> None:
    data = feed(course(name="x" * 300_000))
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data, limit=100_000)
    assert broken.value.finding.code == "RECORD_TOO_LARGE"
    assert len(read_all(READER, data, limit=1 << 40)[0]) == 1  # the guard off: it goes in


def test_nodes_apart_are_bounded_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(*({"@id": f"#{n}", **PLACE} for n in range(200)), course())
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 20_000)
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == "NODES_TOO_LARGE"
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 1 << 40)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1


def test_instances_apart_are_let_go_once_their_course_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 2_000)  # of two or three at a time
    pairs = [
        each
        for n in range(100)
        for each in (INSTANCE | {"@id": f"#{n}"}, course(f"C{n}", hasCourseInstance={"@id": f"#{n}"}))
    ]
    documents, found = read_all(READER, feed(*pairs))
    assert (len(documents), codes(found)) == (100, [])


def test_references_that_multiply_are_bounded_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each node refers to the next thirty times: thirty to the third power, when followed to the end."""
    nodes = [{"@id": "#0", "@type": "Place", "name": "x" * 100}]
    nodes += [{"@id": f"#{n}", "@type": "Place", "address": [{"@id": f"#{n - 1}"}] * 30} for n in range(1, 4)]
    data = feed(*nodes, course(hasCourseInstance={"@type": "CourseInstance", "location": {"@id": "#3"}}))

    def size() -> int:
        return max(len(raw.raw) for raw in READER.records(Bounded(io.BytesIO(data))))

    assert size() < 300_000
    monkeypatch.setattr(json_ld, "MAX_REFERENCES", 1 << 40)  # the guard off
    assert size() > 3_000_000


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, b'[{"@type":"Course","name":' + data + b"}]"):
        with contextlib.suppress(FeedBroken):  # anything else fails the test
            read_all(READER, whole)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["@id", "@value", "name"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted({*course(), *INSTANCE, "keywords", "about", "educationalLevel", "url"})), JSON)
def test_any_value_of_any_field(field: str, value: Any) -> None:
    read_all(READER, feed(course(**{field: value})))
    read_all(READER, feed(course(hasCourseInstance=INSTANCE | {field: value})))
    read_all(READER, feed(course(hasCourseInstance=INSTANCE | {"offers": OFFER | {"price": value}})))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_however_the_bytes_come(shape: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = SHAPES[shape](*(course(f"C{n}", description="né 😀 \\ \n") for n in range(5))).encode()
    whole = read_all(READER, data)
    monkeypatch.setattr(json_records, "_CHUNK", size)
    assert read_all(READER, data) == whole


@pytest.mark.parametrize("shape", ["array", "graph"])
def test_cut_anywhere_is_noticed(shape: str) -> None:
    data = SHAPES[shape](course("C1"), course("C2")).encode()
    for length in range(len(data)):
        with pytest.raises(FeedBroken):
            read_all(READER, data[:length])


def test_lines_are_told() -> None:
    data = json.dumps([course("C1"), course("C2", name="")], indent=1)
    _, found = read_all(READER, data.encode())
    (missing,) = (finding for finding in found if finding.code == "TITLE_MISSING")
    assert data.splitlines()[missing.line].strip() == '"@type": "Course",'
    assert missing.line > 20


class Endless:
    """A stream of courses, made as they are read."""

    def __init__(self, count: int) -> None:
        each = json.dumps(course(description="x" * 1000)).encode()
        self.parts = (each.replace(b'"C1"', b'"C%d"' % n) + b"\n" for n in range(count))

    def read(self, size: int = -1, /) -> bytes:
        return next(self.parts, b"")


def peak(count: int) -> int:
    tracemalloc.start()
    try:
        for _ in READER.records(Bounded(Endless(count))):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MANY = {"lists": [], "pairs": {"a": 1}, "numbers": 1.5, "texts": "a"}


def held(data: bytes) -> int:
    """The most that was in memory while records were read as the importer reads them, bytes."""
    tracemalloc.start()
    try:
        with contextlib.suppress(FeedBroken):
            for _ in feed_module.batches(READER, READER.records(Bounded(io.BytesIO(data))), 1000, 200_000):
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", MANY)
def test_many_values_of_one_record_are_refused_and_control(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = feed(course(more=[MANY[shape]] * 40_000))
    monkeypatch.setattr(json_records, "MAX_VALUES", 8_000)
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == "JSON_TOO_MANY_VALUES"
    capped = held(data)
    monkeypatch.setattr(json_records, "MAX_VALUES", 1 << 40)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1
    assert held(data) > 1.5 * capped


@pytest.mark.parametrize("chunk", [1000, 1 << 20])
def test_how_many_values_are_too_many_does_not_depend_on_how_the_bytes_come(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_records, "_CHUNK", chunk)
    monkeypatch.setattr(json_records, "MAX_VALUES", 5_000)
    beside = course("C2", more=list(range(4_000)))
    for_all = [SHAPES[shape] for shape in ("array", "graph", "lines")]
    for shaped in for_all:
        good = shaped(course(more=list(range(4_900))), beside, course("C3")).encode()
        assert [key for key, _ in read_all(READER, good)[0]] == ["C1", "C2", "C3"]
        bad = shaped(course(more=list(range(5_000))), beside).encode()
        with pytest.raises(FeedBroken):
            read_all(READER, bad)
    many_fields = json.dumps(course() | {f"f{number}": [number] for number in range(2_000)}).encode()
    with pytest.raises(FeedBroken):
        read_all(READER, many_fields)


def test_commas_and_brackets_of_texts_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_VALUES", 1_000)
    wordy = 'a, [b] {c} "d" \\ ' * 20_000
    for data in (feed(course(description=wordy), course("C2")), feed(course(), course("C2", name=wordy))):
        for chunk in (1, 2, 65536):
            with monkeypatch.context() as patch:
                patch.setattr(json_records, "_CHUNK", max(chunk, len(data) // 5))
                assert len(read_all(READER, data)[0]) == 2


def test_dense_records_are_not_held_by_the_thousand_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(*(course(f"C{number}", more=[[]] * 1_000) for number in range(40)))
    bounded = held(data)
    monkeypatch.setattr(feed_module, "weight", lambda raw, _: len(raw))  # the guard off: bytes alone count
    assert held(data) > 2 * bounded


def test_memory_stays_flat_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    few = peak(200)
    assert peak(2000) < 1.5 * few
    kept: list[Any] = []
    monkeypatch.setattr(json_ld, "normal", lambda value: kept.append(value) or value)  # control
    assert peak(2000) > 5 * few
