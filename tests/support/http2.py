"""Frames of HTTP/2 (RFC 9113) for tests of what a peer may ask that keeps to nothing."""

from __future__ import annotations

import socket
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, PING = 1, 3, 4, 6
END_HEADERS = 4
REFUSED_STREAM = (7).to_bytes(4)


class Frame(NamedTuple):
    """A frame as it came."""

    kind: int
    stream: int
    body: bytes


def frame(kind: int, body: bytes = b"", *, stream: int = 0, flags: int = 0) -> bytes:
    """Returns a frame as it is sent."""
    return len(body).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + body


def speaking(address: str, seconds: float) -> socket.socket:
    """Returns a connection that has begun to speak HTTP/2, with a limit on each wait."""
    host, _, port = address.partition(":")
    peer = socket.create_connection((host, int(port)), timeout=seconds)
    peer.sendall(PREFACE + frame(SETTINGS))
    return peer


def request(stream: int, path: str) -> bytes:
    """Returns the head of a call of gRPC whose messages are to come; by HPACK (RFC 7541) without tables."""
    literal = b"".join(
        name + bytes([len(value)]) + value
        for name, value in (
            (b"\x04", path.encode()),
            (b"\x01", b"x"),  # :authority
            (b"\x0f\x10", b"application/grpc"),  # content-type
        )
    )
    return frame(HEADERS, b"\x83\x86" + literal, stream=stream, flags=END_HEADERS)  # POST, http


def read(peer: socket.socket) -> Frame | None:
    """Returns the next frame; None when the other end has hung up, or says nothing within the limit."""
    try:
        head = _exactly(peer, 9)
        return Frame(head[3], int.from_bytes(head[5:]), _exactly(peer, int.from_bytes(head[:3])))
    except (ConnectionError, TimeoutError):
        return None


def refused(peer: socket.socket) -> int:
    """Reads until a stream is refused; returns its number, or 0 when none is within the limit."""
    while (came := read(peer)) is not None:
        if came.kind == RST_STREAM and came.body == REFUSED_STREAM:
            return came.stream
    return 0


def _exactly(peer: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = peer.recv(count - len(found))
        if not more:
            raise ConnectionResetError
        found += more
    return found
