"""ELM 3.1: what becomes of learning opportunities, and of what they refer to."""

from __future__ import annotations

import io
import tracemalloc
from itertools import chain
from typing import Any

import pytest
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.imports import countries, elm, languages, leftovers
from services.catalogue.imports.elm import Elm
from services.catalogue.imports.feed import Bounded, Context, FeedBroken, Occupation
from tests.support.real_data import real_data
from tests.unit.catalogue.feeds import codes, read_all

LANGUAGE = "http://publications.europa.eu/resource/authority/language"
WELDER = "http://data.europa.eu/esco/occupation/welder"
CONTEXT = {"taxonomy_version": "1", "occupations": {WELDER: Occupation(WELDER, "7212", "welder")}}
ROOT = f"""<?xml version="1.0" encoding="UTF-8"?><Courses xmlns="{elm.ELM[1:-1]}"
 xmlns:skos="{elm.SKOS[1:-1]}" xmlns:locn="http://www.w3.org/ns/locn#" xmlns:clv="http://data.europa.eu/m8g/">"""
REFERRED = f"""
<learningAchievementSpecificationReferences><qualification id="urn:q1"><title language="en">Q</title>
<ISCEDFCode uri="http://data.europa.eu/snb/isced-f/0715"/>
<educationSubject uri="urn:s"><skos:prefLabel language="en">Welding</skos:prefLabel></educationSubject>
<language uri="{LANGUAGE}/DEU"/><entitlesTo idref="urn:e1"/><EQFLevel uri="http://data.europa.eu/snb/eqf/4"/>
</qualification></learningAchievementSpecificationReferences>
<learningOutcomeReferences><learningOutcome id="urn:o1"><title language="en">O</title></learningOutcome>
</learningOutcomeReferences>
<learningActivitySpecificationReferences><learningActivitySpecification id="urn:a1">
<title language="en">A</title><language uri="{LANGUAGE}/NLD"/></learningActivitySpecification>
</learningActivitySpecificationReferences>
<learningEntitlementSpecificationReferences><learningEntitlementSpecification id="urn:e1">
<limitOccupation uri="{WELDER}"/></learningEntitlementSpecification>
</learningEntitlementSpecificationReferences>
<locationReferences><location id="urn:l1"><geographicName language="nl">Gent</geographicName>
<spatialCode uri="http://data.europa.eu/nuts/code/BE234"/><address>
<countryCode uri="http://publications.europa.eu/resource/authority/country/BEL"/></address>
<locn:geometry><clv:longitude>3.72</clv:longitude><clv:latitude>51.05</clv:latitude></locn:geometry></location>
<location id="urn:l2"><address>
<countryCode uri="http://publications.europa.eu/resource/authority/country/GRC"/></address></location>
</locationReferences></Courses>"""
FULL = f"""<learningOpportunity id="urn:c1"><title language="en">Welding</title>
<title language="nl-BE">Lassen</title>
<description language="en">&lt;p&gt;Weld &lt;b&gt;steel&lt;/b&gt;.&lt;/p&gt;</description>
<homepage><contentUrl>https://example.org/welding</contentUrl></homepage>
<temporal><startDate>2030-03-01T08:00:00Z</startDate><endDate>2030-06-30T17:00:00Z</endDate></temporal>
<duration>P4M</duration><mode uri="{elm.MODE}e92d221e4d"/>
<applicationDeadline>2030-02-01T00:00:00</applicationDeadline>
<priceDetail><amount><unit uri="http://publications.europa.eu/resource/authority/currency/EUR"/>
<value>450.5</value></amount></priceDetail><providedBy idref="urn:p1"/><location idref="urn:l1"/>
<learningAchievementSpecification idref="urn:q1"/><learningActivitySpecification idref="urn:a1"/>
<defaultLanguage uri="{LANGUAGE}/ENG"/></learningOpportunity>"""


def feed(*opportunities: str, referred: str = REFERRED) -> bytes:
    inside = "".join(opportunities)
    return f"{ROOT}<learningOpportunityReferences>{inside}</learningOpportunityReferences>{referred}".encode()


def opportunity(key: str, content: str = "", title: str = "Welding") -> str:
    title = f'<title language="en">{title}</title>' if title else ""
    return f'<learningOpportunity id="{key}">{title}{content}</learningOpportunity>'


def one(content: str, **context: Any) -> tuple[dict[str, Any], list[str]]:
    """The session of an opportunity, with its offering, and the codes of what was found."""
    documents, found = read_all(
        Elm(), feed(opportunity("urn:c1", content)), Context(**{**CONTEXT, **context})
    )
    offerings = documents[0][1]["offerings"] if documents else []
    return (offerings[0]["sessions"][0] | {"mode": offerings[0]["mode"]} if offerings else {}), codes(found)


def test_an_opportunity_is_read_with_what_follows_it() -> None:
    documents, found = read_all(Elm(), feed(FULL), Context(**CONTEXT))
    (key, document), told = documents[0], [finding.path for finding in found]
    assert codes(found) == []
    assert told == ["duration", "providedBy", "qualification/title", "learningOutcome", "activity/title"]
    assert key == "urn:c1"
    session = document["offerings"][0]["sessions"][0]
    session.pop("id")
    assert session == {
        "external_id": "1",
        "start": "2030-03-01",
        "end": "2030-06-30",
        "apply_until": "2030-02-01",
        "currency": "EUR",
        "cents": 45050,
        "nuts": "BE234",
        "town": "Gent",
        "lat": 51.05,
        "lon": 3.72,
    }
    assert document["offerings"][0]["mode"] == CourseMode.COURSE_MODE_BLENDED
    assert document["offerings"][0]["language"] == "nl"  # of the activity, before that of the qualification
    assert document["titles"] == {"en": "Welding", "nl": "Lassen"}
    assert document["descriptions"]["en"] == "Weld steel."
    assert (document["eqf_level"], document["url"]) == (4, "https://example.org/welding")
    assert document["subjects"] == ["Welding", "ISCED-F 0715"]
    assert [tag["uri"] for tag in document["occupations"]] == [WELDER]


def test_who_awards_is_carried_by_name_and_several_are_told() -> None:
    body = '<awardingBody idref="{}"/>'
    awarding = "<awardingOpportunity>{}</awardingOpportunity></qualification>"
    guild = '<organisation id="{}"><legalName language="nl">Gilde {}</legalName></organisation>'
    agents = "".join(guild.format(f"urn:g{n}", n) for n in (1, 2))
    referred = REFERRED.replace(
        "<locationReferences>", f"<agentReferences>{agents}</agentReferences><locationReferences>"
    )

    def read(*bodies: str) -> tuple[str, list[str]]:
        said = awarding.format("".join(map(body.format, bodies)))
        data = feed(FULL, referred=referred.replace("</qualification>", said))
        documents, found = read_all(Elm(), data, Context(**CONTEXT))
        assert "qualification/awardingOpportunity/awardingBody" not in {
            each.path for each in found if each.code == "FIELD_NOT_CARRIED"
        }
        return documents[0][1].get("awarding_body", ""), codes(found)

    assert read("urn:g1") == ("Gilde 1", [])
    assert read("urn:none", "urn:g2") == ("Gilde 2", [])
    assert read("urn:g1", "urn:g2") == ("Gilde 1", ["VALUES_SEVERAL"])
    assert read() == ("", [])


def test_a_course_has_changed_when_what_it_refers_to_has() -> None:
    def raw(referred: str) -> bytes:
        return next(Elm().records(Bounded(io.BytesIO(feed(FULL, referred=referred))))).raw

    assert raw(REFERRED) == raw(REFERRED)
    assert raw(REFERRED) != raw(REFERRED.replace("BE234", "BE231"))
    assert raw(REFERRED) != raw(REFERRED.replace("eqf/4", "eqf/5"))
    assert raw(REFERRED) == raw(REFERRED.replace("<title language='en'>O", "<title language='en'>P"))


def test_every_record_of_the_real_file_is_accounted_for() -> None:
    data = real_data("feeds/elm-loq-3.1/loq.xml").read_bytes()
    records = list(Elm().records(Bounded(io.BytesIO(data))))
    assert [(raw.external_id, raw.line) for raw in records] == [("http://LOP-01", 42), ("http://LOP-02", 410)]
    documents, found = read_all(Elm(), data)
    # Its values are random: it is valid, but its prices have three decimals and its days are reversed.
    assert documents == []
    assert set(codes(found)) >= {
        "PRICE_INVALID",
        "DATES_REVERSED",
        "OCCUPATION_UNKNOWN",
        "COORDINATES_INVALID",
    }
    paths = [finding.path for finding in found if finding.code == "FIELD_NOT_CARRIED"]
    assert len(paths) == len(set(paths)) > 50


def test_what_is_said_several_times_or_wrongly_is_told() -> None:
    price = '<priceDetail><amount><unit uri="http://x/currency/{}"/><value>{}</value></amount></priceDetail>'
    two = price.format("EUR", "10") + price.format("EUR", "20")
    assert one(two)[1] == ["PRICE_AMBIGUOUS"]
    assert one(two)[0]["cents"] == 1000
    assert one(price.format("", "10"))[1] == ["CURRENCY_INVALID"]
    assert one(price.format("EUR", "a lot"))[1] == ["PRICE_INVALID"]
    assert one('<location idref="urn:l9"/>', default_nuts_code="BE2") == (
        {**one('<location idref="urn:l9"/>')[0], "nuts": "BE2"},
        ["LOCATION_UNKNOWN"],
    )
    assert one('<location idref="urn:l2"/><location idref="urn:l1"/>')[0]["nuts"] == "EL"
    assert one('<location idref="urn:l2"/><location idref="urn:l1"/>')[1] == ["VALUES_SEVERAL"]
    afar = one(f'<mode uri="{elm.MODE}920fbb3cbe"/><location idref="urn:l1"/>')
    assert (afar[0].get("town"), afar[0]["mode"]) == (None, CourseMode.COURSE_MODE_ONLINE)
    assert one(f'<mode uri="{elm.MODE}7813801c77"/>')[1] == ["MODE_UNKNOWN"]
    days = "<startDate>2030-02-01T00:00:00</startDate><endDate>2030-01-01T00:00:00</endDate>"
    reversed_days = f"<temporal>{days}</temporal>"
    assert one(reversed_days)[1] == ["DATES_REVERSED"]
    assert one("<applicationDeadline>soon</applicationDeadline>")[1] == ["DATE_INVALID"]
    assert read_all(Elm(), feed(opportunity("urn:c1", title="")))[0] == []
    assert read_all(Elm(), feed(opportunity("urn:c1")))[0][0][1]["offerings"] == []
    script = opportunity("urn:c1", "<homepage><contentUrl>javascript:alert(1)</contentUrl></homepage>")
    assert codes(read_all(Elm(), feed(script))[1]) == ["URL_INVALID"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<courses/>", "NO_ELM"),
        (b"", "XML_INVALID"),
        (feed(FULL)[:-20], "XML_INVALID"),
        (b'<?xml version="1.0" encoding="UTF-16"?><Courses/>', "XML_INVALID"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + feed(FULL).partition(b"?>")[2], "DTD_FORBIDDEN"),
    ],
)
def test_a_broken_file_says_so(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as caught:
        read_all(Elm(), data)
    assert caught.value.finding.code == code


def test_what_is_kept_for_later_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    places = "".join(
        f'<location id="urn:x{number}"><geographicName language="en">{"x" * 200}</geographicName></location>'
        for number in range(100)
    )
    data = feed(FULL, referred=f"<locationReferences>{places}</locationReferences></Courses>")
    assert read_all(Elm(), data)[0]
    monkeypatch.setattr(elm, "MAX_KEPT", 10_000)
    with pytest.raises(FeedBroken) as caught:
        read_all(Elm(), data)
    assert caught.value.finding.code == "NODES_TOO_LARGE"
    # Sections that are of no use are let go of as they come, however long they are together.
    outcomes = '<learningOutcome id="urn:o"><title language="en">outcome</title></learningOutcome>' * 2000
    long = feed(FULL, referred=f"<learningOutcomeReferences>{outcomes}</learningOutcomeReferences></Courses>")
    assert read_all(Elm(), long, limit=100_000)[0]


def test_fields_that_are_made_up_do_not_grow_in_memory_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(opportunity("urn:c1", "".join(f"<made{number}>x</made{number}>" for number in range(150))))

    def kept() -> int:
        return len(next(Elm().records(Bounded(io.BytesIO(data)))).content.left)

    monkeypatch.setattr(elm, "MAX_KINDS", 50)
    assert kept() == 50
    monkeypatch.setattr(elm, "MAX_KINDS", 1 << 40)  # the guard off
    assert kept() > 150


@pytest.mark.parametrize("off", [False, True])
def test_a_field_that_was_told_of_is_not_looked_into_again(
    monkeypatch: pytest.MonkeyPatch, *, off: bool
) -> None:
    looked: list[str] = []
    says = leftovers._says_something
    monkeypatch.setattr(leftovers, "_says_something", lambda each: looked.append(each.tag) or says(each))
    if off:  # it is not said what was told of
        whole = leftovers.of_element
        monkeypatch.setattr(leftovers, "of_element", lambda each, here, _: whole(each, here))
    several = [opportunity(f"urn:c{number}", "<duration>P1M</duration>") for number in range(5)]
    documents, found = read_all(Elm(), feed(*several), Context(**CONTEXT))
    assert (len(documents), [each.path for each in found].count("duration")) == (5, 1)
    assert looked.count(f"{elm.ELM}duration") == (5 if off else 1)


class Many:
    """A file of so many opportunities, made as it is read."""

    def __init__(self, count: int) -> None:
        each = FULL.replace("urn:c1", "urn:c{}")
        opportunities = (each.format(number) for number in range(count))
        head, tail = feed().decode().split("</learningOpportunityReferences>")
        self.parts = chain([head], opportunities, ["</learningOpportunityReferences>", tail])

    def read(self, size: int = -1, /) -> bytes:
        return next(self.parts, "").encode()


def peak(count: int) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in Elm().records(Bounded(Many(count)))) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_stays_flat_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elm, "_SPOOL", 1 << 15)
    few = peak(60)
    assert peak(600) < 1.5 * few
    monkeypatch.setattr(elm, "_SPOOL", 1 << 30)  # control: all in memory until the end
    assert peak(600) > 3 * few


def test_codes_of_three_letters_are_those_of_the_publications_office() -> None:
    shown = {
        code: languages.authority_uri(code)[-3:] for code in ("en", "nl", "de", "fr", "el", "hr", "cs", "ro")
    }
    assert list(shown.values()) == ["ENG", "NLD", "DEU", "FRA", "ELL", "HRV", "CES", "RON"]
    assert [languages.two_letters(f"{LANGUAGE}/{code}") for code in ("DEU", "UND", "HAI", "")] == [
        "de",
        "",
        "hai",
        "",
    ]
    assert languages.authority_uri("xx").endswith("/UND")
    assert (countries.two_letters("GRC"), countries.three_letters("EL"), countries.three_letters("")) == (
        "GR",
        "GRC",
        "",
    )
    assert countries.two_letters("OP_DATPRO") == ""
