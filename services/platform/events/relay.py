"""Relay: takes rows from the outbox and publishes them to Kafka, at least once, in order per aggregate.

Rows are read as one consistent snapshot, ordered by `seq`, and deleted after the broker has acknowledged
them. There is no cursor, so a row whose transaction commits late is simply met later; and when a row is
visible, the earlier rows of its aggregate are visible or published, because their transactions held the same
row lock before.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ARRAY, SmallInteger, any_, bindparam, delete, func, literal, literal_column, select

from services.platform.db.faults import refusal_of
from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.platform.db.wire import Named, compiled
from services.platform.events import clients, cloudevents
from services.platform.events.leases import Leases
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.settings import Settings

BATCH = 2_000  # rows of one round
BATCH_BYTES = 8 * 1024 * 1024  # payloads of one round; bounds memory, whatever waits
BUSY_POLL = 0.02  # seconds between looks while events flow
IDLE_POLL = 0.2  # seconds between looks when nothing has come for a while
GAUGES = 5.0  # seconds between measurements of the backlog
BACK_OFF = 5.0  # seconds at most between tries of a failing dependency
log = structlog.get_logger("relay")


class Relay:
    """One relay of one service. Several may run; they share the buckets."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._source = f"/waymark/{settings.service}"
        self._leases = Leases(engine, settings.instance or f"{socket.gethostname()}-{token_hex(6)}")
        self._producer: Any = None
        self._published: list[int] = []  # acknowledged by the broker, still in the outbox
        self._measured = 0.0

    def run(self, stop: threading.Event) -> None:
        """Relays until `stop` is set; waits out failures of the database and the broker."""
        pause, failures = BUSY_POLL, 0
        while not stop.is_set():
            try:
                moved = self.round()
                failures = 0
                pause = 0 if moved == BATCH else BUSY_POLL if moved else min(IDLE_POLL, pause * 1.3 + 0.001)
            except Exception as error:
                failures += 1
                pause = min(BACK_OFF, 0.1 * 2**failures)
                metrics.PUBLISH_FAILURES.inc()
                # Nothing is lost by trying again, so what nobody foresaw is waited out as well, but loudly.
                say = log.warning if _foreseen(error) else log.exception
                say("relay_waits", exc_info=error, attempt=failures, wait=pause)
            stop.wait(pause)
        self.close()

    def round(self) -> int:
        """Publishes what is waiting, at most BATCH rows; returns how many."""
        self._delete_published()
        if self._leases.due():
            self._leases.renew(idle=True)
        self._measure()
        rows = self._take()
        if rows and self._leases.valid():
            self._publish(rows)
            self._delete_published()
        return len(rows)

    def close(self) -> None:
        """Hands the buckets over and closes the producer."""
        try:
            self._delete_published()
            self._leases.release()
        except Exception as error:  # the leases run out by themselves
            log.warning("leases_not_released", exc_info=error)
        self._drop_producer()

    def _take(self) -> Sequence[Any]:
        held = tuple(sorted(self._leases.held))
        if not held:
            return ()
        oldest = _oldest()(held=held)
        with transaction(self._engine, read_only=True, ahead=[oldest]) as tx:
            return tx.rows(oldest)

    def _publish(self, rows: Sequence[Any]) -> None:
        """Sends the rows and waits for every acknowledgement; raises the first failure after noting
        successes."""
        if self._producer is None:
            self._producer = clients.producer(self._settings)
        sent: list[tuple[Any, Any]] = []
        failure: BaseException | None = None
        for row in rows:
            try:
                sent.append((row, self._send(row)))
            except Exception as refused:
                failure = refused
                break  # what follows may be of the same aggregate
        for row, future in sent:
            error = self._outcome(future)
            if error is None:
                self._published.append(row.seq)
                metrics.EVENTS_PUBLISHED.labels(row.topic).inc()
            failure = failure or error
        if failure is not None:
            self._drop_producer()
            raise failure

    def _send(self, row: Any) -> Any:
        return self._producer.send(
            row.topic,
            key=row.aggregateid.encode(),
            value=row.payload,
            headers=cloudevents.headers(
                id=row.id,
                source=self._source,
                type=row.type,
                subject=row.aggregateid,
                time=row.created_at,
                traceparent=row.traceparent,
            ),
            timestamp_ms=int(row.created_at.timestamp() * 1000),
        )

    def _outcome(self, future: Any) -> BaseException | None:
        """Waits for one acknowledgement, renewing the leases meanwhile: a broker may be away for minutes."""
        from kafka.errors import KafkaTimeoutError

        while True:
            try:
                future.get(timeout=1.0)
            except KafkaTimeoutError as error:
                if future.is_done:
                    refused: BaseException = error
                    return refused
                metrics.PUBLISH_FAILURES.inc()
                self._renew_in_flight()
                continue
            except Exception as error:
                return error
            return None

    def _renew_in_flight(self) -> None:
        if self._leases.due():
            try:
                self._leases.renew(idle=False)
                self._measure()
            except Exception as error:  # both gone: keep waiting, events sent twice have one effect
                log.warning("leases_not_renewed", exc_info=error)

    def _delete_published(self) -> None:
        if self._published:
            with transaction(self._engine) as tx:
                tx.execute(delete(outbox).where(outbox.c.seq == any_(literal(self._published))))
            self._published = []

    def _measure(self) -> None:
        if time.monotonic() - self._measured < GAUGES:
            return
        oldest = select(outbox.c.created_at).order_by(outbox.c.seq).limit(1)
        some = select(outbox.c.seq).limit(100_000).subquery()
        with transaction(self._engine, read_only=True) as tx:
            first = tx.execute(oldest).scalar()
            metrics.OUTBOX_ROWS.set(tx.execute(select(func.count()).select_from(some)).scalar_one())
        metrics.OUTBOX_AGE.set((datetime.now(UTC) - first).total_seconds() if first else 0)
        self._measured = time.monotonic()

    def _drop_producer(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                producer.close(timeout=5)
            except Exception as error:
                log.warning("producer_not_closed", exc_info=error)


@cache
def _oldest() -> Named:
    """Finds the oldest rows of buckets `held`: at most BATCH, and what fits BATCH_BYTES, but always one."""
    mine = outbox.c.bucket == any_(bindparam("held", type_=ARRAY(SmallInteger)))
    rows = select(outbox).where(mine).order_by(outbox.c.seq).limit(literal_column(str(BATCH))).subquery()
    size = func.octet_length(rows.c.payload)
    before = (func.sum(size).over(order_by=rows.c.seq) - size).label("bytes_before")
    counted = select(rows, before).subquery()
    fitting = select(counted).where(counted.c.bytes_before < literal_column(str(BATCH_BYTES)))
    return compiled("waymark_oldest_events", fitting.order_by(counted.c.seq))


def _foreseen(error: BaseException) -> bool:
    from kafka.errors import KafkaError

    return refusal_of(error) is not None or isinstance(error, KafkaError | OSError)
