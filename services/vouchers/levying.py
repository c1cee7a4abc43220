"""Levies beyond one statement: takes in wages, and lets lapse what nobody claimed.

Locked in this order: the levy, its accounts by id, the chains by number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
    """What came of a file: rows, how many were booked for how many cents, how many were known, findings."""

    rows: int
    applied: int
    known: int
    cents: int
    findings: list[Finding]


def take_in(tx: Transaction, scheme_id: str, content: bytes, *, dry: bool) -> Imported:
    """Takes in a file of wages. A file with findings is refused whole: Refusal(LEVY_FILE_INVALID), unless
    `dry`; then it changes nothing by itself, and what is written is rolled back by the caller."""
    scheme = levies.get_scheme(tx, scheme_id, locked=True)
    rates = {row.effective_date: row.parts for row in levies.rates_of(tx, [scheme_id]).get(scheme_id, [])}
    rows, findings = read_wages(content, tx.now.date())
    count = len({row.line for row in rows} | {finding.line for finding in findings if finding.line > 1})
    there = levies.known(tx, scheme_id, {row.employer for row in rows})
    new: list[tuple[Wages, int]] = []
    for row in rows:
        rate = rate_of(rates, row.month)
        before = there.get((row.employer, row.month))
        if before is not None and before != row.gross:
            said = f"{before} was taken in before for this employer and month"
            findings.append(Finding(row.line, "gross_payroll_cents", said))
        elif before is None and rate is None:
            findings.append(Finding(row.line, "month", "is before the first rate of this levy"))
        elif before is None and rate is not None:
            new.append((row, rate))
    findings.sort()
    if findings and not dry:
        wrong = [Violation(_place(finding), finding.text) for finding in findings[:MOST_VIOLATIONS]]
        raise Refusal(reason_pb2.REASON_LEVY_FILE_INVALID, violations=wrong)
    known = sum((row.employer, row.month) in there for row in rows)
    cents = _book(tx, scheme, new) if new and not findings else 0
    applied = len(new) if not findings else 0
    return Imported(count, applied, known, cents, findings)


def _place(finding: Finding) -> str:
    return f"content.line[{finding.line}]" + (f".{finding.column}" if finding.column else "")


def _book(tx: Transaction, scheme: Row[Any], new: Sequence[tuple[Wages, int]]) -> int:
    accounts = levies.accounts_for(tx, scheme, [row.employer for row, _ in new])
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


def expire(tx: Transaction, account_id: str) -> None:
    """Lets lapse what an account has past its last day; what open claims set aside stays."""
    account = levies.lock_account(tx, account_id)
    source = f"fundingSources/{levies.get_scheme(tx, account.scheme_id).funding_source_id}"
    name, today = f"levyAccounts/{account_id}", tx.now.date()
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
