"""The Candidate document of Europass, written so that nothing that it has a place for is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_LEVEL_ADVANCED, SKILL_SOURCE_SELF, SkillClaim

from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from tests.support.documents import NOW, cv, full, person, read, written

CANDIDATE = FORMATS[pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML]
LANGUAGES = ["nl", "fr", "de", "ar", "tr", "uk"]
TEXT = (
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
DATES = st.dates().map(lambda day: {"year": day.year, "month": day.month, "day": day.day})
LEVEL = st.integers(0, 6)
TOLD = {"title": TEXT, "description": st.just({}) | TEXT.map(lambda text: {"en": text})}
URI = st.sampled_from(["", "https://yard.example/?a=1&b=2"])
AT = TOLD | {"organisation": TEXT, "place": st.just("") | TEXT, "uri": URI, "start_date": st.none() | DATES}


def entries_of(kind: int, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[Entry]:
    return st.builds(Entry, kind=st.just(kind), **fields)


ENTRIES = st.one_of(
    entries_of(entries.ENTRY_KIND_WORK, **AT, work=st.none() | st.just({"occupation_uri": "urn:x:welder"})),
    entries_of(
        entries.ENTRY_KIND_EDUCATION,
        **AT,
        education=st.none()
        | st.builds(
            dict, eqf_level=st.integers(1, 8), isced_f_code=st.sampled_from(["", "07", "071", "0715"])
        ),
    ),
    entries_of(entries.ENTRY_KIND_INTEREST, **TOLD, uri=URI, start_date=st.none() | DATES),
    entries_of(entries.ENTRY_KIND_PROJECT, **TOLD, uri=URI, start_date=st.none() | DATES),
    entries_of(entries.ENTRY_KIND_VOLUNTEERING, **TOLD, place=TEXT, start_date=DATES),
    entries_of(
        entries.ENTRY_KIND_CERTIFICATE,
        **TOLD,
        organisation=TEXT,
        start_date=DATES,
        certificate=st.none() | st.builds(dict, expire_date=DATES),
    ),
    entries_of(
        entries.ENTRY_KIND_PUBLICATION, **TOLD, organisation=TEXT, uri=URI, start_date=st.just({"year": 1999})
    ),
    entries_of(
        entries.ENTRY_KIND_LANGUAGE,
        title=TEXT,
        language=st.builds(
            dict,
            language_code=st.sampled_from(LANGUAGES),
            listening=LEVEL,
            reading=LEVEL,
            spoken_interaction=LEVEL,
            spoken_production=LEVEL,
            writing=LEVEL,
        ),
    ),
    entries_of(
        entries.ENTRY_KIND_DRIVING_LICENCE,
        title=st.just("") | TEXT,
        start_date=st.none() | DATES,
        driving_licence=st.builds(
            dict,
            categories=st.lists(st.sampled_from(["AM", "B", "C1E"]), min_size=1, unique=True),
            expire_date=st.none() | DATES,
        ),
    ),
)
CLAIMS = st.builds(
    SkillClaim,
    concept_uri=st.just("http://data.europa.eu/esco/skill/b"),
    taxonomy_version=st.sampled_from(["", "esco-1.1.1"]),
    label=TEXT.map(lambda text: {"en": text}),
    level=st.integers(0, 4),
    source=st.just(SKILL_SOURCE_SELF),
)


def one_licence(entry: Entry) -> int:
    """Licences that were got alike are one in the document."""
    return 0 if entry.kind == entries.ENTRY_KIND_DRIVING_LICENCE else id(entry)


@settings(max_examples=150, deadline=None)
@given(made=st.lists(ENTRIES, max_size=4, unique_by=one_licence), claims=st.lists(CLAIMS, max_size=2))
def test_nothing_is_lost_that_the_format_can_say(made: list[Entry], claims: list[SkillClaim]) -> None:
    whole = Cv(SharedPortfolio(holder=person(), entries=made, skill_claims=claims), "en", NOW)
    assert not list(losses(CANDIDATE, whole))
    once = written(CANDIDATE, whole)
    found = read(CANDIDATE, once)
    assert not found.left
    assert found.portfolio.holder.contact == person().contact
    assert written(CANDIDATE, Cv(found.portfolio, "en", NOW)) == once


def test_the_report_tells_what_has_no_place() -> None:
    told = {(name.rpartition("/")[2], field) for name, field in losses(CANDIDATE, full())}
    assert {("4", "entries.kind"), ("3", "entries.kind"), ("7", "entries.organisation")} <= told
    assert {("2", "entries.work.weekly_hours"), ("6", "entries.certificate.identifier")} <= told
    assert {("8", "entries.start_date.month"), ("9", "entries.uri"), ("5", "entries.description.en")} <= told
    assert ("1", "entries.description.nl") in told
    assert not {field for name, field in told if name in ("h", "s")}  # of holder and skill nothing
    rural = person()
    for number in ("0470 12 34 56", "+999", "call me"):  # the editor takes none without the code of a country
        rural.contact.phone = number
        assert b"Telephone" not in written(CANDIDATE, cv(holder=rural))
        assert [field for _, field in losses(CANDIDATE, cv(holder=rural))] == ["holder.contact.phone"]
    for number, code in {
        "+12125550100": "1",
        "+3225550100": "32",
        "+35225550100": "352",
        "+79001234567": "7",
    }.items():
        rural.contact.phone = number
        root = etree.fromstring(written(CANDIDATE, cv(holder=rural)))
        assert root.findtext(".//{*}CountryDialing") == code
        assert not list(losses(CANDIDATE, cv(holder=rural)))


def test_the_editor_is_told_which_sections_to_show() -> None:
    def shown(*made: Entry) -> list[str | None]:
        root = etree.fromstring(written(CANDIDATE, cv(*made)))
        return [
            each.text
            for each in root.iterfind("{*}RenderingInformation/{*}Design/{*}SectionsOrder/{*}Section/*")
        ]

    tongue = Entry(kind=entries.ENTRY_KIND_LANGUAGE, language={"language_code": "nl", "native": True})  # type: ignore[arg-type]
    assert shown() == []
    assert shown(tongue, Entry(kind=entries.ENTRY_KIND_PROJECT, title="Boat")) == ["language", "projects"]
    alone = Entry(kind=entries.ENTRY_KIND_VOLUNTEERING, title="Cook")
    with_others = Entry(kind=entries.ENTRY_KIND_VOLUNTEERING, title="Cook", organisation="Kitchen")
    assert (shown(alone), shown(with_others)) == (["volunteering"], ["work-experience"])


def test_a_mother_tongue_with_levels_stays_one_language() -> None:
    levels = {"language_code": "nl", "native": True, "reading": entries.CEFR_LEVEL_C2}
    tongue = Entry(kind=entries.ENTRY_KIND_LANGUAGE, title="Flemish", language=levels)  # type: ignore[arg-type]
    (back,) = read(CANDIDATE, written(CANDIDATE, cv(tongue))).portfolio.entries
    back.name = ""
    assert back == tongue
    levels.pop("reading")
    plain = Entry(kind=entries.ENTRY_KIND_LANGUAGE, title="Flemish", language=levels)  # type: ignore[arg-type]
    assert {field for _, field in losses(CANDIDATE, cv(plain))} == {"entries.title"}
    unknown = Entry(kind=entries.ENTRY_KIND_LANGUAGE, title="Gents", language={"language_code": "und"})  # type: ignore[arg-type]
    assert not list(losses(CANDIDATE, cv(unknown)))


def test_an_anonymous_document_names_nobody() -> None:
    made = full()
    assert b"Maria" in written(CANDIDATE, made)  # control
    assert b"Maria" not in written(CANDIDATE, Cv(anonymised(made.portfolio), "en", NOW))


def test_skills_come_with_concept_and_level() -> None:
    made = full().portfolio.skill_claims[0]
    (back,) = read(CANDIDATE, written(CANDIDATE, cv(skill_claims=[made]))).portfolio.skill_claims
    assert (back.concept_uri, back.level) == (made.concept_uri, SKILL_LEVEL_ADVANCED)
    words = SkillClaim(concept_uri="urn:waymark:skill:en:patience", label={"en": "Patience"})
    (own,) = read(CANDIDATE, written(CANDIDATE, cv(skill_claims=[words]))).portfolio.skill_claims
    assert (own.concept_uri, own.label["en"]) == (words.concept_uri, "Patience")
