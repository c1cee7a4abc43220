"""Delivers webhooks: claims what is due, sends it from threads of its own, writes what came of it.

Runs beside the other jobs and never waits for a receiver. A message whose process dies is claimed anew when
its lease is over, so each comes at least once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from google.protobuf.json_format import MessageToDict
from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.crew import Crew
from services.platform.db.transaction import Transaction, transaction
from services.platform.events.contract import events_of, route, type_of
from services.platform.outgoing.webhooks import GONE, Outcome, headers, send, wait_after
from services.vouchers.domain.statements import moment_text
from services.vouchers.domain.webhooks import GIVEN_UP_LIMIT, DeliveryState, EndpointState
from services.vouchers.store import webhooks

if TYPE_CHECKING:
    from services.vouchers.app import VouchersApp

THREADS = 8
EACH = 3  # messages on their way to one endpoint, beyond which it gets none; leaves threads to the others
LEASE = timedelta(minutes=2)
EVENTS = {type_of(event): event for event in events_of("vouchers")}
log = structlog.get_logger("webhooks")


class Deliverer(Crew):
    """What one process has on its way."""

    def __init__(self, app: VouchersApp) -> None:
        super().__init__("webhook", THREADS, app.settings.database_url)
        self._app = app

    def claim(self, tx: Transaction, room: int) -> Sequence[Row[Any]]:
        """Returns messages to send, none to endpoints that have EACH on their way."""
        flying = Counter(str(row.endpoint_id) for row in self.under_way)
        busy = [endpoint for endpoint, count in flying.items() if count >= EACH]
        return webhooks.claim(tx, busy, EACH, room, LEASE)

    def work(self, row: Row[Any]) -> None:
        """Sends a message once."""
        self._settle(row, self._attempt(row))

    def _attempt(self, row: Row[Any]) -> Outcome:
        body = body_of(row)
        place = f"webhookEndpoints/{row.endpoint_id}/secret"
        keys = [
            self._app.notes.open(place, sealed) for sealed in (row.sealed_secret, row.sealed_former) if sealed
        ]
        signed = headers(keys, str(row.event_id), int(row.claimed_at.timestamp()), body)
        return send(row.url, signed, body, self._app.settings.reach)

    def _settle(self, row: Row[Any], outcome: Outcome) -> None:
        values: dict[str, Any] = {"last_status": outcome.status, "last_error": outcome.error}
        wait = _wait(row, outcome)
        with transaction(self.engine) as tx:
            if not outcome.error:
                values |= {"state": int(DeliveryState.DELIVERED), "delivered_at": tx.now}
            elif wait is None:
                values["state"] = int(DeliveryState.FAILED)
            else:
                values["next_at"] = tx.now + wait
            if not webhooks.write(tx, str(row.id), row.attempts, values):
                return
            if not outcome.error or wait is None:
                self._count(tx, str(row.endpoint_id), outcome)
        if outcome.error:
            log.info("webhook_refused", delivery=str(row.id), status=outcome.status, error=outcome.error)

    def _count(self, tx: Transaction, endpoint: str, outcome: Outcome) -> None:
        """Counts messages given up in a row, and gives the endpoint up after too many."""
        found = webhooks.get(tx, endpoint, locked=True)
        given_up = found.given_up + 1 if outcome.error else 0
        if given_up == found.given_up == 0:
            return
        values = {"given_up": given_up}
        over = outcome.status == GONE or given_up >= GIVEN_UP_LIMIT
        if over and found.state == EndpointState.ENABLED:
            values["state"] = int(EndpointState.FAILED)
            name = f"webhookEndpoints/{endpoint}"
            tx.publish(events_pb2.WebhookEndpointFailed(webhook_endpoint=name, given_up=given_up))
        webhooks.change(tx, endpoint, values)


def brief() -> dict[str, timedelta]:
    """Types of event that nobody needs any more after a while, and how long that is."""
    return {name: keep for name, event in EVENTS.items() if (keep := route(event).keep)}


def _wait(row: Row[Any], outcome: Outcome) -> timedelta | None:
    """Returns how long to wait for the next attempt; None when there is none."""
    wait = None if outcome.status == GONE else wait_after(row.attempts)
    keep = route(EVENTS[row.event_type]).keep
    too_late = wait and keep and row.claimed_at + wait >= row.created_at + keep
    return None if too_late else wait


def body_of(row: Row[Any]) -> bytes:
    """Returns the body of a delivery: the same bytes in every attempt."""
    event = EVENTS[row.event_type].FromString(bytes(row.payload))
    content = {"type": row.event_type, "timestamp": moment_text(row.created_at), "data": MessageToDict(event)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
