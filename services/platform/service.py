"""What a service hands to the platform: its servicers, relationships, reactions and jobs."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

if TYPE_CHECKING:
    import grpc
    import sqlalchemy

    from services.platform.app import App
    from services.platform.db.transaction import Transaction
    from services.platform.events.consumer import EventInfo
    from services.platform.identity.principals import Principal

# Does the caller stand in this relationship to what the request names? Asked in the handler's transaction.
Relationship = Callable[["Principal", Any, "sqlalchemy.Connection"], bool]
# What a service does on an event; runs inside the inbox transaction.
Reaction = Callable[[Any, "Transaction", Any, "EventInfo"], None]
# Takes the locks that the reactions to some events will need, in one order, before the first of them.
Lock = Callable[["Transaction", Sequence[Message]], None]
# `add_XServiceServicer_to_server`, and what makes the servicer to add from the app of a process.
Servicer = tuple[Callable[[Any, "grpc.Server"], None], Callable[[Any], object]]
# Raises Refusal for an API key (empty: none was sent) and the path of an RPC that it may not call now.
Admit = Callable[[str, str], None]
# A thread of the server process that lives until the event is set.
Background = Callable[[Any, threading.Event], None]

SERVICES = ("catalogue", "vouchers", "portfolio")
ADMITTING = "catalogue"  # which of them the edge asks whether a call with an API key may pass


@dataclass(frozen=True)
class Job:
    """Done again and again by `waymark consume SERVICE`, by one holder at a time over all replicas. A `long`
    one has a thread of its own, so that no other job waits for it; one `everywhere` is done by each process,
    and shares its work by locks of its own. `wanted` says of one of an optional part whether this process
    does it."""

    name: str
    every: timedelta
    run: Callable[[Any], None]
    long: bool = False
    everywhere: bool = False
    wanted: Callable[[Any], bool] = lambda _: True


@dataclass(frozen=True)
class ServiceDefinition:
    """One service. `relationships` maps the names used in policies to their resolvers; `admits` makes of the
    app what decides over calls with an API key, where the edge asks this service; `locks` comes before the
    reactions of a transaction, where they would lock in the order of events."""

    name: str
    app: type[App]
    servicers: Sequence[Servicer]
    relationships: Mapping[str, Relationship]
    reactions: Mapping[type[Message], Reaction]
    locks: Lock | None = None
    jobs: Sequence[Job] = ()
    background: Sequence[Background] = ()
    admits: Callable[[Any], Admit] | None = None


def load_service(name: str) -> ServiceDefinition:
    """Returns the definition in `services/<name>/service.py`; raises LookupError for an unknown service."""
    if name not in SERVICES:
        raise LookupError(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
    definition: ServiceDefinition = importlib.import_module(f"services.{name}.service").DEFINITION
    return definition
