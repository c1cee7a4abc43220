"""Holds a journal of acknowledged calls against the ledger (I1, I2, I3) and against the events (I4, I5).

Everything is read as an administrator reads it, from the tables and topics themselves; each function returns
what is wrong, in words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, LiteralString, TypeAlias

import psycopg
from waymark.portfolio.v1.events_pb2 import PathwayStepMoved

from services.platform.events import clients
from services.portfolio.service import DEFINITION
from services.vouchers.domain.ledger import Kind
from tests.support.events import test_settings
from tests.support.traffic import Journal

BOOKED = {"ReserveRedemption": "reserve", "AcceptRedemption": "accept", "VoidRedemption": "void"}
EVENTS = {
    "ReserveRedemption": "RedemptionReserved",
    "AuthoriseRedemption": "RedemptionAuthorised",
    "StartRedemption": "RedemptionStarted",
    "DeliverRedemption": "RedemptionDelivered",
    "AcceptRedemption": "RedemptionAccepted",
    "VoidRedemption": "RedemptionReleased",
}
REDEMPTIONS, PATHWAYS = "waymark.vouchers.redemptions.v1", "waymark.portfolio.pathways.v1"
WAY = ("PLANNED", "BOOKED", "RUNNING", "EVIDENCE_SUBMITTED", "CONFIRMED")  # of a step, as its course is paid
RESOLVING = ("accept", "void", "timeout", "reject")
Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
_EXTERNAL = [int(kind) for kind in Kind if kind.external]


@dataclass(frozen=True)
class Event:
    """An event as it lies on a topic."""

    key: str
    id: str
    type: str


def money_faults(connection: Connection) -> list[str]:
    """I1 and I2: transactions that do not sum to zero, balances below zero, vouchers whose parts are not
    their value, reservations resolved more than once."""
    queries: dict[str, tuple[LiteralString, dict[str, object]]] = {
        "transaction does not sum to zero": (
            "SELECT transaction, currency FROM ledger_entries GROUP BY 1, 2 HAVING sum(cents) <> 0",
            {},
        ),
        "balance below zero": (
            "SELECT kind, owner, currency FROM ledger_entries WHERE kind <> ALL (%(external)s) "
            "GROUP BY 1, 2, 3 HAVING sum(cents) < 0",
            {"external": _EXTERNAL},
        ),
        "voucher is not the sum of its parts": (
            "SELECT id FROM vouchers WHERE value_cents <> "
            "available_cents + reserved_cents + spent_cents + returned_cents "
            "OR least(available_cents, reserved_cents, spent_cents, returned_cents) < 0",
            {},
        ),
        "voucher and ledger differ": (
            "SELECT v.id FROM vouchers v WHERE v.available_cents <> (SELECT coalesce(sum(cents), 0) "
            "FROM ledger_entries e WHERE e.owner = 'vouchers/' || v.id AND e.kind = %(available)s)",
            {"available": int(Kind.VOUCHER_AVAILABLE)},
        ),
        "reservation resolved more than once": (
            "SELECT reference FROM ledger_entries WHERE operation = ANY (%(resolving)s) "
            "GROUP BY 1 HAVING count(DISTINCT transaction) > 1",
            {"resolving": list(RESOLVING)},
        ),
    }
    return [
        f"{what}: {row}"
        for what, (query, values) in queries.items()
        for row in connection.execute(query, values).fetchall()
    ]


def journal_faults(connection: Connection, journal: Journal, vouchers: Iterable[str]) -> list[str]:
    """I3: what was acknowledged of these vouchers and is not in the ledger exactly once, and what the ledger
    holds of them that nobody was told."""
    query = (
        "SELECT operation, reference, transaction::text FROM ledger_entries "
        "WHERE owner = ANY (%(owners)s) AND operation = ANY (%(operations)s) GROUP BY 1, 2, 3"
    )
    wanted = {"owners": list(vouchers), "operations": sorted(BOOKED.values())}
    rows = connection.execute(query, wanted).fetchall()
    booked = Counter((operation, reference) for operation, reference, _ in rows)
    told = Counter(
        (BOOKED[entry.rpc], entry.answer.name)
        for entry in journal.of(*BOOKED)
        if entry.answer.voucher in wanted["owners"]
    )
    lost = [f"acknowledged {told[each]} times, booked {booked[each]}: {each}" for each in told]
    lost = [text for text, each in zip(lost, told, strict=True) if told[each] != 1 or booked[each] != 1]
    return lost + [f"booked, but nobody was told: {each}" for each in booked if each not in told]


def event_faults(events: Sequence[Event], journal: Journal) -> list[str]:
    """I4 and I5: redemptions whose events, each counted once, are not those of the acknowledged calls in
    their order."""
    told = defaultdict[str, list[str]](list)
    for entry in journal.of(*EVENTS):
        told[entry.answer.name].append(EVENTS[entry.rpc])
    seen = by_key(events)
    return [
        f"{name}: acknowledged {kinds}, on the topic {seen.get(name, [])}"
        for name, kinds in told.items()
        if seen.get(name, []) != kinds
    ]


def step_faults(records: Iterable[Any], pathways: Iterable[str]) -> list[str]:
    """I4 and I5, in another service: pathways whose step did not go the whole way, each move told once."""
    moved, known = defaultdict[str, list[tuple[str, str]]](list), set[bytes]()
    for record in records:
        headers = dict(record.headers)
        if headers["ce_type"].endswith(b".PathwayStepMoved") and headers["ce_id"] not in known:
            known.add(headers["ce_id"])
            event = PathwayStepMoved.FromString(record.value)
            moved[event.pathway].append((event.from_state, event.to_state))
    return [f"{name}: moved {moved[name]}" for name in pathways if moved[name] != list(pairwise(WAY))]


def inbox_faults(connection: Connection, events: Iterable[Event]) -> list[str]:
    """I4: events on a topic that the portfolio reacts to and has not in its inbox."""
    wanted = {kind.DESCRIPTOR.name for kind in DEFINITION.reactions}
    told = {event.id for event in events if event.type in wanted}
    rows = connection.execute("SELECT id::text FROM inbox WHERE id = ANY (%s::uuid[])", (list(told),))
    return [f"on the topic, without effect: {each}" for each in told - {row[0] for row in rows.fetchall()}]


def by_key(events: Sequence[Event]) -> Mapping[str, list[str]]:
    """Types of the events of each key in their order, each event at its first appearance."""
    seen, known = defaultdict[str, list[str]](list), set[str]()
    for event in events:
        if event.id not in known:
            known.add(event.id)
            seen[event.key].append(event.type)
    return seen


def read_topics(bootstrap: str, topics: Iterable[str] | None = None) -> list[Any]:
    """Every record that now lies on `topics` (None: on all that are not Kafka's own), by partition and
    offset."""
    from kafka import TopicPartition

    reader = clients.consumer(test_settings("audit", kafka_bootstrap=bootstrap), None)
    try:
        wanted = [name for name in reader.topics() if not name.startswith("__")] if topics is None else topics
        places = [
            TopicPartition(name, number)
            for name in wanted
            for number in sorted(reader.partitions_for_topic(name) or ())
        ]
        reader.assign(places)
        reader.seek_to_beginning(*places)
        ends, records = reader.end_offsets(places), list[Any]()
        while any(reader.position(place) < ends[place] for place in places):
            for batch in reader.poll(timeout_ms=200).values():
                records += batch
    finally:
        reader.close()
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


def events_in(records: Iterable[Any]) -> list[Event]:
    """Records as events; those that are none are left out."""
    found = []
    for record in records:
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        if "ce_id" in headers:
            kind = headers.get("ce_type", "").rsplit(".", 1)[-1]
            found.append(Event((record.key or b"").decode(), headers["ce_id"], kind))
    return found
