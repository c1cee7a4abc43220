"""An event type, topics, database and service of a test's own, so that tests share one broker without
meeting."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from waymark.options.v1 import options_pb2

from services.cli.stack import process as parts
from services.platform.app import App
from services.platform.db import schema
from services.platform.db.engine import driver_url
from services.platform.db.transaction import Transaction, transaction
from services.platform.events.cloudevents import EventInfo
from services.platform.events.topics import Topic, dead_letter_topic, ensure_topics
from services.platform.service import ServiceDefinition
from services.platform.settings import KafkaSecurity, Settings
from tests.support.databases import Database, Databases

effects = sa.Table(
    "effects",
    sa.MetaData(),
    sa.Column("seq", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("sent", sa.DateTime(timezone=True), nullable=False),
)
POISON = -1  # a reaction to this number fails
SLOW = -2  # a reaction to this number takes longer than a statement may


def test_settings(service: str, **values: Any) -> Settings:
    """Returns settings for tests; `values` replace single ones."""
    plain = {field.name: "" for field in fields(Settings) if field.default is MISSING}
    fixed: dict[str, Any] = {
        "environment": "development",
        "service": service,
        "kafka_security": KafkaSecurity(),
        "s3_region": "us-east-1",
        "metrics_port": 0,
        "processes": 1,
        "threads": 4,
        "secrets_dir": Path("."),
        "index_dir": Path("."),
    }
    return Settings(**(plain | fixed | values))


test_settings.__test__ = False  # type: ignore[attr-defined]  # no test, whatever its name


@cache
def probe_event(service: str) -> Any:
    """Returns an event message of this test alone: fields `key` and `n`, topic
    `waymark.<service>.probes.v1`."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"probe/{service}.proto",
        package=f"probe.{service}",
        syntax="proto3",
        dependency=[options_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="Probe")
    kinds = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    message.field.add(name="n", number=2, type=kinds.TYPE_INT64, label=kinds.LABEL_OPTIONAL)
    option = options_pb2.Event(topic=f"waymark.{service}.probes.v1", key_field="key", consumers=[service])
    message.options.Extensions[options_pb2.event].CopyFrom(option)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"probe.{service}.Probe"))


def note_effect(_: App, tx: Transaction, message: Any, info: EventInfo) -> None:
    """The reaction: one row per event."""
    if message.n == POISON:
        raise ValueError("Somebody's name that must not be seen.")
    if message.n == SLOW:
        tx.execute(sa.text("SET LOCAL statement_timeout = '20ms'"))
        tx.execute(sa.text("SELECT pg_sleep(10)"))
    tx.execute(sa.insert(effects).values(key=message.key, n=message.n, sent=info.time))


def definition(service: str) -> ServiceDefinition:
    """Returns a service that reacts to its own probe events."""
    return ServiceDefinition(
        name=service,
        app=App,
        servicers=(),
        relationships={},
        reactions={probe_event(service): note_effect},
    )


def build_platform_database(url: str) -> None:
    """Creates the platform's tables and `effects` in an empty database."""
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool, use_native_hstore=False)
    with engine.begin() as connection:
        operations = type("Op", (), {"get_bind": staticmethod(lambda: connection)})
        schema.create_platform_tables(operations)
        effects.metadata.create_all(connection)


@dataclass
class Rig:
    """Everything one test of events needs."""

    settings: Settings
    engine: sa.Engine
    app: App
    definition: ServiceDefinition

    @property
    def service(self) -> str:
        """Name of the test's own service."""
        return self.settings.service

    @property
    def topic(self) -> str:
        """Topic of the probe events."""
        return f"waymark.{self.service}.probes.v1"

    def event(self, key: str, n: int) -> Message:
        """Returns a probe event."""
        made: Message = probe_event(self.service)(key=key, n=n)
        return made

    def publish(self, *events: tuple[str, int]) -> None:
        """Publishes events in one transaction."""
        with transaction(self.engine) as tx:
            for key, n in events:
                tx.publish(self.event(key, n))

    def effects(self) -> list[tuple[str, int]]:
        """Returns (key, n) of every effect, oldest first."""
        with transaction(self.engine, read_only=True) as tx:
            rows = tx.execute(sa.select(effects.c.key, effects.c.n).order_by(effects.c.seq))
            return [(row.key, row.n) for row in rows]

    def waiting(self) -> int:
        """Returns how many rows the outbox holds."""
        with transaction(self.engine, read_only=True) as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(schema.outbox)).scalar_one())

    def messages(self) -> list[tuple[str, int]]:
        """Returns (key, n) of every message on the topic, partition after partition."""
        from services.platform.events import clients

        reader = clients.consumer(self.settings, None)
        try:
            from kafka import TopicPartition

            places = [TopicPartition(self.topic, part) for part in reader.partitions_for_topic(self.topic)]
            reader.assign(places)
            reader.seek_to_beginning(*places)
            ends = reader.end_offsets(places)
            found = []
            while any(reader.position(place) < ends[place] for place in places):
                for records in reader.poll(timeout_ms=200).values():
                    for record in records:
                        event = probe_event(self.service).FromString(record.value)
                        found.append((event.key, event.n))
            return found
        finally:
            reader.close()

    def with_instance(self, instance: str) -> Rig:
        """Returns the rig with a name of its own for relay and consumer."""
        return replace(self, settings=replace(self.settings, instance=instance))

    def with_bootstrap(self, bootstrap: str) -> Rig:
        """Returns the rig with another broker."""
        return replace(self, settings=replace(self.settings, kafka_bootstrap=bootstrap))


def make_rig(databases: Databases, bootstrap: str, secrets_dir: Path, *, partitions: int = 4) -> Rig:
    """Builds a rig: own service name, database and topics."""
    service = f"t{secrets.token_hex(4)}"
    database = platform_database(databases)
    settings = test_settings(
        service, database_url=database.url, kafka_bootstrap=bootstrap, secrets_dir=secrets_dir
    )
    names = (f"waymark.{service}.probes.v1", dead_letter_topic(service))
    counts = (partitions, 1)
    ensure_topics(
        settings,
        [
            Topic(name, count, retention_days=1, compacted=False)
            for name, count in zip(names, counts, strict=True)
        ],
    )
    return Rig(settings, database.engine, App(settings), definition(service))


def platform_database(databases: Databases) -> Database:
    """Returns a database with the platform's tables and `effects`."""
    return databases.clone("platform", _version(), build_platform_database)


def _version() -> str:
    content = Path(schema.__file__).read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


@pytest.fixture
def rig(database: Databases, kafka: str, tmp_path: Path) -> Iterator[Rig]:
    """A service of this test's own on the shared broker."""
    made = make_rig(database, kafka, tmp_path)
    yield made
    made.app.close()


@contextmanager
def running(*runs: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs relays and consumers (their `run`) on threads; a failure of one fails the test."""
    stop, failures = threading.Event(), []

    def guarded(run: Callable[[threading.Event], None]) -> None:
        try:
            run(stop)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


@contextmanager
def process(rig: Rig, kind: str, *faults: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `event_process`; whatever is left of it at the end is killed."""
    arguments = [kind, rig.service, rig.settings.database_url, rig.settings.kafka_bootstrap, *faults]
    checkout = Path(__file__).resolve().parents[2]
    command = parts.Command(
        [sys.executable, "-m", "tests.support.event_process", *arguments],
        {
            "PYTHONPATH": ".:proto/python",
            "SECRETS": str(rig.settings.secrets_dir),
            "INSTANCE": rig.settings.instance,
        },
        folder=checkout,
    )
    # As a part of the stack, so that it dies with this process, however that ends.
    child = parts.spawn(command, rig.settings.secrets_dir / f"{kind}.log")
    try:
        yield child
    finally:
        child.kill()
        child.wait()
