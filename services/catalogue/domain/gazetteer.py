"""Places by name, postcode or NUTS code: what may be meant by one, and where that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from services.catalogue.domain.labels import normal, words

_COUNTRIES = {"EL": "GR", "UK": "GB"}  # as NUTS codes have them → ISO 3166-1
_CODE = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")


class Kind(IntEnum):
    """What a place is, as in the contract."""

    REGION = 1
    TOWN = 2
    POSTCODE = 3


class Place(NamedTuple):
    """A place; `code`: a NUTS code or postcode, "" for a town; degrees are WGS 84."""

    kind: Kind
    name: str
    country: str
    code: str
    latitude: float
    longitude: float


def country_of(code: str) -> str:
    """Returns the country (ISO 3166-1 alpha 2) of a NUTS code, or of a country's code as either has it."""
    return _COUNTRIES.get(code[:2], code[:2])


def key_of(kind: Kind, text: str) -> str:
    """Returns what a town or postcode is looked up by: case, accents and, of postcodes, spaces aside."""
    return normal(text) if kind == Kind.TOWN else "".join(words(text))


def keys(text: str) -> dict[Kind, str]:
    """Returns what a text is looked up by, as a town and as a postcode."""
    return {kind: key_of(kind, text) for kind in (Kind.TOWN, Kind.POSTCODE)}


def region_code(text: str) -> str:
    """Returns the text as a NUTS code, "" when it cannot be one: two letters are one only as capitals."""
    code = text.strip()
    return code.upper() if _CODE.fullmatch(code.upper()) and (len(code) > 2 or code.isupper()) else ""


def near_names(text: str, known: Iterable[str], most: int = 5) -> list[str]:
    """Returns the names most like a text, the best first: those that begin alike and are about as long."""
    wanted = normal(text)
    likeness = {
        name: _alike(wanted, found)
        for name in known
        if (found := normal(name))[:1] == wanted[:1] and abs(len(found) - len(wanted)) <= 3
    }
    best = sorted(likeness, key=lambda name: (-likeness[name], name))
    return [name for name in best if likeness[name] >= 0.5][:most]


def _alike(one: str, other: str) -> float:
    """Dice's coefficient of the pairs of letters."""
    pairs, others = ({text[at : at + 2] for at in range(len(text) - 1)} for text in (one, other))
    return 2 * len(pairs & others) / (len(pairs) + len(others)) if pairs and others else 0.0


def in_country(places: Sequence[Place], country: str) -> list[Place]:
    """Returns those of a country as `country_of` has it; all for ""."""
    return [place for place in places if country in ("", place.country)]
