"""What a client may ask of a connection: sizes both ways, pings, and silence; each with a control."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import insert

from services.platform.db.ids import new_id
from services.platform.rpc import body, server
from tests.support import http2, notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.refusals import reason_of
from tests.support.servers import Served, token

Start = Callable[..., Served]
FOREVER = 2**31 - 1
ERRORS = Path(__file__).parents[4] / "docs" / "errors.md"
AGES = ("max_connection_age_ms", "max_connection_age_grace_ms")
SILENCE = ("keepalive_time_ms", "http2.ping_timeout_ms")


@pytest.fixture
def start(serve: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a server with some of its options changed."""

    def begin(**changed: int) -> Served:
        options = dict(server._OPTIONS) | {f"grpc.{name}": value for name, value in changed.items()}
        monkeypatch.setattr(server, "_OPTIONS", tuple(options.items()))
        return serve(notes.DEFINITION, database.clone("testing", "2", notes.build).url)

    return begin


def code_of(call: Callable[[], object]) -> grpc.StatusCode:
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


LIMITS = {
    "request": ("max_receive_message_length", 5 << 20),
    "metadata": ("max_metadata_size", 64 << 10),
    "answer": ("max_send_message_length", 9 << 20),
}


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
@pytest.mark.parametrize("what", LIMITS)
def test_what_is_too_large_is_not_carried(
    start: Start, monkeypatch: pytest.MonkeyPatch, what: str, off: bool
) -> None:
    option, size = LIMITS[what]
    wider = {"absolute_max_metadata_size": FOREVER} if what == "metadata" else {}
    monkeypatch.setattr(body, "MAX_REQUEST", FOREVER)  # whose guard is another test's
    served = start(**({option: FOREVER} | wider if off else {}))
    anything = {"grpc.max_receive_message_length": -1}
    with grpc.insecure_channel(served.address, options=list(anything.items())) as channel:
        stub, large = NoteServiceStub(channel), "x" * size
        bearer = [("authorization", f"Bearer {token('auditor', 'learner')}")]
        calls = {
            "request": lambda: stub.CreateNote(
                notes_pb2.CreateNoteRequest(text=large), metadata=bearer, timeout=60
            ),
            "metadata": lambda: stub.Wait(notes_pb2.WaitRequest(), metadata=[("large", large)], timeout=60),
            "answer": lambda: stub.GetNote(
                notes_pb2.GetNoteRequest(name=kept(served, large)), metadata=bearer, timeout=60
            ),
        }
        code = code_of(calls[what])
    assert (code is grpc.StatusCode.RESOURCE_EXHAUSTED) is not off


def test_what_grpc_itself_refuses_has_no_reason_as_the_errors_document_says(start: Start) -> None:
    stub = start().stub(NoteServiceStub, token("learner"))
    with pytest.raises(grpc.RpcError) as raised:
        stub.CreateNote(notes_pb2.CreateNoteRequest(text="x" * (body.MAX_RECEIVED + 1)), timeout=60)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not [name for name, _ in raised.value.trailing_metadata() if name == "grpc-status-details-bin"]
    assert f"more than {body.MAX_RECEIVED >> 20} MiB" in ERRORS.read_text()


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_a_request_that_is_carried_and_too_large_is_refused_with_its_reason(
    start: Start, monkeypatch: pytest.MonkeyPatch, off: bool
) -> None:
    if off:
        monkeypatch.setattr(body, "MAX_REQUEST", FOREVER)
    stub = start().stub(NoteServiceStub, token("learner"))
    with pytest.raises(grpc.RpcError) as raised:
        stub.CreateNote(notes_pb2.CreateNoteRequest(text="x" * (1 << 20)), timeout=60)
    # Without it the next one looks at the fields of what has been taken in.
    assert reason_of(raised.value) == ("INVALID_ARGUMENT" if off else "REQUEST_TOO_LARGE")


def kept(served: Served, text: str) -> str:
    """Keeps a note without asking the server; returns its name."""
    id_ = new_id()
    with served.app.engine.begin() as connection:
        connection.execute(insert(notes.notes).values(id=id_, owner="ada", text=text))
    return f"notes/{id_}"


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_who_pings_like_mad_is_sent_away(start: Start, off: bool) -> None:
    served = start(**({"http2.max_ping_strikes": 0} if off else {}))
    with http2.speaking(served.address, seconds=2 if off else 30) as peer:
        peer.sendall(http2.frame(http2.PING, b"whatever") * 10)
        assert dropped(peer) is not off


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_a_peer_that_answers_no_ping_is_dropped(start: Start, off: bool) -> None:
    """One whose machine is gone: it speaks HTTP/2 for a moment and never says a word again."""
    quick = {name: dict(server._OPTIONS)[f"grpc.{name}"] // 50 for name in SILENCE}
    served = start(**(quick | {"http2.ping_timeout_ms": FOREVER} if off else quick))
    with http2.speaking(served.address, seconds=3 if off else 30) as peer:
        assert dropped(peer) is not off


@pytest.mark.parametrize(("most", "taken"), [(2, False), (3, True)], ids=["guard", "control"])
def test_a_connection_carries_only_so_many_calls_at_once(start: Start, most: int, taken: bool) -> None:
    """Of a peer that opens a third one whatever it was told."""
    served = start(max_concurrent_streams=most)
    with http2.speaking(served.address, seconds=2 if taken else 30) as peer:
        http2.read(peer)  # what it is told
        peer.sendall(http2.frame(http2.SETTINGS, flags=1))  # and says to have understood
        calls = (http2.request(stream, "/testing.v1.NoteService/Wait") for stream in (1, 3, 5))
        peer.sendall(b"".join(calls))
        assert http2.refused(peer) == (0 if taken else 5)


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_an_old_connection_is_taken_leave_of(start: Start, off: bool) -> None:
    """So that a balancer's long-lived ones spread over processes that were started later."""
    young = dict(server._OPTIONS)["grpc.max_connection_age_ms"] // 600
    served = start(max_connection_age_ms=FOREVER if off else young)
    with http2.speaking(served.address, seconds=3 if off else 30) as peer:
        assert dropped(peer) is not off


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_calls_on_an_old_connection_have_a_while_to_end(start: Start, off: bool) -> None:
    ages = {name: dict(server._OPTIONS)[f"grpc.{name}"] // 200 for name in AGES}  # 1.5 s, 3.3 s
    served = start(**(ages | {"max_connection_age_grace_ms": FOREVER} if off else ages))
    stub = served.stub(NoteServiceStub, token("auditor", "learner"))
    calls = [stub.Wait.future(notes_pb2.WaitRequest(seconds=seconds), timeout=30) for seconds in (2.5, 8)]
    within, beyond = (call.code() for call in calls)
    assert within is grpc.StatusCode.OK
    assert (beyond is grpc.StatusCode.OK) is off


def dropped(peer: socket.socket) -> bool:
    """Reads without an answer until the other end hangs up; False when it only falls silent."""
    try:
        while peer.recv(4096):
            continue
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True
