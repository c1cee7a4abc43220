"""Dead letters: messages a service could not consume, kept with their bytes and the reason, within a
limit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.schema import dead_letters
from services.platform.db.transaction import transaction
from services.platform.events import clients, cloudevents
from services.platform.events.faults import too_large
from services.platform.events.topics import dead_letter_topic
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.settings import Settings

LIMIT = 20  # dead letters in one window; more is no bad message but a defect, and consuming stops
WINDOW = timedelta(minutes=10)
SEND_TIMEOUT = 10.0  # seconds
TOO_LARGE = "TOO_LARGE"  # reason of a letter whose record no topic takes whole; it says size and hash
HEADER_KEPT = 256  # bytes at most of a key or a CloudEvents attribute in such a letter


class DeadLetters:
    """Where one service's consumer puts what it cannot consume."""

    def __init__(
        self, settings: Settings, engine: Engine, *, limit: int = LIMIT, window: timedelta = WINDOW
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._limit = limit
        self._window = window
        self._producer: Any = None

    def over_limit(self) -> bool:
        """True while the window holds as many dead letters as are allowed; the count survives restarts."""
        recent = select(func.count()).where(
            dead_letters.c.created_at > func.now() - self._window, dead_letters.c.replayed_at.is_(None)
        )
        with transaction(self._engine, read_only=True) as tx:
            return bool(tx.execute(recent).scalar_one() >= self._limit)

    def put(self, record: Any, reason: str, type: str) -> None:
        """Publishes the record to the dead-letter topic and notes where it came from; the same record only
        once. Of one larger than the topic takes, as one that came compressed can be, what tells of it."""
        source = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        with transaction(self._engine) as tx:
            noted = insert(dead_letters).values(**source, type=type, reason=reason).on_conflict_do_nothing()
            if tx.execute(noted.returning(dead_letters.c.offset)).first():
                self._send(record, reason)
        metrics.DEAD_LETTERS.labels(record.topic).inc()

    def close(self) -> None:
        """Closes the producer, if there is one."""
        if self._producer is not None:
            self._producer.close(timeout=5)
            self._producer = None

    def _send(self, record: Any, reason: str) -> None:
        try:
            self._publish(record.key, record.value, record.headers, _told(record, reason))
        except Exception as error:
            if not too_large(error):
                raise
            about = [(name, value) for name, value in record.headers if _brief(name, value)]
            told = _told(record, TOO_LARGE) | _measured(record.value or b"")
            self._publish((record.key or b"")[:HEADER_KEPT], None, about, told)

    def _publish(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
        told: dict[str, str],
    ) -> None:
        if self._producer is None:
            self._producer = clients.producer(self._settings)
        # Others' clients send headers without a value, and records without key and value; this one does not.
        sent = [(name, text or b"") for name, text in headers]
        sent += [(name, text.encode()) for name, text in told.items()]
        key = b"" if key is None and value is None else key
        topic = dead_letter_topic(self._settings.service)
        self._producer.send(topic, key=key, value=value, headers=sent).get(SEND_TIMEOUT)


@dataclass(frozen=True)
class DeadLetter:
    """One message of a dead-letter topic, as commands show it. `offset` names it within its service."""

    offset: int
    reason: str
    type: str
    event_id: str
    key: str
    source_topic: str
    source_partition: int
    source_offset: int
    time: str
    size: int
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """The letter for programs."""
        return asdict(self)


def letters(settings: Settings) -> Iterator[tuple[DeadLetter, Any]]:
    """Yields every message now in the service's dead-letter topic, with a record that can be consumed
    again."""
    from kafka import TopicPartition

    place = TopicPartition(dead_letter_topic(settings.service), 0)
    reader = clients.consumer(settings, None)
    try:
        reader.assign([place])
        reader.seek_to_beginning(place)
        end = reader.end_offsets([place])[place]
        while reader.position(place) < end:
            for record in reader.poll(timeout_ms=500).get(place, ()):
                yield _letter(record), _original(record)
    finally:
        reader.close()


def mark_replayed(tx: Any, letter: DeadLetter) -> None:
    """Notes in the transaction of the effect that a letter was replayed; it no longer counts towards the
    limit."""
    tx.execute(
        update(dead_letters)
        .where(
            dead_letters.c.topic == letter.source_topic,
            dead_letters.c.partition == letter.source_partition,
            dead_letters.c.offset == letter.source_offset,
        )
        .values(replayed_at=func.now())
    )


def _told(record: Any, reason: str) -> dict[str, str]:
    """Why and from where a record was taken, as headers of its letter."""
    return {
        "waymark_reason": reason,
        "waymark_source_topic": record.topic,
        "waymark_source_partition": str(record.partition),
        "waymark_source_offset": str(record.offset),
        "waymark_time": datetime.now(UTC).isoformat(),
    }


def _measured(body: bytes) -> dict[str, str]:
    return {"waymark_size": str(len(body)), "waymark_sha256": hashlib.sha256(body).hexdigest()}


def _brief(name: str, value: bytes | None) -> bool:
    return name in cloudevents.NAMES and len(value or b"") <= HEADER_KEPT


def _headers(record: Any) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in record.headers}


def _letter(record: Any) -> DeadLetter:
    values = _headers(record)
    left_out = values.get("waymark_reason") == TOO_LARGE  # and measured when it was
    measured = values if left_out else _measured(record.value or b"")
    return DeadLetter(
        offset=record.offset,
        reason=values.get("waymark_reason", ""),
        type=values.get("ce_type", ""),
        event_id=values.get("ce_id", ""),
        key=(record.key or b"").decode(errors="replace"),
        source_topic=values.get("waymark_source_topic", ""),
        source_partition=int(values.get("waymark_source_partition", -1)),
        source_offset=int(values.get("waymark_source_offset", -1)),
        time=values.get("waymark_time", ""),
        size=int(measured["waymark_size"]),
        sha256=measured["waymark_sha256"],
    )


def _original(record: Any) -> Any:
    values = _headers(record)
    return SimpleNamespace(
        topic=values.get("waymark_source_topic", ""),
        partition=int(values.get("waymark_source_partition", -1)),
        offset=int(values.get("waymark_source_offset", -1)),
        key=record.key,
        value=record.value,
        headers=[(name, value) for name, value in record.headers if not name.startswith("waymark_")],
    )
