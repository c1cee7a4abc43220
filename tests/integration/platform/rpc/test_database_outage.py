"""A real PostgreSQL stopped, frozen and started again below a server that stays up."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.platform.db.roles import create_service_database
from services.platform.rpc import health
from tests.integration.platform.rpc.test_calls import refused
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.own_part import OwnPart
from tests.support.servers import Served, token
from tests.support.waiting import eventually

pytestmark = pytest.mark.fault
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Outage(OwnPart):
    """A PostgreSQL server of this test's own."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        server = Postgres(folder / "postgres", free_port(), durable=False)
        super().__init__(server, folder / "postgres.log")
        self.url = create_service_database(server.url(), "testing", "only-for-tests")
        notes.build(self.url)

    def signal(self, number: signal.Signals) -> None:
        """To the server and every one of its processes."""
        parent = psutil.Process(self.process.pid)
        for member in [parent, *parent.children(recursive=True)]:
            member.send_signal(number)


@pytest.fixture
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    made = Outage(tmp_path_factory.mktemp("outage"))
    yield made
    made.stop()


@pytest.fixture
def served(serve: Any, outage: Outage) -> Served:
    return serve(notes.DEFINITION, outage.url)


def status(served: Served) -> int:
    stub = served.stub(health_pb2_grpc.HealthStub)
    return int(stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status)


def test_stopped_means_unavailable_within_a_second_and_started_means_served(
    served: Served, outage: Outage
) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    for _ in range(5):
        stub.CreateNote(notes_pb2.CreateNoteRequest(text="before"))
    outage.stop()
    for _ in range(6):
        started = time.monotonic()
        assert refused(stub.CreateNote, notes_pb2.CreateNoteRequest(text="a"))[0] is (
            grpc.StatusCode.UNAVAILABLE
        )
        assert time.monotonic() - started < 1
    eventually(lambda: status(served) == NOT_SERVING)
    outage.start()
    eventually(lambda: status(served) == SERVING)
    for _ in range(6):
        assert stub.CreateNote(notes_pb2.CreateNoteRequest(text="after")).name


def test_a_frozen_database_shows_in_health_and_passes(
    served: Served, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.5)
    stub = served.stub(NoteServiceStub, token("learner"))
    stub.CreateNote(notes_pb2.CreateNoteRequest(text="before"))
    outage.signal(signal.SIGSTOP)
    try:
        eventually(lambda: status(served) == NOT_SERVING)
        with pytest.raises(grpc.RpcError) as caught:
            stub.CreateNote(notes_pb2.CreateNoteRequest(text="a"), timeout=0.5)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        outage.signal(signal.SIGCONT)
    eventually(lambda: status(served) == SERVING)
    assert stub.CreateNote(notes_pb2.CreateNoteRequest(text="after")).name


def test_control_without_the_watch_a_frozen_database_goes_unseen(
    serve: Any, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.5)
    monkeypatch.setattr(health.Health, "_watch", lambda self: None)
    unwatched = serve(notes.DEFINITION, outage.url)
    assert status(unwatched) == SERVING
    outage.signal(signal.SIGSTOP)
    try:
        time.sleep(6)  # twelve times the patience; the question waits for an answer that does not come
        assert status(unwatched) == SERVING
    finally:
        outage.signal(signal.SIGCONT)


def calls_to_a_frozen_database(serve: Any, outage: Outage, *, shed: bool) -> list[grpc.StatusCode]:
    """How each of many calls ends that come while the database is frozen, each with three seconds."""
    served = serve(notes.DEFINITION, outage.url, environ={"WAYMARK_THREADS": "2"}, shed=shed)
    stub = served.stub(NoteServiceStub, token("learner"))
    stub.CreateNote(notes_pb2.CreateNoteRequest(text="before"))
    outage.signal(signal.SIGSTOP)
    try:
        request = notes_pb2.CreateNoteRequest(text="a")
        calls = [stub.CreateNote.future(request, timeout=3) for _ in range(40)]
        return [call.code() for call in calls]  # waits for each
    finally:
        outage.signal(signal.SIGCONT)


def test_calls_beyond_what_a_frozen_database_holds_are_refused_at_once(serve: Any, outage: Outage) -> None:
    codes = calls_to_a_frozen_database(serve, outage, shed=True)
    assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 20
    assert grpc.StatusCode.OK not in codes


def test_control_without_shedding_they_hang_until_their_deadline(serve: Any, outage: Outage) -> None:
    codes = calls_to_a_frozen_database(serve, outage, shed=False)
    assert grpc.StatusCode.RESOURCE_EXHAUSTED not in codes
    assert codes.count(grpc.StatusCode.DEADLINE_EXCEEDED) >= 20
