"""One call to one address: the name is resolved and judged here, and what was judged is connected to.

Follows no redirect and uses no proxy.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

from services.platform.outgoing.addresses import AddressRefusedError, Reach, judged, port_of

CONNECT = 5.0  # seconds


class CallError(Exception):
    """A call that brought no answer, by its code: ADDRESS_REFUSED, UNREACHABLE, TIMEOUT, TLS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def answered(
    reach: Reach,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    silence: float,
    seconds: float,
) -> Iterator[HTTPResponse]:
    """Calls, and yields the answer while its body can be read by `read1`.

    `silence`: seconds without a byte, `seconds` in all, after which it is a TIMEOUT, however the other side
    spreads its bytes. Raises CallError, also for what is read in the block.
    """
    cut = threading.Event()
    try:
        with _socket(reach, url, seconds, cut) as plugged:
            plugged.settimeout(silence)
            with closing(_response(plugged, method, url, headers, body)) as response:
                yield response
        if cut.is_set():
            raise CallError("TIMEOUT")  # what was read may have seemed to be the end
    except AddressRefusedError:
        raise CallError("ADDRESS_REFUSED") from None
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise CallError("TIMEOUT" if cut.is_set() else _code(error)) from error


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "TIMEOUT"
    return "TLS" if isinstance(error, ssl.SSLError) else "UNREACHABLE"


def _response(
    plugged: socket.socket, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> HTTPResponse:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", port_of(parts))
    connection.sock = plugged
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body, {"host": parts.netloc, "connection": "close", **headers})
    return connection.getresponse()


@contextmanager
def _socket(reach: Reach, url: str, seconds: float, cut: threading.Event) -> Iterator[socket.socket]:
    """A connection that a clock ends after so many seconds, wherever its caller waits then."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", port_of(parts)
    plain = socket.create_connection((str(judged(host, port, reach)), port), timeout=CONNECT)
    plugs = [plain]

    def end() -> None:
        cut.set()
        with suppress(OSError):
            socket.socket.shutdown(plugs[-1], socket.SHUT_RDWR)

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()
    try:
        if parts.scheme == "https":
            plugs.append(_tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False))
            plugs[-1].do_handshake()  # type: ignore[attr-defined]
        yield plugs[-1]
    finally:
        clock.cancel()
        plugs[-1].close()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
