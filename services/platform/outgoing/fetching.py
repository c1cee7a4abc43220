"""Fetches what an address of a partner holds: redirects are judged anew, sizes and times are bounded, and
failures that pass are tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from random import Random
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

from services.platform.outgoing.addresses import Reach, port_of, url_problem
from services.platform.outgoing.calling import CallError, answered
from services.platform.outgoing.inflating import BodyError, Inflated

REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (429, 500, 502, 503, 504)
_PIECE = 1 << 16  # bytes read at once
AGENT = "Waymark-Feeds/1"
_jitter = Random()  # noqa: S311 - spreads attempts, guards nothing


@dataclass(frozen=True)
class Limits:
    """What one fetch may cost: bytes as they are kept, bytes for each byte that came, seconds in all and
    without a byte, tries, redirects."""

    size: int = 512 << 20
    ratio: int = 100
    seconds: float = 600.0
    silence: float = 20.0
    tries: int = 4
    redirects: int = 5


LIMITS = Limits()


@dataclass(frozen=True)
class Wanted:
    """What to ask for. `secret` headers go to the origin of `url` alone, and not over plain http, unless that
    lies inside; with a `body` it is a POST, which follows no redirect."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """What came: 200, or 304 for what is as it was; headers by their names in lower case."""

    status: int
    headers: Mapping[str, str]


class FetchError(Exception):
    """Nothing of use came. `code`: see docs/feeds.md; `status` of HTTP, 0 when no answer came."""

    def __init__(self, code: str, status: int = 0, wait: float | None = None) -> None:
        super().__init__(f"{code} {status}" if status else code)
        self.code = code
        self.status = status
        self.wait = wait  # seconds that the other side asks for

    @property
    def passing(self) -> bool:
        """True when it may be different a little later."""
        return self.code in ("UNREACHABLE", "TIMEOUT", "TRUNCATED") or self.status in PASSING


def fetch(
    wanted: Wanted,
    into: BinaryIO,
    reach: Reach,
    limits: Limits = LIMITS,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Writes the body into an empty file and returns the answer; raises FetchError."""
    end = time.monotonic() + limits.seconds
    for attempt in range(1, limits.tries + 1):
        try:
            into.seek(0)
            into.truncate()
            return _followed(wanted, into, reach, limits, end)
        except FetchError as error:
            wait = error.wait if error.wait is not None else 0.5 * 2**attempt * (1 + _jitter.random() / 5)
            if not error.passing or attempt == limits.tries or time.monotonic() + wait > end:
                raise
            pause(wait)
    raise AssertionError("the last try returns or raises")


def _followed(wanted: Wanted, into: BinaryIO, reach: Reach, limits: Limits, end: float) -> Answer:
    url = wanted.url
    for _ in range(limits.redirects + 1):
        if url_problem(url, reach):
            raise FetchError("ADDRESS_REFUSED")
        headers = {
            "user-agent": AGENT,
            "accept-encoding": "gzip",
            **wanted.headers,
            **_secrets(wanted, url, reach),
        }
        method, left = "GET" if wanted.body is None else "POST", max(0.0, end - time.monotonic())
        try:
            with answered(
                reach, method, url, headers, wanted.body, silence=limits.silence, seconds=left
            ) as response:
                if response.status not in REDIRECTS or wanted.body is not None:
                    return _taken(response, into, limits)
                url = _target(url, response.getheader("location") or "")
        except CallError as error:
            raise FetchError(error.code) from error
    raise FetchError("REDIRECTS_TOO_MANY")


def _secrets(wanted: Wanted, url: str, reach: Reach) -> Mapping[str, str]:
    first, now = urlsplit(wanted.url), urlsplit(url)
    safe = now.scheme == "https" or (now.hostname or "") in reach.inside
    return wanted.secret if safe and _origin(first) == _origin(now) else {}


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", port_of(parts)


def _target(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" != urlsplit(target).scheme:
        raise FetchError("ADDRESS_REFUSED")  # no step back from an encrypted connection
    return target


def _taken(response: HTTPResponse, into: BinaryIO, limits: Limits) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if response.status == 304:
        return Answer(304, headers)
    if response.status != 200:
        raise FetchError("STATUS", response.status, _asked(headers.get("retry-after", "")))
    said = headers.get("content-length", "").strip()
    if said.isdecimal() and int(said[:20]) > limits.size:
        raise FetchError("TOO_LARGE")
    try:
        body = Inflated(headers.get("content-encoding", ""), limits.size, limits.ratio)
        came = 0
        while part := response.read1(_PIECE):
            came += len(part)
            for plain in body.plain(part):
                into.write(plain)
        body.end()
    except BodyError as error:
        raise FetchError(error.code) from error
    if said and said != str(came):
        raise FetchError("TRUNCATED")
    return Answer(200, headers)


def _asked(said: str) -> float | None:
    """Seconds of a Retry-After, which says so many or a time."""
    if said.strip().isdecimal() and len(said) < 10:
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
