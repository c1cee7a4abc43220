"""A malware scan by ClamAV's daemon: its INSTREAM command over TCP or a local socket, and no more of it.

The daemon answers each session with one line. It says that a stream is longer than it takes (StreamMaxLength)
while the stream is still being sent, and hangs up.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from enum import Enum
from typing import NamedTuple

CONNECT = 2.0  # seconds
SILENCE = 60.0  # seconds without a byte going either way
MAX_REPLY = 4096  # bytes
MAX_NAME = 200  # characters of what was found
PIECE = 1024 * 1024  # bytes sent at once, at most


class ScannerError(Exception):
    """The scanner cannot be reached, takes too long, or answers what it should not."""


class Found(Enum):
    """What a scan comes to."""

    NOTHING = "OK"
    MALWARE = "FOUND"
    TOO_LARGE = "TOO_LARGE"


class Verdict(NamedTuple):
    """What was found, and the scanner's name for it where that is malware."""

    found: Found
    name: str = ""


class Clamd:
    """The scanner at `address`: `host:port`, or the path of a socket. Opens a connection for each scan."""

    def __init__(self, address: str) -> None:
        self._address = address

    def answers(self) -> bool:
        """True when the scanner is there."""
        try:
            with self._session(CONNECT) as session:
                return session.ask(b"zPING\0", ()) == "PONG"
        except ScannerError:
            return False

    def scan(self, chunks: Iterable[bytes], seconds: float) -> Verdict:
        """Scans a stream in at most so many seconds; raises ScannerError, and whatever `chunks` raises."""
        with self._session(seconds) as session:
            reply = session.ask(b"zINSTREAM\0", _framed(chunks))
        return _verdict(reply)

    @contextmanager
    def _session(self, seconds: float) -> Iterator[_Session]:
        try:
            plugged = self._connect(min(CONNECT, seconds))
        except OSError as error:
            raise ScannerError(str(error)) from error
        with closing(plugged):
            yield _Session(plugged, seconds)

    def _connect(self, seconds: float) -> socket.socket:
        if not self._address.startswith("/"):
            host, _, port = self._address.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), seconds)
        plugged = socket.socket(socket.AF_UNIX)
        plugged.settimeout(seconds)
        try:
            plugged.connect(self._address)
        except OSError:
            plugged.close()
            raise
        return plugged


class _Session:
    """One command and its answer within some seconds."""

    def __init__(self, plugged: socket.socket, seconds: float) -> None:
        self._socket = plugged
        self._end = time.monotonic() + seconds

    def ask(self, command: bytes, pieces: Iterable[bytes]) -> str:
        """Sends a command and what belongs to it, and returns the answer, which may come before the end."""
        self._send(command)
        for piece in pieces:
            if select.select([self._socket], [], [], 0)[0] or not self._send(piece):
                break
        try:
            return self._reply()
        except OSError as error:
            raise ScannerError(str(error)) from error

    def _send(self, piece: bytes) -> bool:
        """False: the scanner hung up, maybe with a word before it."""
        self._wait()
        try:
            self._socket.sendall(piece)
        except TimeoutError as error:
            raise ScannerError("takes nothing more") from error
        except OSError:
            return False
        return True

    def _reply(self) -> str:
        reply = b""
        while b"\0" not in reply and len(reply) < MAX_REPLY:
            self._wait()
            if not (part := self._socket.recv(MAX_REPLY)):
                break
            reply += part
        return reply.split(b"\0")[0].decode(errors="replace").strip()

    def _wait(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise ScannerError("takes too long")
        self._socket.settimeout(min(SILENCE, left))


def _framed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields a stream as the protocol has it: each piece behind its length, and a length of none."""
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            piece = chunk[start : start + PIECE]
            yield struct.pack("!I", len(piece)) + piece
    yield struct.pack("!I", 0)


def _verdict(reply: str) -> Verdict:
    if reply == "stream: OK":
        return Verdict(Found.NOTHING)
    if reply.startswith("stream: ") and reply.endswith(" FOUND"):
        return Verdict(Found.MALWARE, reply[len("stream: ") : -len(" FOUND")][:MAX_NAME])
    if "size limit exceeded" in reply:
        return Verdict(Found.TOO_LARGE)
    raise ScannerError(f"answers {reply[:MAX_NAME]!r}")
