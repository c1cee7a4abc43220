"""How alike two courses of different sources are. A change of the rule needs a new RULE."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from services.catalogue.domain.courses import Document, sessions
from services.catalogue.domain.labels import normal

RULE = 1
LEAST = 0.75  # likeness of courses that are linked
TITLE, PLACES, STARTS, PROVIDER = 0.6, 0.15, 0.15, 0.1  # weights
LANGUAGES = 3  # titles of a course that are compared
_NUMBER = re.compile(r"\d+")
BINS, BAND = 18, 3  # of the sketch of a title, and bins that must agree for a look at both


class Features(NamedTuple):
    """What is compared: titles without case, accents and punctuation; towns or NUTS codes; days of starts;
    where the provider is on the web."""

    titles: Sequence[str]
    places: Sequence[str]
    starts: Sequence[str]
    provider: str


def features(document: Document) -> Features:
    """Returns what is compared of a course."""
    titles = sorted(document["titles"].items(), key=lambda item: (item[0] != "en", item[0]))
    found = list(sessions(document))
    return Features(
        titles=list(dict.fromkeys(normal(title) for _, title in titles[:LANGUAGES])),
        places=sorted(
            {place for each in found if (place := normal(each.get("town") or each.get("nuts", "")))}
        ),
        starts=sorted({each["start"] for each in found if "start" in each}),
        provider=(urlsplit(document["url"]).hostname or "").removeprefix("www."),
    )


def likeness(one: Features, other: Features) -> float:
    """Returns from 0 to 1 how alike two courses are; what one of them does not say is left out."""
    title = max((_jaccard(a, b) for a in one.titles for b in other.titles), default=0.0)
    weight, sum_ = TITLE, TITLE * title
    for share, mine, theirs in ((PLACES, one.places, other.places), (STARTS, one.starts, other.starts)):
        if mine and theirs:
            weight += share
            sum_ += share * _overlap(mine, theirs)
    if one.provider and one.provider == other.provider:  # who lists courses of others shows its own address
        weight += PROVIDER
        sum_ += PROVIDER
    return sum_ / weight


def keys(titles: Sequence[str]) -> list[int]:
    """Returns numbers of which titles that are alike share at least one: for finding what to compare.

    Titles with a likeness of 0.8 share one with a probability of 99 %, with 0.7 of 92 %, with 0.3 of 15 %
    (MinHash of one permutation, BINS / BAND bands).
    """
    return sorted({key for title in titles if title for key in _bands(_sketch(title))})


def _sketch(title: str) -> list[int]:
    """The least hash in each of BINS bins; an empty bin takes that of the next."""
    bins = [-1] * BINS
    for shingle in shingles(title):
        hash_ = zlib.crc32(shingle.encode())
        place, value = hash_ % BINS, hash_ // BINS
        if bins[place] < 0 or value < bins[place]:
            bins[place] = value
    filled = [value for value in bins if value >= 0]
    return [value if value >= 0 else _next(bins, place) for place, value in enumerate(bins)] if filled else []


def _next(bins: Sequence[int], place: int) -> int:
    return next(bins[(place + step) % BINS] for step in range(1, BINS) if bins[(place + step) % BINS] >= 0)


def _bands(sketch: Sequence[int]) -> Iterator[int]:
    for first in range(0, len(sketch), BAND):
        text = f"{first} {sketch[first : first + BAND]}"
        yield zlib.crc32(text.encode()) - (1 << 31)  # as the database's integer takes it


def shingles(text: str) -> set[str]:
    """Returns every three letters in a row, with a space before and after."""
    padded = f" {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def _jaccard(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if _NUMBER.findall(one) != _NUMBER.findall(other):  # level 1 and level 2 are two courses
        return 0.0
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def _overlap(one: Collection[str], other: Collection[str]) -> float:
    a, b = set(one), set(other)
    return len(a & b) / min(len(a), len(b))
