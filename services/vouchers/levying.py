"""Levies beyond one statement: takes in wages, and lets lapse what nobody claimed.

Locked in this order: the levy, its accounts by id, the chains by number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.vouchers.domain import bookings
from services.vouchers.domain.levies import Finding, Wages, contribution, last_day, rate_of, read_wages
from services.vouchers.domain.money import money
from services.vouchers.store import ledger, levies

MOST_VIOLATIONS = 100  # of a refusal; validate_only lists them all


class Imported(NamedTuple):
    """What came of a file: rows, how many were booked for how many cents, how many were known, how many were
    corrected by how many cents, findings."""

    rows: int
    applied: int
    known: int
    cents: int
    corrected: int
    difference: int
    findings: list[Finding]


class Correction(NamedTuple):
    """A row with another payroll than was taken in: what it changes, by account and year, in cents."""

    wages: Wages
    account: str
    cents: int


def take_in(tx: Transaction, scheme_id: str, content: bytes, *, dry: bool, correct: bool = False) -> Imported:
    """Takes in a file of wages; `correct`: another payroll than before corrects it. A file with findings is
    refused whole: Refusal(LEVY_FILE_INVALID), unless `dry`; then it changes nothing by itself, and what is
    written is rolled back by the caller."""
    scheme = levies.get_scheme(tx, scheme_id, locked=True)
    rates = {row.effective_date: row.parts for row in levies.rates_of(tx, [scheme_id]).get(scheme_id, [])}
    rows, findings = read_wages(content, tx.today)
    count = len({row.line for row in rows} | {finding.line for finding in findings if finding.line > 1})
    there = levies.known(tx, scheme_id, {row.employer for row in rows})
    new, other = _sort(rows, rates, there, findings, correct=correct)
    accounts = levies.accounts_for(tx, scheme, {row.employer for row, _ in new} | _employers(other))
    if correct:
        findings += _too_much(tx, other, new, accounts)
    findings.sort()
    if findings and not dry:
        wrong = [Violation(_place(finding), finding.text) for finding in findings[:MOST_VIOLATIONS]]
        raise Refusal(reason_pb2.REASON_LEVY_FILE_INVALID, violations=wrong)
    known = sum((row.employer, row.month) in there for row in rows) - (len(other) if correct else 0)
    if findings:
        return Imported(count, 0, known, 0, 0, 0, findings)
    cents = _book(tx, scheme, new, accounts) if new else 0
    difference = _correct(tx, scheme, other, accounts) if other else 0
    return Imported(count, len(new), known, cents, len(other), difference, findings)


def _sort(
    rows: Sequence[Wages],
    rates: Mapping[date, int],
    there: Mapping[tuple[str, date], Row[Any]],
    findings: list[Finding],
    *,
    correct: bool,
) -> tuple[list[tuple[Wages, int]], list[Correction]]:
    """Returns what is new, with its rate, and what differs from what was taken in; adds to the findings."""
    new, other = list[tuple[Wages, int]](), list[Correction]()
    for row in rows:
        rate = rate_of(rates, row.month)
        before = there.get((row.employer, row.month))
        if before is not None and before.gross_cents != row.gross:
            difference = contribution(row.gross, before.parts) - before.cents
            other.append(Correction(row, str(before.account_id), difference))
            if not correct:
                said = f"{before.gross_cents} was taken in before for this employer and month"
                findings.append(Finding(row.line, "gross_payroll_cents", f"{said}; ask to correct it"))
        elif before is None and rate is None:
            findings.append(Finding(row.line, "month", "is before the first rate of this levy"))
        elif before is None and rate is not None:
            new.append((row, rate))
    return new, other


def _employers(corrections: Sequence[Correction]) -> set[str]:
    return {each.wages.employer for each in corrections}


def _too_much(
    tx: Transaction,
    corrections: Sequence[Correction],
    new: Sequence[tuple[Wages, int]],
    accounts: Mapping[str, Row[Any]],
) -> Iterator[Finding]:
    """Yields the corrections that would take back, of a year of a locked account, what is not there."""
    moved: defaultdict[tuple[str, int], int] = defaultdict(int)
    for each in corrections:
        moved[each.account, each.wages.month.year] += each.cents
    for wages, rate in new:
        moved[str(accounts[wages.employer].id), wages.month.year] += contribution(wages.gross, rate)
    years = levies.years_of(tx, {each.account for each in corrections})
    rest = {(account, year.year): year.rest for account, found in years.items() for year in found}
    for each in corrections:
        place = each.account, each.wages.month.year
        if each.cents < 0 and rest[place] + moved[place] < 0:
            said = f"takes back more of {each.wages.month.year} than the {rest[place]} cents that are there"
            yield Finding(each.wages.line, "gross_payroll_cents", f"{said}; the rest is claimed or lapsed")


def _place(finding: Finding) -> str:
    return f"content.line[{finding.line}]" + (f".{finding.column}" if finding.column else "")


def _book(
    tx: Transaction, scheme: Row[Any], new: Sequence[tuple[Wages, int]], accounts: Mapping[str, Row[Any]]
) -> int:
    years: defaultdict[tuple[str, int], int] = defaultdict(int)
    rows, booked, total = [], [], 0
    for wages, rate in new:
        account = accounts[wages.employer]
        cents = contribution(wages.gross, rate)
        rows.append(
            {
                "account_id": account.id,
                "month": wages.month,
                "gross_cents": wages.gross,
                "parts": rate,
                "cents": cents,
                "imported_by": tx.principal.subject,
            }
        )
        years[str(account.id), wages.month.year] += cents
        total += cents
        source, name = f"fundingSources/{scheme.funding_source_id}", f"levyAccounts/{account.id}"
        if cents:
            booked.append((account.shard, bookings.contribute(new_id(), source, name, cents)))
    limits = {key: (sum_, last_day(key[1], scheme.carry_over_years)) for key, sum_ in years.items()}
    levies.contribute(tx, rows, limits)
    ledger.post_all(tx, booked)
    return total


def _correct(
    tx: Transaction, scheme: Row[Any], corrections: Sequence[Correction], accounts: Mapping[str, Row[Any]]
) -> int:
    """Writes and books corrections of locked accounts; returns what they come to."""
    source = f"fundingSources/{scheme.funding_source_id}"
    years: defaultdict[tuple[str, int], int] = defaultdict(int)
    rows, booked = [], []
    for wages, account, cents in corrections:
        rows.append(
            {
                "id": new_id(),
                "account_id": account,
                "month": wages.month,
                "gross_cents": wages.gross,
                "cents": cents,
                "imported_by": tx.principal.subject,
            }
        )
        years[account, wages.month.year] += cents
        if cents:
            booking = bookings.correct_contribution(new_id(), source, f"levyAccounts/{account}", cents)
            booked.append((accounts[wages.employer].shard, booking))
    levies.correct(tx, rows, years)
    ledger.post_all(tx, booked)
    return sum(each.cents for each in corrections)


def expire(tx: Transaction, account_id: str) -> None:
    """Lets lapse what an account has past its last day; what open claims set aside stays."""
    account = levies.lock_account(tx, account_id)
    source = f"fundingSources/{levies.get_scheme(tx, account.scheme_id).funding_source_id}"
    name, today = f"levyAccounts/{account_id}", tx.today
    booked = []
    for year in levies.years_of(tx, [account_id])[account_id]:
        if year.rest and year.expires < today:
            levies.expire(tx, account_id, year)
            booked.append((account.shard, bookings.expire_levy(new_id(), source, name, year.rest)))
            lapsed = money(year.rest, account.currency)
            event = events_pb2.LevyExpired(levy_account=name, employer=account.employer, year=year.year)
            event.amount.CopyFrom(lapsed)
            tx.publish(event)
    ledger.post_all(tx, booked)


def rate_conflict(tx: Transaction, scheme_id: str, last: date, wanted: date) -> None:
    """Raises Refusal(LEVY_RATE_CONFLICT) unless `wanted` is after the `last` rate and each imported month."""
    month = levies.last_month(tx, scheme_id)
    if wanted <= last or (month is not None and wanted <= month):
        latest = max(last, month or last)
        metadata = {"after": latest.isoformat()}
        raise Refusal(reason_pb2.REASON_LEVY_RATE_CONFLICT, metadata=metadata)
