"""Statements on what is called with API keys: live keys, shares of quotas, counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, select, text

from services.catalogue.domain.api_quota import Window, share
from services.catalogue.store.api_tables import api_keys, api_usage
from services.platform.db.transaction import Transaction

# Products and their plans change by versions and counts only; so do grants and keys.
_STATE = text(
    """
    SELECT (SELECT coalesce(sum(version), 0) FROM api_grants) AS grants,
           (SELECT coalesce(sum(version), 0) FROM api_keys) AS keys
    """
)
# In one statement, so that no two processes can take the same calls.
_TAKE = text(
    """
    INSERT INTO api_windows AS held (grant_id, period, start, taken, last_share)
    VALUES (CAST(:grant AS uuid), :period, :start, least(:share, :quota), least(:share, :quota))
    ON CONFLICT (grant_id, period) DO UPDATE SET
      start = greatest(held.start, excluded.start),
      last_share = CASE WHEN held.start < excluded.start THEN excluded.taken
                   ELSE greatest(least(:share, :quota - held.taken), 0) END,
      taken = CASE WHEN held.start < excluded.start THEN excluded.taken
              ELSE greatest(least(held.taken + :share, :quota), held.taken) END
    RETURNING last_share
    """
)
_COUNT = text(
    """
    INSERT INTO api_usage AS counted (key_id, day, calls, refused_calls)
    VALUES (CAST(:key AS uuid), current_date, :calls, :refused)
    ON CONFLICT (key_id, day) DO UPDATE SET
      calls = counted.calls + excluded.calls, refused_calls = counted.refused_calls + excluded.refused_calls
    """
)


def state(tx: Transaction) -> tuple[Any, ...]:
    """Returns what changes whenever a grant or key does."""
    return tuple(tx.execute(_STATE).one())


def take(tx: Transaction, grant: str, quotas: Mapping[Window, int]) -> dict[Window, int]:
    """Takes a share of each window's quota as it is now; returns the calls got, 0 where it is used up.

    A window that another process has begun a moment ago, by the same clock, is that one's.
    """
    return {
        window: int(
            tx.execute(
                _TAKE,
                {
                    "grant": grant,
                    "period": window,
                    "start": window.begin(tx.now),
                    "share": share(quotas[window]),
                    "quota": quotas[window],
                },
            ).scalar_one()
        )
        for window in sorted(quotas)  # in one order, so that nobody waits for who waits for him
    }


def count(tx: Transaction, counted: Mapping[tuple[str, bool], int]) -> None:
    """Adds to the present day calls of keys, by id of the key and whether they passed."""
    rows = [
        {"key": key, "calls": number * passed, "refused": number * (not passed)}
        for (key, passed), number in sorted(counted.items())
    ]
    tx.execute(_COUNT, rows)


def by_key(tx: Transaction, grant: str, first: date, after: date, most: int) -> Sequence[Row[Any]]:
    """Returns calls by key from a day up to another, most calls first: (id, label, organisation_id, calls,
    refused_calls)."""
    calls, refused = func.sum(api_usage.c.calls), func.sum(api_usage.c.refused_calls)
    columns = (api_keys.c.id, api_keys.c.label, api_keys.c.organisation_id)
    statement = _used(grant, first, after, *columns, calls.label("calls"), refused.label("refused_calls"))
    return tx.execute(statement.group_by(*columns).order_by(calls.desc(), api_keys.c.id).limit(most)).all()


def total(tx: Transaction, grant: str, first: date, after: date) -> Row[Any]:
    """Returns (calls, refused_calls) of a grant from a day up to another."""
    sums = (func.coalesce(func.sum(row), 0) for row in (api_usage.c.calls, api_usage.c.refused_calls))
    calls, refused = sums
    return tx.execute(_used(grant, first, after, calls.label("calls"), refused.label("refused_calls"))).one()


def by_day(tx: Transaction, grant: str, first: date, after: date) -> Iterator[Sequence[Row[Any]]]:
    """Yields calls by key and day in parts: (day, id, organisation_id, calls, refused_calls)."""
    usage = api_usage.c
    columns = (usage.day, api_keys.c.id, api_keys.c.organisation_id, usage.calls, usage.refused_calls)
    yield from tx.parts(_used(grant, first, after, *columns).order_by(usage.day, api_keys.c.id), 500)


def _used(grant: str, first: date, after: date, *columns: Any) -> Select[Any]:
    day = api_usage.c.day
    joined = api_usage.join(api_keys, api_keys.c.id == api_usage.c.key_id)
    statement = select(*columns).select_from(joined)
    return statement.where(api_keys.c.grant_id == grant, day >= first, day < after)
