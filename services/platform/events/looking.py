"""Read-only views of topics and the outbox for people who look at a running system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from sqlalchemy import select

from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.platform.events import clients
from services.platform.events.contract import all_events, redact, type_of
from services.platform.events.topics import dead_letter_topic, declared
from services.platform.service import SERVICES

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.settings import Settings

NEW_TOPICS_MS = 2_000  # how soon a topic that is made later is found


def event_topics(service: str = "") -> list[str]:
    """Returns the declared topics that carry events, of one service or of all; dead letters are not among
    them."""
    dead = {dead_letter_topic(name) for name in SERVICES}
    return [name for name in declared() if name not in dead and name.startswith(f"waymark.{service}")]


def tail(
    settings: Settings, topics: list[str], *, from_beginning: bool, follow: bool
) -> Iterator[dict[str, Any]]:
    """Yields messages as dictionaries; without `follow` ends at what is the newest message when it starts.

    Belongs to no consumer group, so looking changes nothing. With `follow`, topics and partitions that are
    made later are found within seconds.
    """
    start = "earliest" if from_beginning else "latest"
    reader = clients.consumer(settings, None, auto_offset_reset=start, metadata_max_age_ms=NEW_TOPICS_MS)
    try:
        ends: dict[Any, int] = {}
        if follow:
            reader.subscribe(topics)
        else:
            ends = _ends(reader, topics)
            reader.assign(list(ends))
        while follow or any(reader.position(place) < end for place, end in ends.items()):
            for records in reader.poll(timeout_ms=200).values():
                yield from map(describe, records)
    finally:
        reader.close()


def _ends(reader: Any, topics: list[str]) -> dict[Any, int]:
    """The partitions there are, each with the offset of its next message."""
    from kafka import TopicPartition

    parts = {topic: reader.partitions_for_topic(topic) or () for topic in topics}
    places = [TopicPartition(topic, part) for topic in topics for part in parts[topic]]
    ends: dict[Any, int] = reader.end_offsets(places) if places else {}
    return ends


def describe(record: Any) -> dict[str, Any]:
    """Returns a Kafka record as commands show it; `event` is the body by its contract, without secrets, or {}
    when it has none."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    kinds = {type_of(kind): kind for kind in all_events()}
    kind = kinds.get(headers.get("ce_type", ""))
    try:
        body = MessageToDict(redact(kind.FromString(record.value or b""))) if kind else {}
    except DecodeError:
        body = {}
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": headers.get("ce_time", ""),
        "type": headers.get("ce_type", ""),
        "id": headers.get("ce_id", ""),
        "key": (record.key or b"").decode(errors="replace"),
        "traceparent": headers.get("traceparent", ""),
        "event": body,
    }


def waiting(engine: Engine, limit: int) -> list[dict[str, Any]]:
    """Returns the oldest outbox rows not yet published, without their bodies."""
    columns = (
        outbox.c.seq,
        outbox.c.id,
        outbox.c.topic,
        outbox.c.type,
        outbox.c.aggregateid,
        outbox.c.created_at,
    )
    with transaction(engine, read_only=True) as tx:
        rows = tx.execute(select(*columns).order_by(outbox.c.seq).limit(limit)).mappings().all()
        return [
            {
                "seq": row["seq"],
                "id": str(row["id"]),
                "topic": row["topic"],
                "type": row["type"],
                "key": row["aggregateid"],
                "age_seconds": round((tx.now - row["created_at"]).total_seconds(), 3),
            }
            for row in rows
        ]
