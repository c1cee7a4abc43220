"""Callers that cost next to nothing: connections that one thread serves, every byte made beforehand.

For comparisons with something that has no caller at all. A calling library takes a quarter of a small
machine, and would be measured with the service. This one speaks as much of gRPC over HTTP/2 (RFC 9113) as a
benchmark needs: it takes an answer for OK when a message came before the trailers (in a unary call nothing
else brings one), and opens its windows once and for all.

A caller may use several connections in turn, as a balancer does: the system spreads connections over the
processes of a server by chance, and with one each it would be chance whether two callers meet in one process.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.load import Caller

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 4, 6, 7, 8
_END_STREAM = _ACK = 1
_END_HEADERS = 4
_INITIAL_WINDOW = 4  # number of the setting
_WIDEST = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_HEAD = 9  # bytes before a frame's payload


def run(
    callers: Sequence[Caller], gate: Any, results: Any, seconds: float | None, warm: int, timeout: float
) -> None:
    """One client process, for `load.run_load`."""
    lines = [_Line(caller, timeout, repeats=seconds is not None) for caller in callers]
    for line in lines:
        line.warm(warm)
    gate.wait()
    started = time.perf_counter()
    end = started + seconds if seconds else float("inf")
    with selectors.DefaultSelector() as selector:
        for line in lines:
            for connection in line.connections:
                selector.register(connection.socket, selectors.EVENT_READ, (line, connection))
            line.next()
        left = len(lines)
        while left:
            for key, _ in selector.select(timeout):
                line, connection = key.data
                left -= line.go_on(connection, end)
    took = time.perf_counter() - started
    for line in lines:
        for connection in line.connections:
            connection.socket.close()
    errors = Counter({"refused": sum(line.errors for line in lines)})
    latencies = [latency for line in lines for latency in line.latencies]
    results.put((took, latencies, errors, [[moment - started for moment in line.answers] for line in lines]))


class _Line:
    """A caller at work."""

    def __init__(self, caller: Caller, timeout: float, *, repeats: bool) -> None:
        self.connections = [
            _Connection(caller.address, caller.path, caller.metadata, timeout)
            for _ in range(caller.connections)
        ]
        self._turns = cycle(self.connections)
        self._current = next(self._turns)
        self._bodies = caller.bodies
        self._left = iter(cycle(caller.bodies) if repeats else caller.bodies)
        self._started = 0.0
        self.latencies: list[float] = []
        self.answers: list[float] = []  # when
        self.errors = 0

    def warm(self, count: int) -> None:
        """Makes the first calls, which count for nothing."""
        for connection in self.connections:
            for body in self._bodies[:count]:
                connection.send(body)
                while not connection.receive():
                    pass

    def next(self) -> bool:
        """Sends the next body; False when there is none."""
        body = next(self._left, None)
        if body is None:
            return False
        self._started = time.perf_counter()
        self._current = next(self._turns)
        self._current.send(body)
        return True

    def go_on(self, connection: _Connection, end: float) -> bool:
        """Takes what has arrived and sends what is next; True when there is nothing more to do."""
        if not connection.receive():
            return False
        now = time.perf_counter()
        if connection.answered:
            self.latencies.append(now - self._started)
            self.answers.append(now)
        else:
            self.errors += 1
        return now >= end or not self.next()


class _Connection:
    """Calls one method, a call at a time."""

    def __init__(self, address: str, path: str, metadata: Iterable[tuple[str, str]], timeout: float) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        settings = struct.pack("!HI", _INITIAL_WINDOW, _WIDEST)
        window = struct.pack("!I", _WIDEST - _DEFAULT_WINDOW)
        opening = _frame(_SETTINGS, payload=settings) + _frame(_WINDOW_UPDATE, payload=window)
        self.socket.sendall(_PREFACE + opening)
        fields = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": address,
            "te": "trailers",
            "content-type": "application/grpc",
            "grpc-timeout": f"{int(timeout * 1000)}m",
            **dict(metadata),
        }
        self._headers = b"".join(_field(name, value) for name, value in fields.items())
        self._stream = -1
        self._received = bytearray()
        self.answered = False  # whether the last call brought a message

    def send(self, message: bytes) -> None:
        """Starts the next call."""
        self._stream += 2
        self.answered = False
        body = b"\x00" + struct.pack("!I", len(message)) + message
        self.socket.sendall(
            _frame(_HEADERS, _END_HEADERS, self._stream, self._headers)
            + _frame(_DATA, _END_STREAM, self._stream, body)
        )

    def receive(self) -> bool:
        """Waits for something and reads what is there; True when the call has ended. Raises ConnectionError
        when the server goes away."""
        read = self.socket.recv(1 << 18)
        if not read:
            raise ConnectionError("the server closed the connection")
        self._received += read
        ended = False
        while len(self._received) >= _HEAD:
            end = _HEAD + int.from_bytes(self._received[:3], "big")
            if len(self._received) < end:
                break
            kind, flags, payload = self._received[3], self._received[4], bytes(self._received[_HEAD:end])
            del self._received[:end]
            ended |= self._take(kind, flags, payload)
        return ended

    def _take(self, kind: int, flags: int, payload: bytes) -> bool:
        if kind == _GOAWAY:
            raise ConnectionError("the server goes away")
        if kind in (_SETTINGS, _PING) and not flags & _ACK:
            self.socket.sendall(_frame(kind, _ACK, payload=payload if kind == _PING else b""))
        self.answered |= kind == _DATA
        return kind in (_DATA, _HEADERS) and bool(flags & _END_STREAM)


def _frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + struct.pack("!I", stream) + payload


def _field(name: str, value: str) -> bytes:
    """A header that is written out and not indexed (HPACK, RFC 7541, 6.2.2)."""
    return b"\x00" + _text(name.encode()) + _text(value.encode())


def _text(value: bytes) -> bytes:
    left = len(value)
    if left < 127:
        return bytes((left,)) + value
    length, left = bytes((127,)), left - 127
    while left >= 128:
        length, left = length + bytes((left % 128 + 128,)), left // 128
    return length + bytes((left,)) + value
