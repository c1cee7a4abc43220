"""Statements of levies: schemes, accounts by year, contributions, claims, what lapses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, insert, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.ledger import shard_offset
from services.vouchers.domain.levies import ClaimState, Line, LineKind, Year
from services.vouchers.store import ledger
from services.vouchers.store.levy_tables import (
    levy_accounts,
    levy_claim_parts,
    levy_claims,
    levy_contributions,
    levy_corrections,
    levy_expiries,
    levy_rates,
    levy_schemes,
    levy_years,
)

_CONTRIBUTED = text("""INSERT INTO levy_years (account_id, year, contributed_cents, expires_on)
SELECT * FROM unnest(CAST(:accounts AS uuid[]), CAST(:years AS smallint[]), CAST(:cents AS bigint[]),
  CAST(:expires AS date[]))
ON CONFLICT (account_id, year)
DO UPDATE SET contributed_cents = levy_years.contributed_cents + excluded.contributed_cents""")
_CORRECTED = text("""UPDATE levy_years y SET contributed_cents = y.contributed_cents + n.cents
FROM unnest(CAST(:accounts AS uuid[]), CAST(:years AS smallint[]), CAST(:cents AS bigint[]))
  AS n (account_id, year, cents)
WHERE y.account_id = n.account_id AND y.year = n.year""")
# A month as it counts by now: the last payroll, and what all of it came to.
_KNOWN = text("""SELECT a.id AS account_id, a.employer, c.month, c.parts,
  coalesce(l.gross_cents, c.gross_cents) AS gross_cents, c.cents + coalesce(l.cents, 0) AS cents
FROM levy_accounts a JOIN levy_contributions c ON c.account_id = a.id
LEFT JOIN LATERAL (
  SELECT (array_agg(f.gross_cents ORDER BY f.id DESC))[1] AS gross_cents, sum(f.cents)::bigint AS cents
  FROM levy_corrections f WHERE f.account_id = c.account_id AND f.month = c.month
) AS l ON true
WHERE a.scheme_id = :scheme AND a.employer = ANY(:employers)""")
_MOVE = {
    ClaimState.SUBMITTED: "reserved_cents = y.reserved_cents + p.cents",
    ClaimState.APPROVED: """reserved_cents = y.reserved_cents - p.cents,
  claimed_cents = y.claimed_cents + p.cents""",
    ClaimState.REJECTED: "reserved_cents = y.reserved_cents - p.cents",
}
_MOVED = """SELECT account_id, month AS day, 1 AS kind, cents, gross_cents AS gross,
    CAST(NULL AS uuid) AS claim
  FROM levy_contributions
  UNION ALL SELECT account_id, decided_on, 2, -amount_cents, NULL, id FROM levy_claims WHERE state = 2
  UNION ALL SELECT account_id, expired_on, 3, -cents, NULL, NULL FROM levy_expiries
  UNION ALL SELECT account_id, corrected_on, 4, cents, gross_cents, NULL FROM levy_corrections"""
_LINES = text(f"""SELECT day, kind, cents, gross, claim FROM ({_MOVED}) AS moved
WHERE account_id = :account AND day BETWEEN :first AND :last ORDER BY day, kind, claim""")  # noqa: S608
_OPENING = text("""SELECT CAST(coalesce(sum(cents), 0) AS bigint) FROM levy_turnover
WHERE account_id = :account AND year < :year""")
_TURNED = text("""INSERT INTO levy_turnover AS t (account_id, year, cents)
SELECT * FROM unnest(CAST(:accounts AS uuid[]), CAST(:years AS smallint[]), CAST(:cents AS bigint[]))
ON CONFLICT (account_id, year) DO UPDATE SET cents = t.cents + excluded.cents""")
_DIFFERENT = text(f"""WITH entered AS (
  SELECT account_id, CAST(date_part('year', day) AS smallint) AS year, sum(cents) AS cents
  FROM ({_MOVED}) AS moved GROUP BY 1, 2
)
SELECT account_id, year, coalesce(t.cents, 0) AS kept, coalesce(e.cents, 0) AS entered
FROM levy_turnover t FULL JOIN entered e USING (account_id, year)
WHERE coalesce(t.cents, 0) <> coalesce(e.cents, 0) ORDER BY 1, 2 LIMIT :limit""")  # noqa: S608 - text of our own
_DUE = text("""SELECT account_id, min(expires_on) AS expires_on FROM levy_years
WHERE expires_on < CAST(:today AS date)
  AND contributed_cents > reserved_cents + claimed_cents + expired_cents
GROUP BY account_id ORDER BY account_id LIMIT :limit""")


def add_scheme(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a levy; returns its row; raises Refusal(ALREADY_EXISTS)."""
    statement = upsert(levy_schemes).values(values).on_conflict_do_nothing().returning(levy_schemes)
    row = tx.execute(statement).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    return row


def get_scheme(tx: Transaction, scheme: str, *, locked: bool = False) -> Row[Any]:
    """Returns a levy's row; raises Refusal(NOT_FOUND)."""
    statement = select(levy_schemes).where(levy_schemes.c.id == scheme)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def add_rates(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rates of a levy that `get_scheme` locked or that was made just now."""
    tx.execute(insert(levy_rates), list(rows))


def rates_of(tx: Transaction, schemes: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Returns the rates of levies, earliest first."""
    statement = (
        select(levy_rates)
        .where(levy_rates.c.scheme_id.in_(list(schemes)))
        .order_by(levy_rates.c.effective_date)
    )
    found: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(statement):
        found.setdefault(row.scheme_id, []).append(row)
    return found


def last_month(tx: Transaction, scheme: str) -> date | None:
    """Returns the last month of which a levy has contributions; None when there are none."""
    statement = (
        select(func.max(levy_contributions.c.month))
        .join(levy_accounts, levy_accounts.c.id == levy_contributions.c.account_id)
        .where(levy_accounts.c.scheme_id == scheme)
    )
    month: date | None = tx.execute(statement).scalar_one()
    return month


def known(tx: Transaction, scheme: str, employers: Iterable[str]) -> dict[tuple[str, date], Row[Any]]:
    """Returns what was taken in, by employer and month, as corrected since: gross payroll and contribution in
    cents, rate and account."""
    found = tx.execute(_KNOWN, {"scheme": scheme, "employers": sorted(set(employers))})
    return {(row.employer, row.month): row for row in found}


def accounts_for(tx: Transaction, scheme: Row[Any], employers: Iterable[str]) -> dict[str, Row[Any]]:
    """Locks and returns the accounts of employers with a locked levy, in order of their ids; makes those that
    are missing."""
    wanted = set(employers)
    here = select(levy_accounts).where(
        levy_accounts.c.scheme_id == scheme.id, levy_accounts.c.employer.in_(wanted)
    )
    there = {row.employer for row in tx.execute(here)}
    if missing := sorted(wanted - there):
        chains = ledger.chains(tx, scheme.currency)
        ids = [new_id() for _ in missing]
        rows = [
            {
                "id": account,
                "scheme_id": scheme.id,
                "employer": employer,
                "shard": chains[shard_offset(f"levyAccounts/{account}")],
                "currency": scheme.currency,
            }
            for account, employer in zip(ids, missing, strict=True)
        ]
        tx.execute(insert(levy_accounts), rows)
    locked = here.order_by(levy_accounts.c.id).with_for_update(key_share=True)
    return {row.employer: row for row in tx.execute(locked)}


def contribute(
    tx: Transaction,
    rows: Sequence[Mapping[str, Any]],
    years: Mapping[tuple[str, int], tuple[int, date]],
) -> None:
    """Inserts contributions of locked accounts, and adds them to their years: by account and year the cents,
    and the last day on which they may be claimed. Book the same."""
    tx.execute(insert(levy_contributions), list(rows))
    values = {
        "accounts": [account for account, _ in years],
        "years": [year for _, year in years],
        "cents": [cents for cents, _ in years.values()],
        "expires": [expires for _, expires in years.values()],
    }
    tx.execute(_CONTRIBUTED, values)
    _turn(tx, {key: cents for key, (cents, _) in years.items()})


def correct(tx: Transaction, rows: Sequence[Mapping[str, Any]], years: Mapping[tuple[str, int], int]) -> None:
    """Inserts corrections of contributions of locked accounts, and adds them to their years: by account and
    year the cents. Book the same."""
    tx.execute(insert(levy_corrections), [{**row, "corrected_on": tx.today} for row in rows])
    values = {
        "accounts": [account for account, _ in years],
        "years": [year for _, year in years],
        "cents": list(years.values()),
    }
    tx.execute(_CORRECTED, values)
    today = Counter[tuple[str, int]]()
    for (account, _), cents in years.items():
        today[account, tx.today.year] += cents
    _turn(tx, today)


def listed(scheme: str, employer: str) -> Select[Any]:
    """Returns the statement for accounts; an empty scheme or employer means any."""
    statement = select(levy_accounts)
    if scheme:
        statement = statement.where(levy_accounts.c.scheme_id == scheme)
    return statement.where(levy_accounts.c.employer == employer) if employer else statement


def get_account(tx: Transaction, account: str) -> Row[Any]:
    """Returns an account's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(levy_accounts).where(levy_accounts.c.id == account))


def lock_account(tx: Transaction, account: str) -> Row[Any]:
    """Locks an account: one claim at a time; raises Refusal(NOT_FOUND)."""
    return tx.one(select(levy_accounts).where(levy_accounts.c.id == account).with_for_update(key_share=True))


def years_of(tx: Transaction, accounts: Iterable[str]) -> dict[str, list[Year]]:
    """Returns the years of each account, earliest first."""
    keys = list(accounts)
    statement = (
        select(levy_years)
        .where(levy_years.c.account_id.in_(keys))
        .order_by(levy_years.c.account_id, levy_years.c.year)
    )
    found: dict[str, list[Year]] = {key: [] for key in keys}
    for row in tx.execute(statement):
        year = Year(
            row.year,
            row.contributed_cents,
            row.reserved_cents,
            row.claimed_cents,
            row.expired_cents,
            row.expires_on,
        )
        found[str(row.account_id)].append(year)
    return found


def with_evidence(tx: Transaction, account: str, reference: str) -> str | None:
    """Returns the id of the claim of a locked account with this evidence that was not rejected."""
    statement = select(levy_claims.c.id).where(
        levy_claims.c.account_id == account,
        levy_claims.c.evidence_reference == reference,
        # Not a parameter: once PostgreSQL plans for any value it would no longer find the index by it.
        levy_claims.c.state != literal_column(str(int(ClaimState.REJECTED))),
    )
    found = tx.execute(statement).scalar_one_or_none()
    return None if found is None else str(found)


def add_claim(tx: Transaction, values: Mapping[str, Any], parts: Sequence[tuple[int, int]]) -> Row[Any]:
    """Inserts a claim on a locked account and sets its (year, cents) aside; returns its row."""
    row = tx.execute(insert(levy_claims).values(values).returning(levy_claims)).one()
    account = values["account_id"]
    rows = [{"claim_id": row.id, "account_id": account, "year": year, "cents": part} for year, part in parts]
    tx.execute(insert(levy_claim_parts), rows)
    _move(tx, row.id, ClaimState.SUBMITTED)
    return row


def get_claim(tx: Transaction, account: str, claim: str) -> Row[Any]:
    """Returns a claim's row; raises Refusal(NOT_FOUND)."""
    statement = select(levy_claims).where(levy_claims.c.id == claim, levy_claims.c.account_id == account)
    return tx.one(statement)


def claims_of(account: str, state: int) -> Select[Any]:
    """Returns the statement for an account's claims; state 0 means any."""
    statement = select(levy_claims).where(levy_claims.c.account_id == account)
    return statement.where(levy_claims.c.state == state) if state else statement


def parts_of(tx: Transaction, claims: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Returns the (year, cents) of claims, earliest first."""
    statement = (
        select(levy_claim_parts)
        .where(levy_claim_parts.c.claim_id.in_(list(claims)))
        .order_by(levy_claim_parts.c.claim_id, levy_claim_parts.c.year)
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for row in tx.execute(statement):
        found.setdefault(str(row.claim_id), []).append((row.year, row.cents))
    return found


def decide(tx: Transaction, claim: str, state: ClaimState, reject_reason: int = 0) -> Row[Any]:
    """Decides an open claim of a locked account and moves what it set aside; returns its row."""
    values = {
        "state": int(state),
        "reject_reason": reject_reason,
        "decided_by": tx.principal.subject,
        "decided_at": tx.now,
        "decided_on": tx.today,
    }
    statement = update(levy_claims).where(levy_claims.c.id == claim).values(values).returning(levy_claims)
    row = tx.execute(statement).one()
    _move(tx, claim, state)
    if state is ClaimState.APPROVED:
        _turn(tx, {(row.account_id, row.decided_on.year): -row.amount_cents})
    return row


def _turn(tx: Transaction, moved: Mapping[tuple[str, int], int]) -> None:
    """Adds what moved on locked accounts, by account and year of the day it counts for, in cents, to what
    statements of later years begin with."""
    values = {
        "accounts": [account for account, _ in moved],
        "years": [year for _, year in moved],
        "cents": list(moved.values()),
    }
    tx.execute(_TURNED, values)


def _move(tx: Transaction, claim: str, state: ClaimState) -> None:
    tx.execute(
        text(f"""UPDATE levy_years y SET {_MOVE[state]} FROM levy_claim_parts p
WHERE p.claim_id = :claim AND y.account_id = p.account_id AND y.year = p.year"""),  # noqa: S608 - texts of our own
        {"claim": claim},
    )


def due_to_expire(tx: Transaction, limit: int) -> list[str]:
    """Returns ids of accounts with something that lapsed before today and is not booked."""
    rows = tx.execute(_DUE, {"today": tx.today, "limit": limit})
    return [str(row.account_id) for row in rows]


def expire(tx: Transaction, account: str, year: Year) -> None:
    """Writes that the rest of a year of a locked account lapsed; book the same."""
    place = (levy_years.c.account_id == account) & (levy_years.c.year == year.year)
    more = levy_years.c.expired_cents + year.rest
    tx.execute(update(levy_years).where(place).values(expired_cents=more))
    values = {"id": new_id(), "account_id": account, "year": year.year, "cents": year.rest}
    tx.execute(insert(levy_expiries).values(**values, expired_on=year.expires))
    _turn(tx, {(account, year.expires.year): -year.rest})


def opening(tx: Transaction, account: str, year: int) -> int:
    """Returns what an account held when a year began, in cents, by what its years before came to."""
    return int(tx.execute(_OPENING, {"account": account, "year": year}).scalar_one())


def lines(tx: Transaction, account: str, first: date, last: date) -> list[Line]:
    """Returns what moved on an account from one day to another, in order."""
    return [
        Line(
            row.day,
            LineKind(row.kind),
            row.cents,
            row.gross,
            f"levyAccounts/{account}/claims/{row.claim}" if row.claim else "",
        )
        for row in tx.execute(_LINES, {"account": account, "first": first, "last": last})
    ]


def different(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Returns years of accounts of which another sum is kept than their lines come to: `account_id`, `year`,
    `kept` and `entered` cents."""
    return list(tx.execute(_DIFFERENT, {"limit": limit}))
