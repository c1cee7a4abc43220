"""A provider's statement: which entries of the ledger are its lines, and how they read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from services.platform.days import begin
from services.platform.errors import invalid
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.pain001 import decimal

LONGEST = 366  # days of one statement
HEADER = ("time", "kind", "amount", "currency", "redemption", "payout_batch", "receivable", "subject")


class LineKind(IntEnum):
    """What happened, with the same numbers as in the contract."""

    ACCEPTED = 1
    RELEASED = 2
    PAID = 3
    RETURNED = 4
    SET_OFF = 5
    CLAWED_BACK = 6
    CLAWED_BACK_AFTER_PAYMENT = 7
    WRITTEN_OFF = 8
    PAID_BACK = 9
    PAID_BACK_UNDONE = 10
    APPROVED = 11


# The one entry of each booking that tells the provider what happened: operation, kind of account.
LINES: Mapping[tuple[str, Kind], LineKind] = {
    ("accept", Kind.PROVIDER_HELD): LineKind.ACCEPTED,
    ("release", Kind.PROVIDER_CLEARED): LineKind.RELEASED,
    ("payout", Kind.BANK_CLEARING): LineKind.PAID,
    ("payout", Kind.PROVIDER_RECEIVABLE): LineKind.SET_OFF,
    ("return", Kind.PROVIDER_CLEARED): LineKind.RETURNED,
    ("clawback", Kind.PROVIDER_HELD): LineKind.CLAWED_BACK,
    ("clawback", Kind.PROVIDER_CLEARED): LineKind.CLAWED_BACK,
    ("clawback", Kind.PROVIDER_RECEIVABLE): LineKind.CLAWED_BACK_AFTER_PAYMENT,
    ("writeoff", Kind.PROVIDER_RECEIVABLE): LineKind.WRITTEN_OFF,
    ("payback", Kind.PROVIDER_RECEIVABLE): LineKind.PAID_BACK,
    ("paybackundone", Kind.PROVIDER_RECEIVABLE): LineKind.PAID_BACK_UNDONE,
    # What is no redemption, by what approved it.
    ("train", Kind.PROVIDER_CLEARED): LineKind.APPROVED,
    ("tranche", Kind.PROVIDER_CLEARED): LineKind.APPROVED,
    ("levyclaim", Kind.PROVIDER_CLEARED): LineKind.APPROVED,
    ("unspent", Kind.PROVIDER_CLEARED): LineKind.APPROVED,
    ("repay", Kind.PROVIDER_CLEARED): LineKind.APPROVED,
}


class Line(NamedTuple):
    """One movement; `cents` never negative, names empty where they do not apply."""

    time: datetime
    kind: LineKind
    cents: int
    currency: str
    redemption: str
    payout_batch: str
    receivable: str
    subject: str


def line(
    moment: datetime, operation: str, kind: int, owner: str, cents: int, currency: str, reference: str
) -> Line:
    """Returns an entry of the ledger that LINES knows as a line."""
    account = Kind(kind)
    # What approves something that is no redemption may refer to the whole that it is a part of.
    about = owner if account is Kind.PROVIDER_CLEARED else reference
    is_redemption = about.startswith("redemptions/")
    return Line(
        moment,
        LINES[operation, account],
        abs(cents),
        currency,
        about if is_redemption else "",
        owner if account is Kind.BANK_CLEARING else "",
        owner if account is Kind.PROVIDER_RECEIVABLE else "",
        "" if is_redemption else about,
    )


def period(first: date, last: date, longest: int | None = LONGEST) -> tuple[datetime, datetime]:
    """Returns the moments (UTC) with which days begin and end; raises Refusal(INVALID_ARGUMENT): none, or
    more than `longest`, None being any number."""
    problem = ""
    if last < first:
        problem = "must not be before start_date"
    elif longest is not None and (last - first).days >= longest:
        problem = f"must be within {longest} days of start_date; ask for several periods"
    elif last == date.max:
        problem = "is too far ahead"
    if problem:
        raise invalid("end_date", problem)
    return begin(first), begin(last + timedelta(days=1))


def csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Returns rows as CSV (RFC 4180) in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def moment_text(moment: datetime) -> str:
    """Returns a moment as text, UTC with microseconds: `2026-11-26T08:00:00.000000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def csv_row(found: Line) -> tuple[str, ...]:
    """Returns a line as the cells under HEADER."""
    amount = decimal(found.cents)
    names = (found.redemption, found.payout_batch, found.receivable, found.subject)
    return (moment_text(found.time), found.kind.name.lower(), amount, found.currency, *names)
