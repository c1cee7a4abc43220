"""From a Kafka record to an event of the contract, or to the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError, Message

from services.platform.events import cloudevents
from services.platform.events.cloudevents import EventInfo
from services.platform.events.contract import key_of, route, type_of

if TYPE_CHECKING:
    from services.platform.service import Reaction


@dataclass(frozen=True)
class Known:
    """An event that this service reacts to."""

    record: Any
    info: EventInfo
    message: Message
    reaction: Reaction


@dataclass(frozen=True)
class Ignored:
    """A well-formed event of a type that nobody here reacts to."""

    record: Any


@dataclass(frozen=True)
class Poison:
    """A record that cannot be understood."""

    record: Any
    reason: str
    type: str


class Reader:
    """Knows the event types that a service reacts to."""

    def __init__(self, reactions: Mapping[type[Message], Reaction]) -> None:
        self._kinds = {type_of(kind): (kind, reaction) for kind, reaction in reactions.items()}
        self.topics = sorted({route(kind).topic for kind in reactions})

    def read(self, record: Any) -> Known | Ignored | Poison:
        """Reads a record of kafka-python; never raises for its content."""
        try:
            info = cloudevents.read(
                record.headers,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
            )
        except cloudevents.NotACloudEvent:
            return Poison(record, "NOT_A_CLOUD_EVENT", "")
        if info.type not in self._kinds:
            return Ignored(record)
        kind, reaction = self._kinds[info.type]
        message = kind()
        try:
            message.ParseFromString(record.value or b"")
            if key_of(message) != info.key:
                return Poison(record, "KEY_MISMATCH", info.type)
        except DecodeError:
            return Poison(record, "UNDECODABLE", info.type)
        except ValueError:
            return Poison(record, "KEY_MISSING", info.type)
        return Known(record, info, message, reaction)
