"""Calls that share a thread, over the wire: none of them can hold the others up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from waymark.vouchers.v1 import redemption_pb2, redemption_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.rpc import pool
from services.vouchers.service import DEFINITION
from tests.support.servers import Served, token
from tests.support.waiting import eventually

METHOD = "/waymark.vouchers.v1.RedemptionService/AuthoriseRedemption"


@pytest.fixture
def served(serve: Any, database: Any) -> Served:
    return serve(DEFINITION, database("vouchers").url)


def authorise(served: Served) -> grpc.StatusCode:
    """Asks for a redemption that is not there."""
    stub: Any = served.stub(redemption_pb2_grpc.RedemptionServiceStub, token("learner"))
    request = redemption_pb2.AuthoriseRedemptionRequest(name=f"redemptions/{new_id()}", request_id=new_id())
    with pytest.raises(grpc.RpcError) as caught:
        stub.AuthoriseRedemption(request, timeout=2)
    return caught.value.code()


def beside_a_silent_caller(served: Served) -> grpc.StatusCode:
    """Calls while another has begun the same call and never says what it asks for."""
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(60)
        yield from ()

    with grpc.insecure_channel(served.address) as channel:
        silent: Any = channel.stream_unary(METHOD).future(nothing())
        eventually(lambda: served.server.load.busy == 1)
        try:
            return authorise(served)
        finally:
            ended.set()
            silent.cancel()


def test_one_who_never_sends_the_request_holds_nobody_up(served: Served) -> None:
    assert beside_a_silent_caller(served) is grpc.StatusCode.NOT_FOUND
    eventually(lambda: served.server.load.busy == 0)  # and leaves with its connection


def test_control_with_the_waiting_of_grpc_itself_all_wait(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PatientCondition", lambda _: threading.Condition())
    assert beside_a_silent_caller(served) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_call_without_a_request_id_is_answered_aside(served: Served) -> None:
    stub: Any = served.stub(redemption_pb2_grpc.RedemptionServiceStub, token("learner"))
    with pytest.raises(grpc.RpcError) as caught:
        stub.AuthoriseRedemption(redemption_pb2.AuthoriseRedemptionRequest(name=f"redemptions/{new_id()}"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
