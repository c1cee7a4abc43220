"""What vouchers know of the catalogue: a session with its course and provider, on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.vouchers.domain.shortage import Occupation


@dataclass(frozen=True)
class Offer:
    """A session as last told by the catalogue. `price` in cents, None when the provider did not say."""

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

    def accredited_on(self, day: date) -> bool:
        """True when the provider may take vouchers on `day`."""
        return self.accredited and (self.accredited_until is None or self.accredited_until >= day)
