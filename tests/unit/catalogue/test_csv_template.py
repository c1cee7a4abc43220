"""The CSV template: good rows, bad rows, files that are no CSV, and anything Hypothesis thinks of."""

from __future__ import annotations

import contextlib
import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.catalogue.domain.findings import Findings
from services.catalogue.imports import values
from services.catalogue.imports.csv_template import COLUMNS, CsvTemplate
from services.catalogue.imports.feed import Bounded, Context, FeedBroken, Occupation
from tests.unit.catalogue.feeds import codes, read_all

READER = CsvTemplate()


def feed(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


GOOD = {
    "course_id": "W1",
    "title": "Welding",
    "language": "nl",
    "session_id": "S1",
    "start_date": "2026-09-01",
    "end_date": "2026-12-01",
    "price": "1250,50",
    "currency": "EUR",
    "mode": "on_site",
    "instruction_language": "nl-BE",
    "nuts_code": "BE211",
    "latitude": "51.2",
    "longitude": "4.4",
    "capacity": "12",
    "eqf_level": "4",
    "url": "https://partner.example/w1",
}


@pytest.mark.parametrize(
    ("said", "cancelled", "code"),
    [
        ("", False, []),
        ("Cancelled ", True, []),
        ("scheduled", False, []),
        ("full", False, ["SESSION_STATUS_UNKNOWN"]),
    ],
)
def test_a_session_says_whether_it_takes_place(said: str, cancelled: bool, code: list[str]) -> None:
    documents, found = read_all(READER, feed(GOOD | {"status": said}))
    (session,) = documents[0][1]["offerings"][0]["sessions"]
    assert (session.get("cancelled", False), codes(found)) == (cancelled, code)


def test_a_file_from_before_the_column_is_read() -> None:
    header, first = feed(GOOD).decode().splitlines()
    assert header.endswith(",status,awarding_body")
    documents, found = read_all(
        READER, f"{header.removesuffix(',status,awarding_body')}\n{first[:-2]}\n".encode()
    )
    assert (len(documents), found) == (1, [])


def test_a_course_with_two_sessions() -> None:
    documents, found = read_all(READER, feed(GOOD, GOOD | {"session_id": "S2", "start_date": ""}))
    assert not found
    (key, document), *others = documents
    assert (key, others) == ("W1", [])
    assert document["titles"] == {"nl": "Welding"}
    offering = document["offerings"][0]
    assert (offering["mode"], offering["language"]) == (1, "nl")
    first, second = offering["sessions"]
    assert (first["cents"], first["nuts"], first["capacity"]) == (125050, "BE211", 12)
    assert "start" not in second


def test_occupations_must_be_known() -> None:
    context = Context(
        taxonomy_version="1", occupations={"http://x/1": Occupation("http://x/1", "7212", "welder")}
    )
    documents, found = read_all(READER, feed(GOOD | {"occupations": "http://x/1|http://x/2"}), context)
    assert [tag["isco"] for tag in documents[0][1]["occupations"]] == ["7212"]
    assert [(f.code, f.value) for f in found] == [("OCCUPATION_UNKNOWN", "http://x/2")]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"title": ""}, "TITLE_MISSING", "title"),
        ({"start_date": "2026-02-30"}, "DATE_INVALID", "start_date"),
        ({"end_date": "2026-08-01"}, "DATES_REVERSED", "end_date"),
        ({"price": "-5"}, "PRICE_NEGATIVE", "price"),
        ({"price": "cheap"}, "PRICE_INVALID", "price"),
        ({"price": "99999999"}, "PRICE_TOO_HIGH", "price"),
        ({"currency": "euro"}, "CURRENCY_INVALID", "currency"),
        ({"kind": "party"}, "KIND_UNKNOWN", "kind"),
    ],
)
def test_errors_reject_the_record_and_say_where(change: dict[str, str], code: str, path: str) -> None:
    documents, found = read_all(READER, feed(GOOD | change, GOOD | {"course_id": "W2"}))
    assert [key for key, _ in documents] == ["W2"]
    assert [(f.code, f.path, f.record, f.line) for f in found] == [(code, path, "W1", 2)]
    assert all(f.message and f.remedy for f in found)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "javascript:alert(1)"}, "URL_INVALID"),
        ({"eqf_level": "9"}, "NUMBER_INVALID"),
        ({"nuts_code": "Antwerp"}, "NUTS_INVALID"),
        ({"mode": "telepathy"}, "MODE_UNKNOWN"),
        ({"latitude": "100"}, "COORDINATES_INVALID"),
        ({"apply_from": "soon"}, "DATE_INVALID"),
        ({"instruction_language": "Dutch!"}, "LANGUAGE_INVALID"),
    ],
)
def test_warnings_leave_the_record_in(change: dict[str, str], code: str) -> None:
    documents, found = read_all(READER, feed(GOOD | change))
    assert len(documents) == 1
    assert [f.code for f in found] == [code]


def test_doubled_session() -> None:
    _, found = read_all(READER, feed(GOOD, GOOD))
    assert [f.code for f in found] == ["SESSION_DOUBLED"]


def test_row_with_too_few_values() -> None:
    data = feed(GOOD) + b"W2,only this\r\n"
    documents, found = read_all(READER, data)
    assert len(documents) == 1
    assert [f.code for f in found] == ["COLUMNS_WRONG"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"name,price\r\na,1\r\n", "HEADER_INVALID"),
        (b"course_id,title,colour\r\n", "HEADER_INVALID"),
        (feed(GOOD) + b'W2,"no end', "CSV_INVALID"),
        (feed(GOOD) + b"W2,caf\xe9,,,,,,,,,,,,,,,,,,,,,\r\n", "ENCODING_INVALID"),
        (feed(GOOD).decode().encode("utf-16"), "ENCODING_INVALID"),
    ],
)
def test_a_broken_file_says_why(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code
    assert broken.value.finding.remedy


def test_record_without_end_is_cut_off_and_control() -> None:
    endless = feed(GOOD) + b"W2," + b"x" * 300_000
    with pytest.raises(FeedBroken) as broken:
        list(READER.records(Bounded(io.BytesIO(endless), 100_000)))
    assert broken.value.finding.code == "RECORD_TOO_LARGE"
    with pytest.raises(FeedBroken) as broken:  # the guard off: only the csv module's own limit stops it
        list(READER.records(Bounded(io.BytesIO(endless), 1 << 40)))
    assert broken.value.finding.code != "RECORD_TOO_LARGE"


def test_empty_file_has_no_records() -> None:
    assert read_all(READER, b"") == ([], [])


@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbfcourse_id,title\r\n1,\x00\r\n")
def test_any_bytes_end_in_records_or_a_finding(data: bytes) -> None:
    with contextlib.suppress(FeedBroken):  # anything else fails the test
        read_all(READER, b"course_id,title,start_date,price\r\n" + data)


@given(st.lists(st.fixed_dictionaries({name: st.text(max_size=20) for name in COLUMNS}), max_size=5))
def test_any_text_is_accounted_for(rows: list[dict[str, str]]) -> None:
    data = feed(*rows)
    try:
        documents, found = read_all(READER, data)
    except (FeedBroken, UnicodeEncodeError):
        return
    errors = {f.line for f in found if f.severity == 3}
    records = len(list(READER.records(Bounded(io.BytesIO(data)))))
    assert records == len(documents) + len(errors)


@example("https://partner.example/a?b=c#d")
@example("http://partner.example:8080/")
@example("https://partner.example:80800")
@example("https://:80/")
@example("https://" + "a" * 2000)
@example("https://partner.example/\n")
@example("HTTPS://partner.example")
@given(st.from_regex(r"\A\s?(https?|ftp)?:?/?/?[a-z0-9.:\[\]@ -]{0,20}(/[ -~]{0,20})?\Z"))
def test_addresses_that_are_told_fast_are_told_the_same(text: str) -> None:
    fast, slow = Findings("", 0), Findings("", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "_WEB_ADDRESS", re.compile(r"(?!)"))  # the standard library tells all
        told = values.web_address(text, "url", slow)
    assert values.web_address(text, "url", fast) == told
    assert fast.found == slow.found


def test_apostrophes_of_one_row_change_no_other() -> None:
    rows = [GOOD | {"course_id": "A", "title": "'=Welding"}, GOOD | {"course_id": "B", "title": "O'Neill's"}]
    documents, _ = read_all(READER, feed(*rows, GOOD | {"course_id": "'-C"}))
    assert [(key, document["titles"]["nl"]) for key, document in documents] == [
        ("A", "=Welding"),
        ("B", "O'Neill's"),
        ("-C", "Welding"),
    ]
