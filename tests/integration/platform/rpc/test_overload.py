"""Five times the load a server can take: the excess is refused at once, the rest keeps its latency."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY
from waymark.edge.v1 import admission_pb2, admission_pb2_grpc

from services.platform.rpc import streams
from tests.integration.platform.rpc.test_calls import details_of
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token
from tests.support.waiting import eventually

THREADS = 2
WORK = 0.15  # seconds per call: the server can do 13 a second, also on a slow machine
CALLERS = 40
WAIT = CALLERS * WORK / THREADS  # seconds for an answer when everybody queues
SECONDS = 1.5 * WAIT


class Outcome(NamedTuple):
    accepted: list[float]
    refused: list[float]
    last_refusal: Any


@pytest.fixture
def url(database: Any) -> str:
    return str(database.clone("testing", "2", notes.build).url)


def overload(served: Served, work: float = WORK) -> Outcome:
    """Lets many callers ask again and again for `work` seconds; returns the latencies of both kinds of
    answers."""
    outcome = Outcome([], [], [])
    end = time.monotonic() + SECONDS

    def caller(stub: Any) -> None:
        while time.monotonic() < end:
            started = time.monotonic()
            try:
                stub.Wait(notes_pb2.WaitRequest(seconds=work), timeout=60)
                outcome.accepted.append(time.monotonic() - started)
            except grpc.RpcError as error:
                outcome.refused.append(time.monotonic() - started)
                outcome.last_refusal.append(error)
                time.sleep(0.25)  # what RetryInfo asks for

    stub = served.stub(NoteServiceStub)
    threads = [threading.Thread(target=caller, args=(stub,)) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def shed() -> float:
    """How many calls this process has counted as refused under overload."""
    return REGISTRY.get_sample_value("waymark_rpc_shed_total") or 0.0


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_the_excess_is_refused_at_once_with_a_hint(serve: Any, url: str) -> None:
    counted = shed()
    served = serve(notes.DEFINITION, url, environ={"WAYMARK_THREADS": str(THREADS)}, shed=True)
    outcome = overload(served)
    assert outcome.accepted
    assert outcome.refused
    assert median(outcome.refused) < WAIT / 2
    assert median(outcome.accepted) < WAIT / 2
    details = details_of(outcome.last_refusal[-1])
    assert outcome.last_refusal[-1].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details["ErrorInfo"].reason == "OVERLOADED"
    assert details["RetryInfo"].retry_delay.ToTimedelta().total_seconds() > 0
    assert shed() - counted == len(outcome.refused)
    eventually(lambda: not served.server.load.busy)  # a call is counted until just after its answer


def test_control_without_shedding_everybody_waits(serve: Any, url: str) -> None:
    served = serve(notes.DEFINITION, url, environ={"WAYMARK_THREADS": str(THREADS)}, shed=False)
    outcome = overload(served)
    assert not outcome.refused
    assert median(outcome.accepted) > WAIT / 2


# Calls so slow that the places of the queue alone let the last of them wait for seconds.
SLOW = 0.5


def test_slow_calls_are_refused_before_those_that_wait_are_many(serve: Any, url: str) -> None:
    served = serve(notes.DEFINITION, url, environ={"WAYMARK_THREADS": str(THREADS)}, shed=True)
    outcome = overload(served, SLOW)
    assert outcome.refused
    assert median(outcome.accepted) < 2.5 * SLOW


def test_control_by_the_places_of_the_queue_alone_slow_calls_wait_long(serve: Any, url: str) -> None:
    served = serve(
        notes.DEFINITION, url, environ={"WAYMARK_THREADS": str(THREADS)}, patience=float("inf"), shed=True
    )
    outcome = overload(served, SLOW)
    assert outcome.refused
    assert median(outcome.accepted) > 3 * SLOW


def test_health_and_the_edge_are_answered_while_every_worker_is_taken(serve: Any, url: str) -> None:
    asked: list[tuple[str, str]] = []
    definition = replace(notes.DEFINITION, admits=lambda app: lambda *call: asked.append(call))
    served = serve(definition, url, environ={"WAYMARK_THREADS": "1"}, queue=0, shed=True)
    busy = served.stub(NoteServiceStub).Wait.future(notes_pb2.WaitRequest(seconds=4))
    eventually(lambda: served.server.load.busy == 1)
    health = served.stub(health_pb2_grpc.HealthStub)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    about = admission_pb2.CheckRequest()
    about.attributes.request.http.path = "/waymark.notes.v1.NoteService/Wait"
    assert served.stub(admission_pb2_grpc.AuthorizationStub).Check(about).status.code == 0
    assert asked == [("", "/waymark.notes.v1.NoteService/Wait")]
    assert not busy.done()
    busy.result()


def test_a_call_that_was_queued_past_its_deadline_is_not_begun(serve: Any, url: str) -> None:
    served = serve(notes.DEFINITION, url, environ={"WAYMARK_THREADS": "1"}, shed=True)
    stub = served.stub(NoteServiceStub)
    busy = stub.Wait.future(notes_pb2.WaitRequest(seconds=2))
    eventually(lambda: served.server.load.busy == 1)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Wait(notes_pb2.WaitRequest(seconds=20), timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    busy.result()
    stub.Wait(notes_pb2.WaitRequest(), timeout=15)  # the only worker is free


def code_of(stream: Any) -> grpc.StatusCode:
    try:
        list(stream())
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("slow", [True, False], ids=["slow", "control"])
def test_a_stream_that_nobody_reads_gives_its_place_to_the_next(
    serve: Any, url: str, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    monkeypatch.setattr(streams, "WAITED", 0.5 if slow else 60)
    served = serve(notes.DEFINITION, url, environ={"WAYMARK_THREADS": "4"}, shed=True)  # one place
    large = notes_pb2.ListNotesRequest(count=100, size=1 << 20)
    unread = served.stub(NoteServiceStub, token("learner")).ListNotes(large, timeout=60)
    next(unread)
    few = partial(
        served.stub(NoteServiceStub, token("learner")).ListNotes, notes_pb2.ListNotesRequest(count=3)
    )
    assert code_of(few) is grpc.StatusCode.RESOURCE_EXHAUSTED
    time.sleep(0.7)
    assert code_of(few) is (grpc.StatusCode.OK if slow else grpc.StatusCode.RESOURCE_EXHAUSTED)
    if slow:
        with pytest.raises(grpc.RpcError) as caught:
            list(unread)
        assert caught.value.code() is grpc.StatusCode.CANCELLED
    else:
        unread.cancel()
    eventually(lambda: not served.server.load.busy)  # and its thread is free
