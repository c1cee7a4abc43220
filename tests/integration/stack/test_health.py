"""What a stack learns from its servers' health: more than that a port takes connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from services.cli.stack import health
from services.cli.stack.ports import free_port
from services.cli.stack.probes import accepts
from tests.integration.platform.rpc.test_faults import Connections
from tests.support import notes
from tests.support.servers import Served
from tests.support.waiting import eventually

CHECKS = ("", "outbox", "consumer", "dead-letters")
OLD_EVENT = text(
    "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, bucket, created_at) "
    "VALUES (gen_random_uuid(), 'a', 'b', 'c', '', 't', 0, now() - interval '5 minutes')"
)
DEAD = (
    'INSERT INTO dead_letters (topic, partition, "offset", type, reason, created_at, replayed_at) '
    "SELECT 't', 0, n, 'a', 'b', now() - {age}, {replayed} FROM generate_series(1, 20) n"
)
LAG = text("INSERT INTO consumer_lag (topic, partition, lag, measured_at) VALUES ('t', 0, 20000, now())")


@pytest.fixture
def url(database: Any) -> str:
    return str(database.clone("testing", "2", notes.build).url)


@pytest.fixture
def served(serve: Any, url: str) -> Served:
    return serve(notes.DEFINITION, url)


@pytest.fixture
def connections(postgres: str, url: str) -> Iterator[Connections]:
    made = Connections(postgres, url)
    yield made
    made.start()
    made.close()


def troubles(served: Served) -> list[str]:
    return [health.trouble(served.server.port, check) for check in CHECKS]


def test_a_server_that_is_well_has_none(served: Served) -> None:
    assert health.lives(served.server.port)
    assert troubles(served) == [""] * 4


def test_a_stopped_database_is_told_where_a_connection_would_say_nothing(
    served: Served, connections: Connections
) -> None:
    connections.stop()
    eventually(lambda: troubles(served) == [health.NO_DATABASE] * 4)
    assert health.lives(served.server.port)
    assert accepts(served.server.port)  # control: by TCP alone it would be up
    connections.start()
    eventually(lambda: troubles(served) == [""] * 4)


@pytest.mark.parametrize(
    ("late", "check"),
    [
        (OLD_EVENT, "outbox"),
        (LAG, "consumer"),
        (text(DEAD.format(age="interval '5 minutes'", replayed="NULL")), "dead-letters"),
        (text(DEAD.format(age="interval '11 minutes'", replayed="NULL")), None),  # consuming goes on
        (text(DEAD.format(age="interval '5 minutes'", replayed="now()")), None),
    ],
)
def test_what_is_late_shows_in_its_own_check(served: Served, late: Any, check: str | None) -> None:
    with served.app.engine.begin() as connection:
        connection.execute(late)
    served.server.health.look()
    assert troubles(served) == [health.TROUBLES[one] if one == check else "" for one in CHECKS]
    told = health.trouble(served.server.port, "dead-letters", "consumer")
    assert told == ("" if check in (None, "outbox") else health.TROUBLES[str(check)])


def test_a_port_that_takes_connections_and_never_answers_is_no_server() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        assert accepts(port)  # control
        assert not health.lives(port)
        assert health.trouble(port, "") == ""


def test_nobody_is_no_server() -> None:
    assert not health.lives(free_port())
