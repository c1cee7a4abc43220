"""Shortage files: every row an entry or a finding with line, column, value and remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.catalogue.v1.shortage_list_pb2 import ShortageFormat
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.labels import normal
from services.catalogue.domain.shortage import EVIDENCE_LENGTH, MOST_EVIDENCE
from services.catalogue.imports.shortage_csv import Draft, Occupations, read
from services.catalogue.store.taxonomies import LabelRow
from services.platform.errors import Refusal

TEMPLATE = ShortageFormat.SHORTAGE_FORMAT_TEMPLATE_CSV
NAMES = ShortageFormat.SHORTAGE_FORMAT_NAMES_CSV
INDEX = ShortageFormat.SHORTAGE_FORMAT_ISCO_INDEX_CSV
DEV = "http://data.europa.eu/esco/occupation/dev"


def label(
    text: str, uri: str, isco: str, scheme: str, language: str = "en", kind: str = "preferred"
) -> LabelRow:
    return LabelRow(normal(text), text, language, kind == "preferred", uri, isco, scheme)


OCCUPATIONS = Occupations(
    [
        label("software developer", DEV, "2512", "esco-occupations"),
        label("Software ontwikkelaar", "http://isco/2512", "2512", "isco-08", "nl", "other"),
        label("Metselaar", "http://isco/7112", "7112", "isco-08", "nl", "other"),
        label("Ziekenhuisapotheker", "http://isco/2262", "2262", "isco-08", "nl", "other"),
        label("coach", "http://esco/a", "3422", "esco-occupations", "en", "other"),
        label("coach", "http://esco/b", "2635", "esco-occupations", "en", "other"),
    ],
    {"2", "25", "2512", "7112", "2262"},
)


def draft(text: str, shape: int = TEMPLATE) -> Draft:
    return read(text.encode(), shape, OCCUPATIONS, "BE2", 3)


def test_code_uri_and_name() -> None:
    found = draft(
        f"occupation,region,severity,cause\n25,BE,5,too_few_people\n{DEV},BE211,,\nsoftware developers,,1,\n"
    )
    assert not found.findings
    assert [(e.isco_code, e.uri, e.nuts_code, e.severity, e.cause) for e in found.entries] == [
        ("25", "", "BE", 5, 1),
        ("2512", DEV, "BE211", 3, 0),
        ("2512", DEV, "BE2", 1, 0),
    ]


@pytest.mark.parametrize(
    ("row", "code", "path", "value"),
    [
        ("9999,BE2,3,", "OCCUPATION_UNKNOWN", "occupation", "9999"),
        ("http://x/y,BE2,3,", "OCCUPATION_UNKNOWN", "occupation", "http://x/y"),
        ("dragon tamer,BE2,3,", "OCCUPATION_UNMATCHED", "occupation", "dragon tamer"),
        ("coach,BE2,3,", "OCCUPATION_AMBIGUOUS", "occupation", "coach"),
        ("2512,Antwerp,3,", "NUTS_INVALID", "region", "Antwerp"),
        ("2512,BE2,6,", "SEVERITY_INVALID", "severity", "6"),
        ("2512,BE2,-1,", "SEVERITY_INVALID", "severity", "-1"),
        ("2512,BE2,3,laziness", "CAUSE_UNKNOWN", "cause", "laziness"),
    ],
)
def test_each_bad_row(row: str, code: str, path: str, value: str) -> None:
    found = draft(f"occupation,region,severity,cause\n7112,BE2,3,\n{row}\n")
    assert (found.rows, len(found.entries), found.rejected) == (2, 1, 1)
    finding = found.findings[0]
    assert (finding.code, finding.line, finding.path, finding.value) == (code, 3, path, value)
    assert finding.remedy


def test_names_in_any_language() -> None:
    names = ("Software ontwikkelaar", "Apotheker: ziekenhuisapotheker", "Metselaar (m/v)", "Zzz")
    found = draft("sector,occupation\n" + "".join(f"x,{name}\n" for name in names), NAMES)
    assert [e.isco_code for e in found.entries] == ["2512", "2262", "7112"]
    assert [(f.code, f.line) for f in found.findings] == [("OCCUPATION_UNMATCHED", 5)]


def test_index_with_mark_commas_brackets_and_gaps() -> None:
    rows = ("2512;Dev;1;2,38", "7112;Masons;1;(1.29)", "2262;P;1;NA", "25;ICT;1;-0,32", "2;All;1;x")
    found = draft("\n".join(("\ufeffISCO;Title;green;index1", *rows)), INDEX)
    assert [(e.isco_code, e.severity) for e in found.entries] == [("2512", 5), ("7112", 3)]
    assert [f.code for f in found.findings] == [
        "INDEX_IN_BRACKETS",
        "INDEX_MISSING",
        "NOT_SHORT",
        "INDEX_INVALID",
    ]
    assert found.rejected == 1


def test_doubled_rows_are_told() -> None:
    found = draft("occupation\n2512\n2512\n")
    assert [(f.code, f.line) for f in found.findings] == [("ENTRY_DOUBLED", 3)]


@pytest.mark.parametrize(
    "data", [b"", b"a,b\n1,2\n", b"occupation\n\xff\n", b'occupation\n"open', b"occupation,region\n2512\n"]
)
def test_what_is_no_such_file(data: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        read(data, TEMPLATE, OCCUPATIONS, "BE2", 3)
    assert refusal.value.reason == reason_pb2.REASON_SHORTAGE_FILE_INVALID
    assert refusal.value.violations


@given(st.binary(max_size=300), st.sampled_from([TEMPLATE, NAMES, INDEX]))
def test_any_bytes(data: bytes, shape: int) -> None:
    head = b"isco;index1\n" if shape == INDEX else b"occupation,region\n"
    try:
        found = read(head + data, shape, OCCUPATIONS, "BE2", 3)
    except Refusal:
        return
    assert found.rows >= len(found.entries) + found.rejected


def test_evidence_is_a_column_of_its_own_where_there_is_one() -> None:
    head = "occupation,evidence\n"
    (entry,) = draft(
        head + "2512, https://study.example/7 |assessments/1||assessments/1| two  words\n"
    ).entries
    assert entry.evidence == ["https://study.example/7", "assessments/1", "two words"]
    (entry,) = draft("occupation\n2512\n").entries
    assert not entry.evidence
    (match,) = draft(head + "Pharmacist: ziekenhuisapotheker,assessments/1\n").matches
    assert match.evidence == ["assessments/1"]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("|".join(map(str, range(MOST_EVIDENCE))), "|".join(map(str, range(MOST_EVIDENCE + 1)))),
        ("x" * EVIDENCE_LENGTH, "x" * (EVIDENCE_LENGTH + 1)),
    ],
)
def test_too_much_evidence_is_a_finding(good: str, bad: str) -> None:
    assert not draft(f"occupation,evidence\n2512,{good}\n").findings
    found = draft(f"occupation,evidence\n2512,{bad}\n")
    assert not found.entries
    assert [(each.code, each.path, each.line) for each in found.findings] == [
        ("EVIDENCE_TOO_LONG", "evidence", 2)
    ]
