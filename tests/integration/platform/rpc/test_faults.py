"""What a failing database, a slow one and our own mistakes look like to a caller."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import grpc
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.platform.db.engine import LOCK_TIMEOUT
from services.platform.events.lag import keep_lag
from services.platform.rpc import handlers
from tests.integration.platform.rpc.test_calls import refused
from tests.support import notes
from tests.support.databases import WAITING, sessions
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token
from tests.support.waiting import eventually

HELD = LOCK_TIMEOUT + 3  # seconds for which a call keeps its rows


def until_held(served: Served) -> None:
    """Waits until a call has written and keeps its transaction open."""
    eventually(lambda: sessions(served.app.engine, "state = 'idle in transaction'") == 1)


@pytest.fixture
def url(database: Any) -> str:
    return str(database.clone("testing", "2", notes.build).url)


@pytest.fixture
def served(serve: Any, url: str) -> Served:
    return serve(notes.DEFINITION, url)


@pytest.mark.parametrize(
    ("sqlstate", "code", "reason"),
    [
        ("55P03", grpc.StatusCode.ABORTED, "LOCKED"),
        ("40001", grpc.StatusCode.ABORTED, "LOCKED"),
        ("40P01", grpc.StatusCode.ABORTED, "LOCKED"),
        ("57014", grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
        ("53100", grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        ("53200", grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        ("53300", grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        ("57P01", grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        ("08006", grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        ("23505", grpc.StatusCode.INTERNAL, "INTERNAL"),
        ("42P01", grpc.StatusCode.INTERNAL, "INTERNAL"),
        ("python", grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
def test_each_failure_has_its_status(
    served: Served, sqlstate: str, code: grpc.StatusCode, reason: str
) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    with pytest.raises(grpc.RpcError) as caught:
        stub.Fail(notes_pb2.FailRequest(sqlstate=sqlstate))
    answered, details = refused(stub.Fail, notes_pb2.FailRequest(sqlstate=sqlstate))
    assert (answered, details["ErrorInfo"].reason) == (code, reason)
    assert "Lovelace" not in str(caught.value)
    assert "Lovelace" not in str(caught.value.trailing_metadata())
    if reason in ("LOCKED", "UNAVAILABLE", "OVERLOADED"):
        assert details["RetryInfo"].retry_delay.ToTimedelta().total_seconds() > 0


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_conflict_is_tried_once_more(served: Served, sqlstate: str) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    stub.Fail(notes_pb2.FailRequest(sqlstate=sqlstate, times=1))


def test_control_without_the_second_try_a_conflict_reaches_the_caller(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "twice", lambda once, *arguments, repeatable: once(*arguments))
    stub = served.stub(NoteServiceStub, token("learner"))
    assert refused(stub.Fail, notes_pb2.FailRequest(sqlstate="40001", times=1))[0] is grpc.StatusCode.ABORTED


def test_a_row_that_somebody_holds_is_locked_not_waited_for_until_the_deadline(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner", subject="ada"))
    request = notes_pb2.CreateNoteRequest(text="a", request_id=str(uuid.uuid4()), hold=HELD)
    first = stub.CreateNote.future(request, timeout=30)
    until_held(served)
    code, details = refused(stub.CreateNote, request, timeout=30)
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.ABORTED, "LOCKED")
    assert not first.done()
    assert first.result().text == "a"


def test_a_short_deadline_stops_the_statement_in_the_database(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    started = time.monotonic()
    with served.app.engine.connect() as connection:
        connection.execute(text("LOCK TABLE notes"))
        with pytest.raises(grpc.RpcError) as caught:
            stub.CreateNote(notes_pb2.CreateNoteRequest(text="a"), timeout=0.5)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        eventually(lambda: not sessions(served.app.engine, WAITING))
        assert time.monotonic() - started < LOCK_TIMEOUT  # which would end it too


class Connections:
    """Turns a database away from everybody and lets them in again, as a stopped server would."""

    def __init__(self, admin_url: str, url: str) -> None:
        self._admin = psycopg.connect(admin_url, autocommit=True)
        self._name = make_url(url).database

    def stop(self) -> None:
        self._admin.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false'.encode())
        self._admin.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", (self._name,)
        )

    def start(self) -> None:
        self._admin.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true'.encode())

    def close(self) -> None:
        self._admin.close()


@pytest.fixture
def connections(postgres: str, url: str) -> Any:
    made = Connections(postgres, url)
    yield made
    made.start()
    made.close()


def test_a_stopped_database_is_unavailable_within_a_second_and_comes_back(
    served: Served, connections: Connections
) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    stub.CreateNote(notes_pb2.CreateNoteRequest(text="before"))
    connections.stop()
    for _ in range(6):
        started = time.monotonic()
        code, details = refused(stub.CreateNote, notes_pb2.CreateNoteRequest(text="during"))
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
        assert time.monotonic() - started < 1
    connections.start()
    for number in range(6):
        assert stub.CreateNote(notes_pb2.CreateNoteRequest(text=f"after {number}")).name


def test_a_connection_lost_in_the_middle_is_made_good_by_the_request_id(
    served: Served, postgres: str, url: str
) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    request = notes_pb2.CreateNoteRequest(text="a", request_id=str(uuid.uuid4()), hold=2)
    call = stub.CreateNote.future(request)
    until_held(served)
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND state LIKE 'idle in%%'",
            (make_url(url).database,),
        )
    assert call.result().text == "a"
    assert stub.CreateNote(request) == call.result()


def test_health_tells_of_the_database_while_it_is_away(served: Served, connections: Connections) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    stub = served.stub(health_pb2_grpc.HealthStub)
    names = ["", "database", "outbox", "waymark.testing.v1.NoteService"]

    def statuses() -> list[int]:
        return [stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10).status for name in names]

    def becomes(status: int) -> None:
        eventually(lambda: statuses() == [status] * 4)

    becomes(health_pb2.HealthCheckResponse.SERVING)
    connections.stop()
    becomes(health_pb2.HealthCheckResponse.NOT_SERVING)
    connections.start()
    becomes(health_pb2.HealthCheckResponse.SERVING)


def test_an_old_outbox_row_shows_in_its_own_check_only(served: Served) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with served.app.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO outbox "
                "(id, aggregatetype, aggregateid, type, payload, topic, bucket, created_at) "
                "VALUES (gen_random_uuid(), 'a', 'b', 'c', '', 't', 0, now() - interval '5 minutes')"
            )
        )
    served.server.health.look()
    stub = served.stub(health_pb2_grpc.HealthStub)
    assert stub.Check(health_pb2.HealthCheckRequest(service="outbox")).status == 2
    assert stub.Check(health_pb2.HealthCheckRequest()).status == 1


@pytest.mark.parametrize(
    ("lag", "silent", "expected"), [(5, "1 second", 1), (20_000, "1 second", 2), (5, "5 minutes", 2)]
)
def test_a_consumer_that_is_behind_or_silent_shows_in_its_own_check_only(
    served: Served, lag: int, silent: str, expected: int
) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    keep_lag(served.app.engine, [{"topic": "t", "partition": 0, "lag": 1}])
    keep_lag(served.app.engine, [{"topic": "t", "partition": 0, "lag": lag}])
    with served.app.engine.begin() as connection:
        connection.execute(text(f"UPDATE consumer_lag SET measured_at = now() - interval '{silent}'"))
    served.server.health.look()
    stub = served.stub(health_pb2_grpc.HealthStub)
    assert stub.Check(health_pb2.HealthCheckRequest(service="consumer")).status == expected
    assert stub.Check(health_pb2.HealthCheckRequest()).status == 1


def test_threads_of_a_stopped_server_end(serve: Any, url: str) -> None:
    before = threading.active_count()
    served = serve(notes.DEFINITION, url)
    served.stub(NoteServiceStub).Wait(notes_pb2.WaitRequest())
    served.stop()
    eventually(lambda: threading.active_count() <= before + 3)
