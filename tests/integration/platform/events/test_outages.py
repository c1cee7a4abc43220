"""A broker and a database that go away under load, and come back: nothing lost, nothing twice, order kept."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import pytest

from services.cli.stack.kafka import Kafka
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from tests.support.databases import Databases
from tests.support.events import Rig, make_rig, running
from tests.support.own_part import OwnPart, started
from tests.support.waiting import eventually

AWAY = 5  # seconds


@pytest.fixture
def broker(tmp_path):
    with started(Kafka(tmp_path / "kafka", free_port(), free_port()), tmp_path / "kafka.log") as own:
        yield own


@pytest.fixture
def server(tmp_path):
    server = Postgres(tmp_path / "postgres", free_port(), durable=False)
    with started(server, tmp_path / "postgres.log") as own:
        yield own


def load(rig: Rig, stop: threading.Event, sent: list[tuple[str, int]]) -> None:
    """Publishes 200 events a second; notes what was acknowledged."""
    n = 0
    while not stop.is_set():
        events = [(f"k{key}", n) for key in range(10)]
        n += 1
        try:
            rig.publish(*events)
        except Exception:  # the database is away: not acknowledged, so nothing is owed
            time.sleep(0.2)
            continue
        sent += events
        time.sleep(0.05)


def check_order(effects: list[tuple[str, int]]) -> None:
    numbers = defaultdict(list)
    for key, n in effects:
        numbers[key].append(n)
    for seen in numbers.values():
        assert seen == sorted(set(seen))


def run_through(rig: Rig, part: OwnPart) -> list[tuple[str, int]]:
    """Load, the part goes away for a while, comes back; returns what was acknowledged."""
    sent: list[tuple[str, int]] = []

    def loading(stop: threading.Event) -> None:
        load(rig, stop, sent)

    stopped = threading.Event()
    with running(Relay(rig.settings, rig.engine).run, Consumer(rig.definition, rig.app).run):
        writer = threading.Thread(target=loading, args=(stopped,))
        writer.start()
        eventually(lambda: len(rig.effects()) > 50)
        part.stop()
        time.sleep(AWAY)
        during = len(sent)
        part.start()
        eventually(lambda: len(sent) > during + 100)
        stopped.set()
        writer.join()
        eventually(lambda: len(rig.effects()) >= len(sent))
    return sent


@pytest.mark.fault
def test_a_broker_away_under_load_grows_the_outbox_and_loses_nothing(
    database: Databases, broker: OwnPart, tmp_path
):
    rig = make_rig(database, broker.part.bootstrap, tmp_path)
    sent = run_through(rig, broker)
    assert sorted(rig.effects()) == sorted(sent)
    check_order(rig.effects())
    rig.app.close()


@pytest.mark.fault
def test_a_database_away_under_load_loses_nothing_acknowledged(server: OwnPart, kafka: str, tmp_path):
    databases = Databases(server.part.url())
    rig = make_rig(databases, kafka, tmp_path)
    sent = run_through(rig, server)
    # A commit whose answer was lost may have happened: more effects than acknowledgements, never fewer.
    assert set(sent) <= set(rig.effects())
    assert len(set(rig.effects())) == len(rig.effects())
    check_order(rig.effects())
    rig.app.close()
    databases.drop()
