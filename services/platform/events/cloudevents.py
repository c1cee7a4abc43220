"""CloudEvents 1.0 on Kafka, binary content mode: attributes travel as headers, the body is the protobuf
message.

Standard: CloudEvents 1.0.2 and its Kafka Protocol Binding §3.2; trace context by the Distributed Tracing
extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

CONTENT_TYPE = "application/protobuf"
Headers = list[tuple[str, bytes]]
# Names of the headers that an event of ours has, and may have.
NAMES = frozenset(
    {
        *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"),
        *("content-type", "traceparent"),
    }
)


class NotACloudEvent(ValueError):
    """A Kafka message lacks an attribute every event must have, or holds one that cannot be read."""


@dataclass(frozen=True)
class EventInfo:
    """What a reaction may know of the message besides its body. `time`: start of the publishing transaction
    (UTC); `key`: the aggregate's id."""

    id: str
    type: str
    topic: str
    partition: int
    offset: int
    time: datetime
    key: str
    traceparent: str


def headers(*, id: UUID, source: str, type: str, subject: str, time: datetime, traceparent: str) -> Headers:
    """Returns the headers of one event; `source` is a URI reference such as `/waymark/vouchers`."""
    values = {
        "ce_specversion": "1.0",
        "ce_id": str(id),
        "ce_source": source,
        "ce_type": type,
        "ce_subject": subject,
        "ce_time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": CONTENT_TYPE,
        **({"traceparent": traceparent} if traceparent else {}),
    }
    return [(name, value.encode()) for name, value in values.items()]


def read(
    sent: Iterable[tuple[str, bytes]], *, topic: str, partition: int, offset: int, key: bytes | None
) -> EventInfo:
    """Reads the headers of a Kafka message; raises NotACloudEvent."""
    try:
        values = {name: value.decode() for name, value in sent}
        if values["ce_specversion"] != "1.0" or values["content-type"] != CONTENT_TYPE:
            raise NotACloudEvent("This is no CloudEvents 1.0 message with a protobuf body.")
        return EventInfo(
            id=str(UUID(values["ce_id"])),
            type=values["ce_type"],
            topic=topic,
            partition=partition,
            offset=offset,
            time=datetime.fromisoformat(values["ce_time"]).astimezone(UTC),
            key=(key or b"").decode(),
            traceparent=values.get("traceparent", ""),
        )
    except NotACloudEvent:
        raise
    except (KeyError, ValueError, AttributeError) as error:
        raise NotACloudEvent("An attribute is missing or cannot be read.") from error
