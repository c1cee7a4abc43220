"""A server that goes: it says so, answers all it has taken, and loses nothing of it, under load as well."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.integration.platform.rpc.test_calls import rows
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token
from tests.support.waiting import eventually

CALLERS = 6
HOLD = 0.2  # seconds that a call takes, and its thread with it


@pytest.fixture
def served(serve: Any, database: Any) -> Served:
    return serve(notes.DEFINITION, database.clone("testing", "2", notes.build).url)


def test_while_it_says_that_it_goes_it_still_takes_calls(served: Served) -> None:
    """A balancer that looks now and then must not meet a closed door first."""
    health = served.stub(health_pb2_grpc.HealthStub)
    fresh = served.stub(NoteServiceStub)
    going = threading.Thread(target=served.server.drain, kwargs={"notice": 3.0})
    going.start()
    eventually(lambda: health.Check(health_pb2.HealthCheckRequest()).status == 2)
    fresh.Wait(notes_pb2.WaitRequest())
    going.join()
    with pytest.raises(grpc.RpcError) as caught:
        fresh.Wait(notes_pb2.WaitRequest())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def answered_under_load(served: Served, grace: float) -> int:
    """Lets callers write without a pause while the server goes; returns how many answers they got."""
    answers: list[Any] = []

    def caller(stub: Any) -> None:
        try:
            while True:
                answers.append(stub.CreateNote(notes_pb2.CreateNoteRequest(text="a", hold=HOLD)))
        except grpc.RpcError:
            pass  # it is gone: what it has answered counts

    stubs = [served.stub(NoteServiceStub, token("learner")) for _ in range(CALLERS)]
    threads = [threading.Thread(target=caller, args=(stub,)) for stub in stubs]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answers) > CALLERS)
    served.server.drain(notice=0.0, grace=grace)
    for thread in threads:
        thread.join()
    return len(answers)


def test_under_load_whatever_was_done_is_answered(served: Served) -> None:
    assert answered_under_load(served, grace=30.0) == rows(served)


def test_control_without_grace_some_is_done_and_not_answered(served: Served) -> None:
    answered = answered_under_load(served, grace=0.0)
    eventually(lambda: rows(served) > answered)
