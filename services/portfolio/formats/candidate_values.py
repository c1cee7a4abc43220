"""What the elements of a Candidate document say, taken out of its tree: texts, dates, periods, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.type.date_pb2 import Date
from waymark.portfolio.v1.entry_pb2 import Entry

from services.portfolio.formats.markup import Said
from services.portfolio.formats.texts import MAX_TEXT, as_iso, of_iso, of_markup
from services.portfolio.formats.trees import Tree

MOST_MARKUP = 40_000  # characters of a text with its tags
# Of the code list or language that a text is in; the text itself says the same to us.
_ATTRIBUTES = (
    "languageID",
    "listName",
    "listSchemeURI",
    "listURI",
    "listVersionID",
    "name",
    "schemeAgencyID",
    "schemeAgencyName",
    "schemeID",
    "schemeName",
    "schemeVersionID",
    "typeCode",
)


class Made(NamedTuple):
    """An entry or skill, and the elements of the document that it was: an item of a section, and of an
    employer the position."""

    part: Any
    item: Any = None
    position: Any = None


def each(tree: Tree, key: str) -> list[Tree]:
    """Takes all elements of a name; what an element says itself is its `text`."""
    value = tree.take(key)
    values = value if isinstance(value, list) else [value]
    said = [
        one if isinstance(one, Mapping) else Said(getattr(one, "element", None), [("text", one)])
        for one in values
        if one not in (None, "")
    ]
    tree.leave(key, said)
    return tree.trees(key)


def first(tree: Tree, key: str) -> Tree:
    """Takes the first element of a name, an empty one where there is none; others are left."""
    return next(iter(each(tree, key)), Tree({}))


def text_of(tree: Tree, key: str, limit: int = 300) -> str:
    """Takes the text of the first element of a name, whatever code list it is of."""
    element = first(tree, key)
    element.take(*_ATTRIBUTES)
    return element.text("text", limit)


def date_of(tree: Tree, key: str) -> Date | None:
    """Takes a date: YYYY, YYYY-MM, YYYY-MM-DD, any time of that day; what is none is left."""
    element = first(tree, key)
    for place in ("FormattedDateTime", "text"):
        said = text_of(element, place)
        if day := of_iso(said):
            return day
        element.leave(place, said)
    return None


def note_period(entry: Entry, period: Tree) -> None:
    """Notes start and end; an end of what is said to go on is left."""
    if start := date_of(period, "StartDate"):
        entry.start_date.CopyFrom(start)
    end = date_of(period, "EndDate")
    goes_on = {text_of(period, key).lower() for key in ("CurrentIndicator", "Ongoing")}
    if end and "true" in goes_on:
        period.leave("EndDate", as_iso(end))
    elif end:
        entry.end_date.CopyFrom(end)


def note_description(entry: Entry, item: Tree, key: str, language: str) -> None:
    """Notes the text of HTML; one that is too long is shortened, and left as well."""
    said = text_of(item, key, MOST_MARKUP)
    text = of_markup(said)
    if len(text) > MAX_TEXT:
        item.leave(key, said)
    if text:
        entry.description[language] = text[:MAX_TEXT]


def note_organisation(entry: Entry, item: Tree) -> None:
    """Notes an organisation with its town, and the first address on the web that it or the item has."""
    entry.organisation = text_of(item, "OrganizationName")
    entry.uri = text_of(item, "Link", 2000)
    for way in (
        way for contact in each(item, "OrganizationContact") for way in each(contact, "Communication")
    ):
        address = first(way, "Address")
        if not entry.place:
            entry.place = text_of(address, "CityName", 200)
        channel = text_of(way, "ChannelCode")
        if channel.casefold() == "web" and not entry.uri:
            entry.uri = text_of(way, "URI", 2000)
        else:
            way.leave("ChannelCode", channel)
