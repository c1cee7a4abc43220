"""What vouchers know of the catalogue: a session with its course and provider, on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from services.vouchers.domain.shortage import Occupation

_DAYS = ("start", "end", "accredited_until")


@dataclass(frozen=True)
class Offer:
    """A session as last told by the catalogue. `price` in cents, None when the provider did not say;
    `titles`: language and text, where something is to be said to people."""

    session: str
    course: str
    organisation: str
    kind: str
    eqf_level: int
    occupations: tuple[Occupation, ...]
    start: date | None
    end: date | None
    price: int | None
    currency: str
    nuts: str
    accredited: bool
    accredited_until: date | None
    titles: tuple[tuple[str, str], ...] = ()

    def accredited_on(self, day: date) -> bool:
        """True when the provider may take vouchers on `day`."""
        return self.accredited and (self.accredited_until is None or self.accredited_until >= day)


def document(offer: Offer | None, price: int | None = None) -> dict[str, Any]:
    """Returns an offer in the form kept with an application; `restore` reads it. `price`: cents, of what was
    allocated before a session was chosen."""
    if offer is None:
        return {"any": True, "price": price}
    return {
        **vars(offer),
        "occupations": [[item.uri, item.isco] for item in offer.occupations],
        **{name: day.isoformat() if (day := getattr(offer, name)) else None for name in _DAYS},
    }


def restore(kept: Mapping[str, Any]) -> Offer | None:
    """Returns the offer that `document` wrote, None for any session; raises KeyError, TypeError or ValueError
    when it is neither."""
    if kept.get("any") is True:
        return None
    values = {field.name: kept[field.name] for field in fields(Offer) if field.name != "titles"}
    titles = tuple((language, text) for language, text in kept.get("titles", ()))  # not kept in former days
    days = {name: date.fromisoformat(kept[name]) if kept[name] else None for name in _DAYS}
    occupations = tuple(Occupation(uri, isco) for uri, isco in kept["occupations"])
    return Offer(**{**values, **days, "occupations": occupations, "titles": titles})
