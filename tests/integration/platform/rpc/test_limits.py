"""What a client may ask of a connection: sizes both ways, pings, and silence; each with a control."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from sqlalchemy import insert

from services.platform.db.ids import new_id
from services.platform.rpc import server
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token

Start = Callable[..., Served]
FOREVER = 2**31 - 1
SILENCE = ("keepalive_time_ms", "http2.ping_timeout_ms")
# Frames of HTTP/2 (RFC 9113): length, type, flags, stream; then what they hold.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
PING = bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + b"whatever"


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
    "request": ("max_receive_message_length", 2 << 20),
    "metadata": ("max_metadata_size", 64 << 10),
    "answer": ("max_send_message_length", 9 << 20),
}


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
@pytest.mark.parametrize("what", LIMITS)
def test_what_is_too_large_is_not_carried(start: Start, what: str, off: bool) -> None:
    option, size = LIMITS[what]
    wider = {"absolute_max_metadata_size": FOREVER} if what == "metadata" else {}
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


def kept(served: Served, text: str) -> str:
    """Keeps a note without asking the server; returns its name."""
    id_ = new_id()
    with served.app.engine.begin() as connection:
        connection.execute(insert(notes.notes).values(id=id_, owner="ada", text=text))
    return f"notes/{id_}"


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_who_pings_like_mad_is_sent_away(start: Start, off: bool) -> None:
    served = start(**({"http2.max_ping_strikes": 0} if off else {}))
    with speaking(served, seconds=2 if off else 30) as peer:
        peer.sendall(PING * 10)
        assert dropped(peer) is not off


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_a_peer_that_answers_no_ping_is_dropped(start: Start, off: bool) -> None:
    """One whose machine is gone: it speaks HTTP/2 for a moment and never says a word again."""
    quick = {name: dict(server._OPTIONS)[f"grpc.{name}"] // 50 for name in SILENCE}
    served = start(**(quick | {"http2.ping_timeout_ms": FOREVER} if off else quick))
    with speaking(served, seconds=3 if off else 30) as peer:
        assert dropped(peer) is not off


def speaking(served: Served, seconds: float) -> socket.socket:
    """A connection that has begun to speak HTTP/2, with a limit on each wait."""
    host, _, port = served.address.partition(":")
    peer = socket.create_connection((host, int(port)), timeout=seconds)
    peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
    return peer


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
