"""Levy accounts: what wages cost an employer, what a claim may take, when the rest lapses. Integer cents."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.vouchers.domain.money import MAX_CENTS
from services.vouchers.domain.pain001 import decimal
from services.vouchers.domain.statements import csv_lines

MOST_ROWS = 5000  # of one file
COLUMNS = ("employer", "month", "gross_payroll_cents")
WHOLE = 100_000  # what a rate is parts of
_EMPLOYER = re.compile(r"organisations/[^/\s\0]{1,100}")  # no text of the database holds a NUL
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class ClaimState(IntEnum):
    """Where a claim stands, with the same numbers as in the contract."""

    SUBMITTED = 1
    APPROVED = 2
    REJECTED = 3


class LineKind(IntEnum):
    """What moved on an account, with the same numbers as in the contract."""

    CONTRIBUTION = 1
    CLAIM = 2
    EXPIRY = 3
    CORRECTION = 4


def rate_of(rates: Mapping[date, int], month: date) -> int | None:
    """Returns the rate (parts of 100 000) in force on the first of `month`; None before the first rate."""
    days = [day for day in rates if day <= month]
    return rates[max(days)] if days else None


def contribution(gross: int, parts: int) -> int:
    """Returns what a month's wages of `gross` cents cost at a rate in parts of 100 000: half a cent and more
    counts as a cent."""
    return (gross * parts * 2 + WHOLE) // (2 * WHOLE)


def check_rates(days: Sequence[date], place: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless the days are firsts of months, each after the one before.

    `place`: where the request has a rate, `{}` for its index.
    """
    wrong = [
        Violation(f"{place.format(index)}.effective_date", said)
        for index, day in enumerate(days)
        for said in _faults(day, days[index - 1] if index else None)
    ]
    if wrong:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)


def _faults(day: date, before: date | None) -> Iterator[str]:
    if day.day != 1:
        yield "must be the first of a month"
    if before is not None and day <= before:
        yield "must be after the rate before it"


class Finding(NamedTuple):
    """Something wrong in a file: its line from 1, its column (empty: the line), and how to mend it."""

    line: int
    column: str
    text: str


class Wages(NamedTuple):
    """A row of a file: line, employer, first of the month, gross payroll in cents."""

    line: int
    employer: str
    month: date
    gross: int


def read_wages(content: bytes, today: date) -> tuple[list[Wages], list[Finding]]:
    """Reads a file of wages (CSV, see COLUMNS); returns its good rows and what is wrong with the others.

    Months after that of `today`, and a second row for an employer and month, are findings too.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Finding(1, "", "the file is not UTF-8; save it as UTF-8")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, findings = list[Wages](), list[Finding]()
    first: dict[tuple[str, date], int] = {}
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if header != list(COLUMNS):
            return [], [Finding(1, "", f"the header must be {','.join(COLUMNS)}")]
        filled = (cells for cells in reader if any(cells))
        for count, cells in enumerate(filled, 1):
            if count > MOST_ROWS:
                findings.append(
                    Finding(reader.line_num, "", f"more than {MOST_ROWS} rows; send several files")
                )
                break
            row = _wages(reader.line_num, cells, today, findings)
            if row is None:
                continue
            met = first.setdefault((row.employer, row.month), row.line)
            if met != row.line:
                findings.append(Finding(row.line, "month", f"is given in line {met} too; leave one"))
            else:
                rows.append(row)
    except csv.Error as error:
        findings.append(Finding(reader.line_num, "", f"the line is no CSV: {error}"))
    return rows, findings


def _wages(line: int, cells: Sequence[str], today: date, findings: list[Finding]) -> Wages | None:
    if len(cells) != len(COLUMNS):
        findings.append(Finding(line, "", f"must have {len(COLUMNS)} values, has {len(cells)}"))
        return None
    employer, month, gross = (cell.strip() for cell in cells)
    wrong = []
    if not _EMPLOYER.fullmatch(employer):
        wrong.append(Finding(line, "employer", "must look like organisations/{id}"))
    match = _MONTH.fullmatch(month)
    if match is None or match[1] < "1990":
        wrong.append(Finding(line, "month", "must be a month such as 2026-03"))
    elif date(int(match[1]), int(match[2]), 1) > today:
        wrong.append(Finding(line, "month", "has not begun yet"))
    if not re.fullmatch("[0-9]{1,15}", gross) or int(gross) > MAX_CENTS:
        wrong.append(Finding(line, "gross_payroll_cents", "must be whole cents such as 1250000"))
    findings += wrong
    if wrong or match is None:
        return None
    return Wages(line, employer, date(int(match[1]), int(match[2]), 1), int(gross))


@dataclass(frozen=True)
class Year:
    """Contributions of one year, cents: paid in, set aside by open claims, taken by claims, lapsed.

    `expires`: last day on which the rest may be claimed.
    """

    year: int
    contributed: int
    reserved: int
    claimed: int
    expired: int
    expires: date

    @property
    def rest(self) -> int:
        """What nobody has claimed and has not lapsed."""
        return self.contributed - self.reserved - self.claimed - self.expired

    @property
    def balance(self) -> int:
        """What is still there, open claims included."""
        return self.contributed - self.claimed - self.expired

    def pays(self, trained: date, today: date) -> bool:
        """True when its money may pay for training of the day `trained`, claimed `today`."""
        return self.year <= trained.year <= self.expires.year and today <= self.expires


def last_day(year: int, carry_over: int) -> date:
    """Returns the last day on which the rest of a year may be claimed, `carry_over` years later."""
    return date(year + carry_over, 12, 31)


def available(years: Iterable[Year], trained: date, today: date) -> int:
    """Returns the cents that may be claimed `today` for training that ended on `trained`."""
    return sum(year.rest for year in years if year.pays(trained, today))


def draw(years: Iterable[Year], cents: int, trained: date, today: date) -> list[tuple[int, int]]:
    """Returns the (year, cents) that a claim takes, what lapses first before the rest.

    Raises Refusal(LEVY_BALANCE_TOO_LOW), which says what is available.
    """
    usable = sorted((year for year in years if year.pays(trained, today)), key=lambda year: year.year)
    there = sum(year.rest for year in usable)
    if cents > there:
        raise Refusal(reason_pb2.REASON_LEVY_BALANCE_TOO_LOW, metadata={"available_cents": str(there)})
    parts, left = [], cents
    for year in usable:
        part = min(left, year.rest)
        if part:
            parts.append((year.year, part))
        left -= part
    return parts


class Line(NamedTuple):
    """One movement of an account: `cents` below zero where money went; `gross` of a contribution, or of its
    correction."""

    day: date
    kind: LineKind
    cents: int
    gross: int | None
    claim: str


HEADER = ("date", "kind", "amount", "currency", "gross_payroll", "claim", "balance")


@dataclass(frozen=True)
class Statement:
    """A year of an account; amounts in cents."""

    opening: int
    lines: tuple[Line, ...]

    @property
    def closing(self) -> int:
        """What the account held when the year ended, or holds now."""
        return self.opening + sum(line.cents for line in self.lines)

    def sum_of(self, kind: LineKind) -> int:
        """Returns what moved in this way; below zero only where corrections took back more than they gave."""
        moved = sum(line.cents for line in self.lines if line.kind is kind)
        return moved if kind is LineKind.CORRECTION else abs(moved)

    def balances(self) -> list[int]:
        """Returns what the account held after each line."""
        held, found = self.opening, []
        for line in self.lines:
            held += line.cents
            found.append(held)
        return found

    def csv(self, year: int, currency: str) -> bytes:
        """Returns the statement as CSV in UTF-8, a line each for the opening and the closing balance."""
        rows: list[tuple[str, ...]] = [HEADER]
        rows.append((f"{year}-01-01", "opening", "", currency, "", "", decimal(self.opening)))
        for line, held in zip(self.lines, self.balances(), strict=True):
            gross = "" if line.gross is None else decimal(line.gross)
            kind = line.kind.name.lower()
            amount = ("-" if line.cents < 0 else "") + decimal(abs(line.cents))
            rows.append((line.day.isoformat(), kind, amount, currency, gross, line.claim, decimal(held)))
        rows.append((f"{year}-12-31", "closing", "", currency, "", "", decimal(self.closing)))
        return csv_lines(rows)
