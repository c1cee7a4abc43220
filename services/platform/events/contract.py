"""What a contract says about its events: topic, key, consumers (option `waymark.options.v1.event`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from waymark.options.v1 import options_pb2

from services.platform.service import SERVICES


class Route(NamedTuple):
    """Where events of one type travel; `path` leads to the field that holds the aggregate's id. After `keep`
    nobody needs what they say; zero: no such limit."""

    topic: str
    path: tuple[str, ...]
    consumers: frozenset[str]
    keep: timedelta


def route(kind: type[Message]) -> Route:
    """Returns the route of an event type; raises ValueError for a message that is no event."""
    return _route(kind.DESCRIPTOR)


@cache
def _route(descriptor: Descriptor) -> Route:
    options = descriptor.GetOptions()
    if not options.HasExtension(options_pb2.event):
        raise ValueError(f"{descriptor.full_name} is no event: it has no waymark.options.v1.event option.")
    event = options.Extensions[options_pb2.event]
    path, consumers = tuple(event.key_field.split(".")), frozenset(event.consumers)
    return Route(event.topic, path, consumers, timedelta(minutes=event.keep_minutes))


def key_of(event: Message) -> str:
    """Returns the aggregate's id, the key of the Kafka message; raises ValueError when it is empty."""
    value: object = event
    for name in route(type(event)).path:
        value = getattr(value, name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{event.DESCRIPTOR.full_name} has no {'.'.join(route(type(event)).path)}.")
    return value


def redact(event: Message) -> Message:
    """Empties the event's own fields that the contract marks `debug_redact`; returns the event."""
    for field in event.DESCRIPTOR.fields:
        if field.GetOptions().debug_redact:
            event.ClearField(field.name)
    return event


def type_of(kind: type[Message]) -> str:
    """Returns the event type as it stands in `ce_type`: the full name of the message."""
    return str(kind.DESCRIPTOR.full_name)


def all_events() -> Iterator[type[Message]]:
    """Yields every event message of every service."""
    for service in SERVICES:
        yield from events_of(service)


def events_of(service: str) -> Iterator[type[Message]]:
    """Yields every event message in the contract of `service`, in the order of the file."""
    module = importlib.import_module(f"waymark.{service}.v1.events_pb2")
    for descriptor in module.DESCRIPTOR.message_types_by_name.values():
        if descriptor.GetOptions().HasExtension(options_pb2.event):
            yield GetMessageClass(descriptor)
