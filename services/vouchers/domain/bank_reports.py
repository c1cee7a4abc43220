"""What a bank reports about payments, whatever the format, and what it means for a payment of ours. Cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import sha256

from services.vouchers.domain.states import BatchState


class Format(IntEnum):
    """Formats that can be read, with the same numbers as in the contract."""

    PAIN_002 = 1
    CAMT_054 = 2


class Verdict(IntEnum):
    """What the bank says, with the same numbers as in the contract."""

    PENDING = 1
    CONFIRMED = 2
    RETURNED = 3
    UNCLEAR = 4
    RECEIVED = 5


class Outcome(IntEnum):
    """What came of it, with the same numbers as in the contract."""

    APPLIED = 1
    REPEATED = 2
    NOTED = 3
    UNMATCHED = 4
    DIFFERENT = 5
    NOT_SENT = 6
    UNCLEAR = 7
    OVERPAID = 8


@dataclass(frozen=True)
class Said:
    """One statement. Without `end_to_end` it is about all payments of the file that `initiation` names.

    `cents` is None where the bank names no amount, `account` (IBAN) empty where it names none. `booked`: it
    is about the account's money, not only about an order; `booked_on` (a day as text) and `creditor` (a
    compact reference, ISO 11649) where a booking names them.
    """

    line: int
    verdict: Verdict
    code: str
    end_to_end: str = ""
    initiation: str = ""
    bank_reference: str = ""
    cents: int | None = None
    currency: str = ""
    account: str = ""
    booked: bool = False
    booked_on: str = ""
    creditor: str = ""

    @property
    def credit(self) -> str:
        """What tells a credit from others however often it is told: SHA-256, hex."""
        fields = (self.account, self.booked_on, self.bank_reference, self.end_to_end, self.creditor)
        return sha256("\x1f".join((*fields, str(self.cents), self.currency)).encode()).hexdigest()


@dataclass(frozen=True)
class Report:
    """A file as read. `sha256` is of its XML, `page` counts from 1 where a message comes in several."""

    format: Format
    message_id: str
    page: int
    created: datetime
    sha256: str
    said: tuple[Said, ...]


@dataclass(frozen=True)
class Known:
    """A payment of ours, or all of a batch: `result` 0, CONFIRMED or RETURNED; `account` it is paid from."""

    sent: bool
    result: int
    cents: int
    currency: str
    account: str


def outcome(said: Said, known: Known | None) -> Outcome:
    """Returns what a statement does to a payment; only APPLIED changes it, to what the verdict says.

    RETURNED is final: a new payment has a new reference. A rejected order whose money is known to have left
    contradicts itself; only a booking takes back what was booked.
    """
    if known is None:
        return Outcome.UNMATCHED
    if not known.sent:
        return Outcome.NOT_SENT
    if said.verdict in (Verdict.UNCLEAR, Verdict.RECEIVED):
        return Outcome.UNCLEAR
    if said.account and said.account != known.account:
        return Outcome.DIFFERENT
    if said.cents is not None and (said.cents, said.currency) != (known.cents, known.currency):
        return Outcome.DIFFERENT
    if said.verdict is Verdict.PENDING:
        return Outcome.NOTED
    if known.result == BatchState.RETURNED:
        return Outcome.REPEATED
    if known.result == BatchState.CONFIRMED:
        if said.verdict is Verdict.CONFIRMED:
            return Outcome.REPEATED
        return Outcome.APPLIED if said.booked else Outcome.UNCLEAR
    return Outcome.APPLIED


def credit_outcome(said: Said, free: int, currency: str, *, known: bool) -> Outcome:
    """Returns what a credit does to a debt that it names, of which `free` cents of `currency` are left to be
    paid: APPLIED and OVERPAID pay the lesser of both. `known`: this credit was taken before.

    Without the bank's own reference nobody can tell a second payment from the first one told twice.
    """
    if said.verdict is Verdict.PENDING:
        return Outcome.NOTED
    if said.verdict is not Verdict.RECEIVED or said.cents is None or not said.bank_reference:
        return Outcome.UNCLEAR
    if said.currency != currency:
        return Outcome.DIFFERENT
    if known:
        return Outcome.REPEATED
    return Outcome.OVERPAID if said.cents > free else Outcome.APPLIED
