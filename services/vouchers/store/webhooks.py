"""Statements of webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.webhooks import DeliveryState
from services.vouchers.store.webhook_tables import webhook_deliveries, webhook_endpoints

_e, _d = webhook_endpoints.c, webhook_deliveries.c
# Whoever claims has until `next_at` to say what came of it; after that it is anybody's again.
_CLAIM = text("""WITH due AS (
  SELECT d.id FROM webhook_endpoints e CROSS JOIN LATERAL (
    SELECT id, next_at FROM webhook_deliveries
    WHERE endpoint_id = e.id AND state = 1 AND next_at <= now()
    ORDER BY next_at LIMIT :each FOR UPDATE SKIP LOCKED
  ) AS d
  WHERE e.state = 1 AND e.id <> ALL(CAST(:busy AS uuid[]))
  ORDER BY d.next_at LIMIT :room
)
UPDATE webhook_deliveries d SET attempts = d.attempts + 1, next_at = now() + :lease
FROM due, webhook_endpoints e WHERE d.id = due.id AND e.id = d.endpoint_id
RETURNING d.id, d.endpoint_id, d.event_id, d.event_type, d.payload, d.attempts, d.created_at,
  now() AS claimed_at, e.url, e.sealed_secret,
  CASE WHEN e.former_until > now() THEN e.sealed_former END AS sealed_former""")
_FORGET = text("""DELETE FROM webhook_deliveries WHERE id IN (
  SELECT id FROM webhook_deliveries WHERE state <> 1 AND created_at < now() - :older LIMIT :limit)""")

_ERASE = text("""UPDATE webhook_deliveries SET payload = '',
  state = CASE state WHEN 1 THEN 3 ELSE state END,
  last_error = CASE state WHEN 1 THEN 'TOO_LATE' ELSE last_error END
WHERE id IN (SELECT id FROM webhook_deliveries
  WHERE event_type = :type AND payload <> '' AND created_at < now() - :keep LIMIT :limit)""")


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts an endpoint; returns its row."""
    return tx.execute(insert(webhook_endpoints).values(values).returning(webhook_endpoints)).one()


def get(tx: Transaction, endpoint: str, *, locked: bool = False) -> Row[Any]:
    """Returns an endpoint's row; raises Refusal(NOT_FOUND)."""
    statement = select(webhook_endpoints).where(_e.id == endpoint)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def change(tx: Transaction, endpoint: str, values: Mapping[str, Any]) -> Row[Any]:
    """Changes an endpoint and with it its etag; returns its row, or raises Refusal(NOT_FOUND)."""
    statement = (
        update(webhook_endpoints).where(_e.id == endpoint).values({**values, "version": _e.version + 1})
    )
    return tx.one(statement.returning(webhook_endpoints))


def deliveries(endpoint: str, state: int) -> Select[Any]:
    """Returns the statement for an endpoint's deliveries; state 0 means any."""
    statement = select(webhook_deliveries).where(_d.endpoint_id == endpoint)
    return statement.where(_d.state == state) if state else statement


def delivery(tx: Transaction, endpoint: str, delivery_id: str, *, locked: bool = False) -> Row[Any]:
    """Returns a delivery's row; raises Refusal(NOT_FOUND)."""
    statement = deliveries(endpoint, 0).where(_d.id == delivery_id)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def again(tx: Transaction, delivery_id: str) -> Row[Any]:
    """Makes a delivery due now, as if it had never been tried; returns its row."""
    values = {
        "state": int(DeliveryState.PENDING),
        "attempts": 0,
        "next_at": tx.now,
        "delivered_at": None,
        "last_status": 0,
        "last_error": "",
    }
    statement = update(webhook_deliveries).where(_d.id == delivery_id).values(values)
    return tx.execute(statement.returning(webhook_deliveries)).one()


def claim(tx: Transaction, busy: Collection[str], each: int, room: int, lease: timedelta) -> list[Row[Any]]:
    """Takes what is due, at most `room`, `each` of an endpoint and nothing of the `busy` ones, for the time
    of `lease`; returns it with addresses and sealed secrets."""
    values = {"busy": list(busy), "each": each, "room": room, "lease": lease}
    return list(tx.execute(_CLAIM, values))


def write(tx: Transaction, delivery_id: str, attempts: int, values: Mapping[str, Any]) -> bool:
    """Writes what came of an attempt; False when meanwhile it was claimed anew, so that it no longer
    counts."""
    place = (_d.id == delivery_id, _d.attempts == attempts, _d.state == int(DeliveryState.PENDING))
    return tx.execute(update(webhook_deliveries).where(*place).values(values)).rowcount == 1


def erase(tx: Transaction, event_type: str, keep: timedelta, limit: int) -> int:
    """Empties what was to be told of such events longer ago than that, at most `limit`, and gives up what was
    not delivered yet; returns how many."""
    return tx.execute(_ERASE, {"type": event_type, "keep": keep, "limit": limit}).rowcount


def forget(tx: Transaction, older: timedelta, limit: int) -> int:
    """Deletes deliveries that ended and are older than that, at most `limit`; returns how many."""
    return tx.execute(_FORGET, {"older": older, "limit": limit}).rowcount
