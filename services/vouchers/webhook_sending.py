"""One message to one address: the name is resolved and judged here, and what was judged is connected to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError

from services.vouchers.domain.webhooks import Address, may_connect

CONNECT, ANSWER = 5.0, 10.0  # seconds


class Outcome(NamedTuple):
    """What came of an attempt. `status`: of HTTP, 0 when no answer came; `error`: a code, empty for 2xx."""

    status: int
    error: str


def send(url: str, headers: Mapping[str, str], body: bytes, *, development: bool) -> Outcome:
    """POSTs a message; follows no redirect, uses no proxy and reads no answer beyond its status."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        found = _resolved(host, port)
    except (OSError, UnicodeError):  # the latter for what cannot be a name
        return Outcome(0, "UNREACHABLE")
    # All of them: a name that leads inside as well is not one to talk to.
    if not found or not all(may_connect(address, development=development) for address in found):
        return Outcome(0, "ADDRESS_REFUSED")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool = _pool(str(found[0]), port, host if secure else "")
    try:
        status = _post(pool, path, {**headers, "host": parts.netloc, "connection": "close"}, body)
    except NewConnectionError:  # a kind of timeout to its library
        return Outcome(0, "UNREACHABLE")
    except TimeoutError:
        return Outcome(0, "TIMEOUT")
    except SSLError:
        return Outcome(0, "TLS")
    except (HTTPError, OSError):
        return Outcome(0, "UNREACHABLE")
    finally:
        pool.close()
    if 200 <= status < 300:
        return Outcome(status, "")
    return Outcome(status, "REDIRECT" if 300 <= status < 400 else "STATUS")


def _post(pool: urllib3.HTTPConnectionPool, path: str, headers: Mapping[str, str], body: bytes) -> int:
    answer = pool.urlopen(
        "POST",
        path,
        body=body,
        headers=headers,
        retries=False,
        redirect=False,
        assert_same_host=False,
        preload_content=False,
    )
    answer.close()
    return answer.status


def _resolved(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


def _pool(address: str, port: int, name: str) -> urllib3.HTTPConnectionPool:
    """Returns connections to `address`; with TLS when the certificate must be for `name`."""
    timeout = urllib3.Timeout(connect=CONNECT, read=ANSWER)
    if not name:
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        timeout=timeout,
        ssl_context=_tls(),
        server_hostname=name,
        assert_hostname=name,
    )


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
