"""A scanner: a real server of the tests that speaks clamd's protocol, over TCP or a local socket."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The test file of the anti-virus industry, in two halves, so that no scanner takes this file for one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass
class Scanner:
    """`address` as the setting has it; `scanned`: sizes of streams taken to their end. `limit`: bytes of a
    stream that are taken. `reply`: said instead of what was found. `held`: cleared, it lets callers wait."""

    address: str = ""
    limit: int = 10**9
    reply: bytes = b""

    def __post_init__(self) -> None:
        self.scanned: list[int] = []
        self.held = threading.Event()
        self.held.set()


@contextmanager
def scanner(socket_path: Path | None = None) -> Iterator[Scanner]:
    """Listens until the block ends; on a local socket when a path is given."""
    found = Scanner()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            command = _until_nul(self.rfile)
            found.held.wait(30)
            with suppress(_HungUpError):
                self.wfile.write(b"PONG\0" if command == b"zPING" else _scanned(found, self.rfile))

    class Tcp(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

    class Local(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    server: Any = Local(str(socket_path), Handler) if socket_path else Tcp(("127.0.0.1", 0), Handler)
    found.address = str(socket_path or f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        found.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _HungUpError(Exception):
    """Who called has gone in the midst of a stream."""


def _exactly(stream: Any, size: int) -> bytes:
    read: bytes = stream.read(size)
    if len(read) < size:
        raise _HungUpError
    return read


def _until_nul(stream: Any) -> bytes:
    read = b""
    while (byte := stream.read(1)) and byte != b"\0":
        read += byte
    return read


def _scanned(found: Scanner, stream: Any) -> bytes:
    taken = bytearray()
    while size := struct.unpack("!I", _exactly(stream, 4))[0]:
        taken += _exactly(stream, size)
        if len(taken) > found.limit:
            return b"INSTREAM size limit exceeded. ERROR\0"
    found.scanned.append(len(taken))
    return found.reply or (b"stream: Eicar-Signature FOUND\0" if EICAR in taken else b"stream: OK\0")
