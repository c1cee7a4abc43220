"""Where a call may lead: to the public internet, and to hosts inside that a setting names."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}")
PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Reach:
    """How far calls may go. `inside`: hosts, in lower case, that may lead to any address."""

    schemes: tuple[str, ...] = ("https",)
    inside: frozenset[str] = frozenset()

    def takes(self, host: str, address: Address) -> bool:
        """True when a call to `host` may connect to `address`."""
        return host.lower() in self.inside or is_public(address)


class AddressRefusedError(Exception):
    """A name leads to an address that calls may not go to."""


def is_public(address: Address) -> bool:
    """True for addresses of the public internet that lead to no other one."""
    # Mapped and translated ones (::ffff:0:0/96, 64:ff9b::/96) are reserved; these hold an IPv4 address too.
    if isinstance(address, ipaddress.IPv6Address) and (
        address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def url_problem(url: str, reach: Reach) -> str:
    """Returns what is wrong with an address to call; empty when nothing is. Asks no name server."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in reach.schemes:
        return f"must begin with {' or '.join(scheme + '://' for scheme in reach.schemes)}"
    if not parts.hostname or any(letter.isspace() or ord(letter) < 32 for letter in url):
        return "must have a host and no blanks"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must have no user, password or fragment"
    return _host_problem(parts, reach)


def _host_problem(parts: SplitResult, reach: Reach) -> str:
    host = (parts.hostname or "").rstrip(".")
    if host in reach.inside:
        return ""
    try:
        return "" if is_public(ipaddress.ip_address(host)) else "must be a public address"
    except ValueError:
        public = _NAME.fullmatch(host) and not host.endswith(_LOCAL_NAMES)
        return "" if public else "must have a public host name"


def port_of(parts: SplitResult) -> int:
    """Returns the port that an address of http or https leads to."""
    return parts.port or PORTS[parts.scheme]


def judged(host: str, port: int, reach: Reach) -> Address:
    """Resolves a name and returns the address to connect to: that one and no other was judged.

    Raises AddressRefusedError when any of its addresses is not to be called (a name that leads inside as well
    is not one to talk to), OSError or UnicodeError when there is none.
    """
    found = resolved(host, port)
    if not found or not all(reach.takes(host, address) for address in found):
        raise AddressRefusedError(host)
    return found[0]


def resolved(host: str, port: int) -> list[Address]:
    """Returns the addresses that a name leads to; raises OSError, UnicodeError for what cannot be a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]
