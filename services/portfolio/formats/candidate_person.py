"""Who a Candidate document is about, and the languages of that person."""

from __future__ import annotations

from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry, LanguageDetail
from waymark.portfolio.v1.holder_pb2 import Contact, Holder

from services.portfolio.formats import languages
from services.portfolio.formats.candidate import LEVELS
from services.portfolio.formats.candidate_values import date_of, each, first, text_of
from services.portfolio.formats.europass import COUNTRIES
from services.portfolio.formats.trees import Tree

_OF_UNION = {union: iso for iso, union in COUNTRIES.items()}
_LEVELS = LEVELS | {"CEF-Writing-Interaction": "writing"}


def person(tree: Tree) -> Holder:
    """Returns the person of a `CandidatePerson`."""
    name = tree.tree("PersonName")
    holder = Holder(
        given_name=" ".join(_all(name, "GivenName")), family_name=" ".join(_all(name, "FamilyName"))
    )
    if not holder.given_name and not holder.family_name:
        holder.given_name, _, holder.family_name = text_of(name, "FormattedName").rpartition(" ")
    if born := date_of(tree, "BirthDate"):
        holder.birth_date.CopyFrom(born)
    contact = Contact()
    for way in each(tree, "Communication"):
        _note_way(contact, way)
    if contact.ListFields():
        holder.contact.CopyFrom(contact)
    return holder


def _all(tree: Tree, key: str, limit: int = 300) -> list[str]:
    return [said for element in each(tree, key) if (said := element.text("text", limit))]


def _note_way(contact: Contact, way: Tree) -> None:
    """Notes the first e-mail address, telephone number and postal address; other ways are left."""
    channel = text_of(way, "ChannelCode")
    address = first(way, "Address")
    if address and not (contact.address_lines or contact.locality or contact.postal_code):
        _note_address(contact, address)
        way.take("UseCode")
    elif channel.casefold() == "email" and not contact.email:
        contact.email = text_of(way, "URI") or text_of(way, "Text")
        way.take("UseCode")
    elif not contact.phone and (number := " ".join(_all(way, "AreaDialing") + _all(way, "DialNumber"))):
        code = text_of(way, "CountryDialing").lstrip("+0")
        contact.phone = " ".join(_number(code, number))
        way.take("UseCode", "CountryCode")  # of the code
    else:
        way.leave("ChannelCode", channel)


def _number(code: str, number: str) -> list[str]:
    """Returns a telephone number by its parts; one without blanks stays without."""
    if not code:
        return [number]
    return [f"+{code}", number] if " " in number else [f"+{code}{number}"]


def _note_address(contact: Contact, address: Tree) -> None:
    lines = [part for line in _all(address, "AddressLine", 1600) for part in line.split("\n")]
    street = [part for key in ("StreetName", "BuildingNumber", "Unit") for part in _all(address, key)]
    lines.append(" ".join(street))
    contact.address_lines.extend(filter(None, map(str.strip, lines)))
    contact.locality = text_of(address, "CityName")
    contact.postal_code = text_of(address, "PostalCode")
    country = text_of(address, "CountryCode").upper()
    contact.region_code = _OF_UNION.get(country, country)
    address.take("type", "currentAddressIndicator")


def mother_tongues(tree: Tree, language: str) -> list[Entry]:
    """Returns the languages that a `CandidatePerson` grew up with."""
    return [_named(element, language, native=True) for element in each(tree, "PrimaryLanguageCode")]


def language_of(competency: Tree, language: str) -> Entry:
    """Returns the language of a competency with its levels: of each skill, or one for all."""
    entry = _named(first(competency, "CompetencyID"), language)
    entry.title = text_of(competency, "CompetencyName") or entry.title
    for dimension in each(competency, "CompetencyDimension"):
        code, score = text_of(dimension, "CompetencyDimensionTypeCode"), first(dimension, "Score")
        word, skill = text_of(score, "ScoreText"), _LEVELS.get(code, "")
        level = languages.level_of(word)
        if skill and level and not getattr(entry.language, skill):
            setattr(entry.language, skill, level)
        else:
            dimension.leave("CompetencyDimensionTypeCode", code)
            score.leave("ScoreText", word)
    proficiency = first(competency, "ProficiencyLevel")
    word = text_of(proficiency, "ScoreText")
    if word and languages.level_of(word) and not languages.fluency(entry.language):
        languages.take_fluency(word, entry.language)
    elif word != languages.fluency(entry.language):
        proficiency.leave("ScoreText", word)
    return entry


def _named(element: Tree, language: str, *, native: bool = False) -> Entry:
    """Returns a language by its code, or by words where the document says that it has none."""
    in_words = any(
        element.text(key).upper() in ("FREETEXT", "FREE_TEXT") for key in ("name", "schemeName", "typeCode")
    )
    said = element.text("text")
    tag = languages.UNKNOWN if in_words else languages.tag_of(said)
    title = said if tag == languages.UNKNOWN else languages.name_of(tag, language)
    if tag == languages.UNKNOWN:
        tag = languages.code_of(said, language)
    detail = LanguageDetail(language_code=tag, native=native)
    return Entry(kind=entries.ENTRY_KIND_LANGUAGE, title=title, language=detail)
