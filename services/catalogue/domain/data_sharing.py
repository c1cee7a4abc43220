"""What parties of an agreement share with each other: whose data, for which purposes, field by field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.platform.errors import Violation

# Fields of contact details that can be shared.
SHAREABLE = (
    "email",
    "phone",
    "street",
    "postal_code",
    "town",
    "billing_email",
    "emergency_phone",
)


@dataclass(frozen=True, slots=True)
class Term:
    """What the organisation `giver` (an id) lets the other parties read, for any of `purposes`."""

    giver: str
    purposes: Collection[int]
    fields: Collection[str]


def term_faults(terms: Sequence[Term], parties: Collection[str]) -> list[Violation]:
    """Returns what is wrong with the terms of an agreement between `parties`."""
    found = []
    for index, term in enumerate(terms):
        field = f"agreement.data_sharing[{index}]"
        if term.giver not in parties:
            found.append(Violation(f"{field}.giver", "must be a party"))
        if unknown := sorted(set(term.fields) - {*SHAREABLE}):
            allowed = ", ".join(SHAREABLE)
            found.append(Violation(f"{field}.fields", f"{unknown[0]} is none of {allowed}"))
    return found


def readable(terms: Iterable[Term], giver: str, purpose: int) -> list[str]:
    """Returns the fields of the giver's that the terms share for a purpose, in the order of SHAREABLE."""
    shared = {
        field for term in terms if term.giver == giver and purpose in term.purposes for field in term.fields
    }
    return [field for field in SHAREABLE if field in shared]
