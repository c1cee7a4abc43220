"""Documents in each format: real ones are read, what is written is valid and comes back, and nothing is lost
without a word."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.platform import zipping
from services.portfolio.domain.sameness import Known
from services.portfolio.formats import (
    europass_files,
    json_resume,
    leap2a,
    leap2a_archive,
    markup,
    texts,
    trees,
)
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv, DocumentBrokenError
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from tests.support.documents import NOW, cv, europass_schema, full, read, renamed, written
from tests.support.left_in_documents import LEFT
from tests.support.real_data import real_data

READ = {number: each for number, each in FORMATS.items() if not each.fields}  # what is no page
XML, LEAP = europass_files.XML, leap2a_archive.FORMAT
EXAMPLES = {
    "europass-3.4/Europass_CV_V3.4.0_Example.xml": (XML, 12, 0),
    "europass-3.4/Europass_JSON_V3.4.0_ECV_Example.json": (europass_files.JSON, 11, 0),
    "leap2a/2010-10-16_Mahara_v1-3_leap2a.xml": (LEAP, 7, 3),
    "leap2a/test_valid_leap2a.xml": (LEAP, 3, 0),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_real_files_are_read_and_what_is_left_is_told(name: str) -> None:
    format_, count, skills = EXAMPLES[name]
    content = real_data(f"portfolio/{name}").read_bytes()
    found = read(format_, content)
    assert len(found.portfolio.entries) == count
    assert len(found.portfolio.skill_claims) == skills
    assert found.portfolio.HasField("holder")
    assert found.left == LEFT[name]
    again = written(format_, Cv(found.portfolio, "en", NOW))
    back = read(format_, again)
    if format_ is LEAP:
        renamed(found)
    assert back.portfolio == found.portfolio
    assert not back.left
    assert (len(found.journal), len(found.plans)) == ((2, 1) if "Mahara" in name else (0, 0))


def test_what_a_real_file_says_stands_in_its_place() -> None:
    found = read(XML, real_data("portfolio/europass-3.4/Europass_CV_V3.4.0_Example.xml").read_bytes())
    holder, work = found.portfolio.holder, found.portfolio.entries[0]
    assert (holder.given_name, holder.contact.region_code, holder.birth_date.day) == ("Chuck", "GB", 10)
    assert (work.title, work.organisation, work.uri) == (
        "Martial Arts Instructor",
        "School of Ninjutsu",
        "http://mybusiness.com",
    )
    assert work.description["en"].startswith("Main activities and responsibilities:\nPreparing class plans")
    assert found.left["LearnerInfo.Identification.Demographics.Gender.Code"] == 1
    assert found.left["LearnerInfo.Skills.Communication.Description"] == 1
    mahara = read(LEAP, real_data("portfolio/leap2a/2010-10-16_Mahara_v1-3_leap2a.xml").read_bytes())
    teacher = mahara.portfolio.entries[1]
    assert (teacher.organisation, teacher.start_date.year) == ("Kantonsschule Zürich", 2003)
    assert mahara.left["selection"] == 9  # profile, dashboard, blogs and groups of entries


@pytest.mark.parametrize("space", ["http://terms.leapspecs.org/", "http://www.cetis.org.uk/leap2/terms/"])
def test_leap2a_in_each_namespace(space: str) -> None:
    content = etree.tostring(leap2a.feed(full()))
    for said in (space, f"https://web.archive.org/web/2020/{space}"):
        found = read(LEAP, content.replace(leap2a.LEAP.encode(), said.encode()))
        assert found.portfolio.entries[1].start_date.year == 2015
        assert found.portfolio.holder.given_name == "An Maria"
    stranger = read(LEAP, content.replace(leap2a.LEAP.encode(), b"http://other.example/"))
    assert not stranger.portfolio.entries[1].HasField("start_date")  # control


@pytest.mark.parametrize("number", READ)
def test_what_is_written_comes_back(number: int) -> None:
    once = written(READ[number], full())
    found = read(READ[number], once)
    assert not found.left
    assert written(READ[number], Cv(found.portfolio, "en", NOW)) == once
    if number in (pb.DOCUMENT_FORMAT_JSON_RESUME, pb.DOCUMENT_FORMAT_LEAP2A):
        assert len(found.portfolio.entries) == len(full().portfolio.entries)
        assert {field.rpartition(".")[0] for _, field in losses(READ[number], full())} <= {"evidence"}


TEXT = st.text(max_size=40)
DATES = st.dates().map(lambda day: {"year": day.year, "month": day.month, "day": day.day})
URIS = st.sampled_from(["", "https://yard.example/?a=1&b=<x>"])
DETAILS = st.fixed_dictionaries({"weekly_hours": st.integers(0, 168)})
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from([kind for kind in entries.EntryKind.values() if kind and kind != 5]),
    title=TEXT,
    organisation=TEXT,
    place=TEXT,
    uri=URIS,
    start_date=st.none() | DATES,
    description=st.dictionaries(st.sampled_from(["en", "nl", "de"]), TEXT, max_size=2),
)
CLAIMS = st.builds(
    SkillClaim,
    concept_uri=st.sampled_from(["urn:x:a", "http://data.europa.eu/esco/skill/b"]),
    label=st.dictionaries(st.sampled_from(["en", "nl"]), TEXT, max_size=2),
    level=st.integers(0, 4),
)
HOLDERS = st.builds(Holder, given_name=TEXT, family_name=TEXT, summary=st.dictionaries(st.just("en"), TEXT))
PORTFOLIOS = st.builds(
    SharedPortfolio,
    holder=HOLDERS,
    entries=st.lists(ENTRIES, max_size=3),
    skill_claims=st.lists(CLAIMS, max_size=2),
)


@pytest.mark.parametrize("number", READ)
@settings(max_examples=60, deadline=None)
@given(portfolio=PORTFOLIOS)
def test_round_trips_of_anything(number: int, portfolio: SharedPortfolio) -> None:
    format_ = READ[number]
    # What is written once has been cleaned; from then on nothing changes.
    first = read(format_, written(format_, Cv(portfolio, "en", NOW)))
    once = written(format_, Cv(first.portfolio, "en", NOW))
    second = read(format_, once)
    assert written(format_, Cv(second.portfolio, "en", NOW)) == once
    assert not second.left


MADE = {
    "full": full(),
    "empty": cv(),
    "anonymous": Cv(anonymised(full().portfolio), "nl", NOW),
    **{
        tag: replace(full(), language=tag)
        for tag in ("de-AT", "fr-BE", "en-GB", "pt-BR", "sr-Latn", "zh-Hant", "ber")
    },
}
MADE["ber"].portfolio.holder.contact.email = "an@localhost"


@pytest.mark.parametrize("name", MADE)
def test_europass_is_valid_by_its_schema(name: str) -> None:
    europass_schema().assertValid(etree.fromstring(written(XML, MADE[name])))
    schema = json.loads(real_data("portfolio/europass-3.4/Europass_JSONSchema.json").read_bytes())
    jsonschema_rs.Draft4Validator(schema).validate(json.loads(written(europass_files.JSON, MADE[name])))


def test_a_real_europass_cv_is_written_valid_again() -> None:
    schema = europass_schema()
    example = real_data("portfolio/europass-3.4/Europass_CV_V3.4.0_Example.xml").read_bytes()
    found = read(XML, example)
    schema.assertValid(etree.fromstring(written(XML, Cv(found.portfolio, "en", NOW))))
    wrong = written(XML, full()).replace(b"<XSDVersion>V3.4", b"<XSDVersion>3.4")  # control
    assert not schema.validate(etree.fromstring(wrong))


def test_a_language_that_europass_has_no_tag_for_is_told() -> None:
    def told(language: str) -> set[str]:
        made = cv(Entry(kind=entries.ENTRY_KIND_WORK, title="Welder", description={language: "Seams"}))
        return {field for _, field in losses(XML, replace(made, language=language))}

    assert told("de-AT") == told("sr-Latn") == set()  # of German, of Serbian: who reads it knows which
    assert told("ber") == {"entries.description.ber"}
    written_in = written(XML, replace(full(), language="nl-BE"))
    assert read(XML, written_in, "nl-BE").portfolio.holder.summary.keys() == {"nl-BE"}
    assert read(XML, written_in, "fr").portfolio.holder.summary.keys() == {"nl"}


def test_an_address_that_europass_takes_for_none_is_told() -> None:
    for email, lost in (("an@localhost", {"holder.contact.email"}), ("an@peeters.example", set())):
        made = cv(holder=Holder(given_name="An", contact=Contact(email=email)))
        assert {field for _, field in losses(XML, made)} == lost


@pytest.mark.parametrize(
    ("language", "text"),
    [("nl-BE", "nl"), ("nl", "nl"), ("de-AT", "de-CH"), ("DE", "de-CH"), ("fr", "de-CH"), ("en", "de-CH")],
)
def test_a_text_is_chosen_in_the_nearest_language(language: str, text: str) -> None:
    assert texts.chosen({"nl": "nl", "de-CH": "de-CH", "en": ""}, language) == text
    assert texts.chosen({}, language) == ""


def test_nothing_is_lost_without_a_word() -> None:
    told = {field for _, field in losses(XML, full())}
    assert {"entries.description.nl", "entries.work.weekly_hours", "skill_claims.concept_uri"} <= told
    assert ("holders/h/entries/4", "entries.kind") in set(losses(XML, full()))  # care work becomes work

    def forgetful(made: Cv, _: object) -> Iterator[bytes]:
        yield written(json_resume.FORMAT, made).replace(b'"location"', b'"Location"')

    careless = replace(json_resume.FORMAT, write=forgetful)  # control: nobody listed it, and it is told
    assert "entries.place" in {field for _, field in losses(careless, full())}
    assert "entries.place" not in {field for _, field in losses(json_resume.FORMAT, full())}


def test_a_field_that_the_contract_refuses_is_told_and_the_rest_taken() -> None:
    resume = {
        "basics": {
            "name": "An Peeters",
            "phone": "1",
            "email": "no address",
            "location": {"countryCode": "Belgium"},
        },
        "work": [
            {"position": "x" * 400, "url": "not a uri", "startDate": "2019-02-31", "endDate": "soon"},
            {"position": "Cook", "startDate": "2020", "endDate": "2019", "waymark": {"kind": "ENTRY_KIND_X"}},
            {"position": "Waiter", "waymark": {"education": {"eqfLevel": 3}}},
        ],
        "skills": [{"name": "Web", "keywords": ["HTML", "CSS"], "level": "Master"}, {"level": "x"}],
        "languages": [{"language": "French", "fluency": "B2"}],
        "extra": {"a": [1, {"b": "c"}]},
    }
    found = read(json_resume.FORMAT, json.dumps(resume).encode())
    assert found.portfolio.holder.contact.phone == "1"
    long, cook, waiter, french = found.portfolio.entries
    assert len(long.title) == 300
    assert not long.uri
    assert not long.HasField("start_date")
    assert (cook.start_date.year, cook.HasField("end_date")) == (2020, False)
    assert waiter.WhichOneof("detail") is None
    assert (french.language.language_code, french.language.reading) == ("fr", entries.CEFR_LEVEL_B2)
    assert [claim.label["en"] for claim in found.portfolio.skill_claims] == ["Web", "HTML", "CSS"]
    assert (found.portfolio.holder.given_name, found.portfolio.holder.family_name) == ("An", "Peeters")
    for path in (
        "work.position",
        "entries.uri",
        "entries.start_date",
        "entries.end_date",
        "work.waymark.kind",
    ):
        assert found.left[path] == 1, path
    for path in ("entries.education", "skills.concept_uri", "basics.contact.email", "extra.a", "extra.a.b"):
        assert found.left[path] == 1, (path, found.left)
    assert found.left["basics.contact.region_code"] == 1
    assert found.left["work.endDate"] == found.left["skills.level"] == 1


BROKEN = {
    "text": b"no document",
    "list": b"[]",
    "doctype": b'<!DOCTYPE a [<!ENTITY b "c">]><SkillsPassport>&b;</SkillsPassport>',
    "cut": b"<SkillsPassport><LearnerInfo>",
    "zip": b"PK\x03\x04 and no more",
    "empty": b"{}",
}


@pytest.mark.parametrize("number", READ)
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_document_is_refused(number: int, name: str) -> None:
    with pytest.raises(DocumentBrokenError):
        read(READ[number], BROKEN[name])


def test_a_bomb_is_refused_before_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        start = b'<feed xmlns="http://www.w3.org/2005/Atom">'
        archive.writestr("leap2a.xml", start + b" " * (markup.MAX_BYTES + 1) + b"</feed>")
    assert len(packed.getvalue()) < 20_000
    with pytest.raises(DocumentBrokenError, match="times its size"):
        read(LEAP, packed.getvalue())
    monkeypatch.setattr(zipping, "MAX_RATIO", 10_000)  # control, and the limit behind it
    with pytest.raises(DocumentBrokenError, match="bytes"):
        read(LEAP, packed.getvalue())
    monkeypatch.setattr(markup, "MAX_BYTES", 1 << 30)  # control
    assert not read(LEAP, packed.getvalue()).portfolio.entries


def test_more_than_a_portfolio_holds_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    count = trees.MOST + 1
    many = {
        pb.DOCUMENT_FORMAT_JSON_RESUME: json.dumps({"work": [{}] * count}).encode(),
        pb.DOCUMENT_FORMAT_EUROPASS_JSON: json.dumps(
            {"SkillsPassport": {"LearnerInfo": {"Education": [{}] * count}}}
        ).encode(),
        pb.DOCUMENT_FORMAT_EUROPASS_XML: b"<SkillsPassport>" + b"<a/>" * count + b"</SkillsPassport>",
        pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML: b"<Candidate>" + b"<a/>" * count + b"</Candidate>",
        pb.DOCUMENT_FORMAT_LEAP2A: b'<feed xmlns="http://www.w3.org/2005/Atom">'
        + b"<a/>" * 8 * count
        + b"</feed>",
    }
    for number, content in many.items():
        with pytest.raises(DocumentBrokenError, match="items"):
            read(READ[number], content)
    monkeypatch.setattr(trees, "MOST", count)  # control
    for number, content in many.items():
        read(READ[number], content)


def test_files_go_into_the_archive_as_they_come() -> None:
    size, chunk = 40, b"x" * 100_000

    def opened(_: Evidence) -> Iterator[bytes]:
        for _number in range(size):
            yield chunk

    parts = list(LEAP.write(full(), opened))
    assert max(map(len, parts)) < 4 * len(chunk)  # never the file whole
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert len(archive.read(f"files/{'ab' * 32}.pdf")) == size * len(chunk)


def test_entries_that_are_there_are_known_whatever_the_format() -> None:
    known = Known(full().portfolio.entries)
    for number, format_ in READ.items():
        brought = read(format_, written(format_, full())).portfolio.entries
        with_names = [each for each in brought if each.kind in (1, 2, 9)]
        assert with_names
        assert all(known.find(each) for each in with_names), number
    other = Entry(kind=entries.ENTRY_KIND_WORK, title="Title 2", organisation="Elsewhere")
    assert not known.find(other)
    said = Entry(kind=entries.ENTRY_KIND_PROJECT, title="Boat", description={"en": "A boat"})
    assert Known([said]).find(
        Entry(kind=entries.ENTRY_KIND_PROJECT, title="boat", description={"en": "a  boat"})
    )
    assert not Known([said]).find(
        Entry(kind=entries.ENTRY_KIND_PROJECT, title="Boat", description={"en": "Two"})
    )


def test_every_format_of_the_contract_is_there() -> None:
    assert set(FORMATS) == set(pb.DocumentFormat.values()) - {0}
    assert set(FORMATS) - set(READ) == {pb.DOCUMENT_FORMAT_HTML, pb.DOCUMENT_FORMAT_PDF}
