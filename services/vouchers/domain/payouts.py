"""Payout batches: one payment a provider, references, IBANs. Cents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from stdnum import iban as iban_numbers
from stdnum.exceptions import ValidationError
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

CHANGE_DELAY = timedelta(hours=72)  # a changed bank account is not used before; a first one is at once


@dataclass(frozen=True)
class Account:
    """Where money goes to or comes from."""

    holder: str
    iban: str
    bic: str


@dataclass(frozen=True)
class Due:
    """A cleared redemption of a provider."""

    redemption: str
    organisation: str
    cents: int


@dataclass(frozen=True)
class Payment:
    """One payment of a batch: `cents` by the bank, `set_off` against what the provider owes back."""

    organisation: str
    cents: int
    count: int
    reference: str
    set_off: int = 0

    def less(self, against: Iterable[tuple[str, int]]) -> Payment:
        """Returns it less what goes against receivables (id, cents)."""
        set_off = sum(cents for _, cents in against)
        return replace(self, cents=self.cents - set_off, set_off=set_off)


def payments(batch: str, dues: Iterable[Due]) -> list[Payment]:
    """Returns one payment for each provider, by provider."""
    sums: dict[str, tuple[int, int]] = {}
    for due in dues:
        cents, count = sums.get(due.organisation, (0, 0))
        sums[due.organisation] = (cents + due.cents, count + 1)
    return [
        Payment(who, cents, count, end_to_end(batch, who)) for who, (cents, count) in sorted(sums.items())
    ]


def end_to_end(batch: str, organisation: str) -> str:
    """Returns the 32 characters by which bank and provider know a payment; the same for the same batch."""
    return hashlib.sha256(f"{batch} {organisation}".encode()).hexdigest()[:32].upper()


def checked_iban(field: str, text: str) -> str:
    """Returns an IBAN without spaces; raises Refusal(IBAN_INVALID) for a wrong length, country or check."""
    try:
        # The national look-up is left out: its list of banks is older than some banks.
        return str(iban_numbers.validate(text, check_country=False))
    except ValidationError as error:
        violation = Violation(field, f"is no IBAN: {str(error) or 'malformed'}")
        raise Refusal(reason_pb2.REASON_IBAN_INVALID, violations=[violation]) from None


def masked_iban(iban: str) -> str:
    """Returns what people may see of an IBAN: the country and the last four characters."""
    return f"{iban[:2]}{'•' * (len(iban) - 6)}{iban[-4:]}"
