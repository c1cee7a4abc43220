"""What is exported can be imported again, and is then the same."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, TAG_ORIGIN_PARTNER

from services.catalogue.domain import courses
from services.catalogue.exports import csv_template, schema_org
from services.catalogue.imports import values
from services.catalogue.imports.csv_template import CsvTemplate
from services.catalogue.imports.feed import Context, Occupation
from services.catalogue.imports.schema_org import SchemaOrg
from tests.unit.catalogue.feeds import COURSE, codes, read_all

WELDER = "http://data.europa.eu/esco/occupation/welder"
CONTEXT = Context(taxonomy_version="1", occupations={WELDER: Occupation(WELDER, "7212", "welder")})
TAG = courses.tag(WELDER, "7212", "welder", TAG_ORIGIN_PARTNER, 1.0, "1")
LETTERS = st.characters(codec="utf-8", exclude_characters="<>&|", exclude_categories=["C", "Z"])
DAYS = st.dates(min_value=date(2000, 1, 1)).map(str)


def texts(most: int) -> st.SearchStrategy[str]:
    """Texts as the import leaves them: one line, without markup."""
    return st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=5).map(
        lambda words: values.plain(" ".join(words), most)
    )


LANGUAGES = st.sampled_from(["en", "nl", "fr", "sv", "lav"])
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "nuts": st.sampled_from(["BE", "BE2", "BE211", "EL301", "UKI", "FRH02", "EL"]),
        "town": texts(100),
        "postcode": st.sampled_from(["9000", "B-9000", "MK7 6BJ", "1012 AB"]),
        "degrees": st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    },
)


@st.composite
def sessions(draw: Any, external_id: str) -> dict[str, Any]:
    """A session."""
    found: dict[str, Any] = {"id": courses.session_id(COURSE, external_id), "external_id": external_id}
    found |= zip_days(draw(st.lists(DAYS, min_size=2, max_size=2)), ("start", "end"), draw)
    found |= zip_days(draw(st.lists(DAYS, min_size=2, max_size=2)), ("apply_from", "apply_until"), draw)
    if draw(st.booleans()):
        found |= {"currency": draw(st.sampled_from(["EUR", "SEK"])), "cents": draw(st.integers(0, 10**9))}
    place = draw(PLACES)
    if "degrees" in place:
        found["lat"], found["lon"] = place.pop("degrees")
    found |= place
    if draw(st.booleans()):
        found["capacity"] = draw(st.integers(1, 100_000))
    if draw(st.booleans()):
        found["cancelled"] = True
    return found


def zip_days(days: list[str], keys: tuple[str, str], draw: Any) -> dict[str, str]:
    """Both days, in order, or one, or none."""
    pairs = dict(zip(keys, sorted(days), strict=True))
    return {key: day for key, day in pairs.items() if draw(st.booleans())}


@st.composite
def documents(draw: Any, languages: int) -> dict[str, Any]:
    """A course."""
    spoken = draw(st.lists(LANGUAGES, min_size=1, max_size=languages, unique=True))
    ways = draw(st.lists(st.tuples(st.integers(0, 4), LANGUAGES | st.just("")), max_size=3, unique=True))
    awarded = {"awarding_body": draw(texts(200))} if draw(st.booleans()) else {}
    return awarded | {
        "titles": {language: draw(texts(500)) for language in spoken},
        "descriptions": {language: draw(texts(20_000)) for language in spoken if draw(st.booleans())},
        "kind": draw(st.sampled_from(["course", "exam", "guidance"])),
        "eqf_level": draw(st.integers(0, 8)),
        "url": draw(st.sampled_from(["", "https://p.example/?a=1"])),
        "subjects": draw(st.lists(texts(200), max_size=5, unique=True)),
        "occupations": draw(st.sampled_from([[], [TAG]])),
        "offerings": [
            {
                "mode": mode,
                "language": language,
                "sessions": [draw(sessions(f"S{way}-{number}")) for number in range(draw(st.integers(1, 3)))],
            }
            for way, (mode, language) in enumerate(ways)
        ],
    }


IDS = st.text(LETTERS, min_size=1, max_size=40)


@given(IDS, documents(languages=4))
def test_schema_org_comes_back_as_it_went(key: str, document: dict[str, Any]) -> None:
    data = schema_org.line(key, document)
    assert read_all(SchemaOrg(), data, CONTEXT) == ([(key, document)], [])


@given(st.lists(st.tuples(IDS, documents(languages=1)), unique_by=lambda pair: pair[0], max_size=3))
def test_csv_comes_back_as_it_went(pairs: list[tuple[str, dict[str, Any]]]) -> None:
    data = csv_template.header() + b"".join(csv_template.rows(*pair) for pair in pairs)
    assert read_all(CsvTemplate(), data, CONTEXT) == (pairs, [])


def test_no_spreadsheet_takes_a_text_for_a_formula_and_it_comes_back_as_it_was() -> None:
    formulas = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "'=1", "''@x", "plain", "'quoted'"]
    document = {
        "kind": "course",
        "eqf_level": 0,
        "url": "",
        "occupations": [],
        "descriptions": {},
        "offerings": [],
        "subjects": [],
    }
    pairs = [(text, {**document, "titles": {"en": text}}) for text in formulas]
    data = csv_template.header() + b"".join(csv_template.rows(*pair) for pair in pairs)
    cells = [cell for row in csv.reader(data.decode().splitlines()[1:]) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")]
    assert read_all(CsvTemplate(), data, CONTEXT) == (pairs, [])
    bare = data.replace(b"'=cmd", b"=cmd")  # control: without its apostrophe it is one
    assert [cell for row in csv.reader(bare.decode().splitlines()) for cell in row if cell[:1] == "="]


def test_csv_has_room_for_one_language_and_neither_for_tags_of_the_model() -> None:
    document: dict[str, Any] = {
        "titles": {"nl": "Lassen", "en": "Welding"},
        "descriptions": {"nl": "Alles"},
        "kind": "course",
        "eqf_level": 0,
        "url": "",
        "subjects": [],
        "occupations": [{**TAG, "origin": TAG_ORIGIN_MODEL}],
        "offerings": [],
    }
    data = csv_template.header() + csv_template.rows("C1", document)
    found, findings = read_all(CsvTemplate(), data, CONTEXT)
    assert codes(findings) == []
    assert (found[0][1]["titles"], found[0][1]["descriptions"]) == ({"en": "Welding"}, {})
    assert found[0][1]["occupations"] == []
    assert b"occupationalCategory" not in schema_org.line("C1", document)
