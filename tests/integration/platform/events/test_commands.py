"""`waymark migrate` and `waymark events` as a person at a terminal has them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from waymark.vouchers.v1 import events_pb2

from services.platform.app import App
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.events import processes
from services.platform.service import ServiceDefinition
from services.platform.telemetry import tracing
from tests.support import commands
from tests.support.databases import Databases
from tests.support.events import running, test_settings
from tests.support.waiting import eventually


def test_a_consumer_that_ends_sends_its_last_spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of the stack ends without what the interpreter would do at its end."""
    stop, sent = threading.Event(), []
    stop.set()
    nothing = ServiceDefinition("nobody", App, servicers=(), relationships={}, reactions={})
    monkeypatch.setattr(processes, "_prepare", lambda _: stop)
    monkeypatch.setattr("services.platform.service.load_service", lambda _: nothing)
    monkeypatch.setattr(tracing, "_flush", lambda: sent.append("all"))
    processes.run_consumer(test_settings("nobody", database_url="postgresql://nobody", secrets_dir=tmp_path))
    assert sent == ["all"]


@pytest.fixture
def environment(database: Databases, kafka: str, tmp_path: Path) -> dict[str, str]:
    url = database.clone("vouchers", "empty", lambda _: None).url
    return {
        "WAYMARK_VOUCHERS_DATABASE_URL": url,
        "WAYMARK_KAFKA_BOOTSTRAP": kafka,
        "WAYMARK_SECRETS_DIR": str(tmp_path),
    }


def waymark(environment: dict[str, str], *arguments: str, code: int = 0) -> str:
    done = commands.run(list(arguments), environment)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_migrate_outbox_tail_and_dead_letters(environment, kafka):
    from services.platform.events.relay import Relay

    assert "topics created" in waymark(environment, "migrate", "vouchers")
    assert "0 topics created" in waymark(environment, "migrate", "vouchers")
    url = environment["WAYMARK_VOUCHERS_DATABASE_URL"]
    engine = make_engine(url, 2)
    event = events_pb2.ProgrammeActivated(
        programme="programmes/commands", version="programmes/commands/versions/1"
    )
    with transaction(engine) as tx:
        tx.publish(event)
    (row,) = json.loads(waymark(environment, "events", "outbox", "vouchers", "--json"))
    assert row["key"] == "programmes/commands"
    with running(Relay(test_settings("vouchers", kafka_bootstrap=kafka), engine).run):
        eventually(lambda: "nothing is waiting" in waymark(environment, "events", "outbox", "vouchers"))
    engine.dispose()
    told = waymark(environment, "events", "tail", "vouchers", "--from-beginning", "--no-follow", "--json")
    found = [json.loads(line) for line in told.splitlines()]
    assert {"programme": "programmes/commands", "version": event.version} in [one["event"] for one in found]
    assert json.loads(waymark(environment, "events", "dead-letters", "list", "vouchers", "--json")) == []
    waymark(environment, "events", "dead-letters", "show", "vouchers", "999", code=5)
    waymark(environment, "events", "dead-letters", "replay", "vouchers", code=2)


def test_a_missing_setting_is_named(environment):
    del environment["WAYMARK_KAFKA_BOOTSTRAP"]
    done = commands.run(["relay", "vouchers"], environment)
    assert done.returncode == 2
    assert "WAYMARK_KAFKA_BOOTSTRAP" in done.stderr
