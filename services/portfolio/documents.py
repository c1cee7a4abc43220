"""Documents of issuers, fetched from their addresses and kept for a while: keys, status lists, badges."""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from services.platform.outgoing.addresses import Reach
from services.platform.outgoing.fetching import FetchError, Limits, Wanted, fetch
from services.portfolio.domain.credentials.controllers import UnreachableError

# Anybody may have a credential checked, so that one check must not cost much of ours or of others.
LIMITS = Limits(size=1 << 19, ratio=1000, seconds=5.0, silence=3.0, tries=1, redirects=3)
ACCEPT = "application/did+json, application/vc, application/vc+jwt, application/json;q=0.9, */*;q=0.1"
FRESH = 300.0  # seconds after which a document is fetched again: so long a revocation may go unseen
FAILED = 30.0  # seconds after which an address that failed is tried again
KEPT = 2000  # documents and failures
KEPT_BYTES = 32 << 20
EACH_CHECK = 10  # addresses that one credential may make us ask
CHECK_SECONDS = 10.0  # after which a check asks no further one
AT_ONCE = 3  # fetches of a process: slow addresses must not hold all of its threads

Fetched = Callable[[str], bytes]


class _Kept(NamedTuple):
    content: bytes | None  # None: it failed
    until: float


class Documents:
    """One per process. `own`: answers addresses of this service itself, which need no journey; or None."""

    def __init__(
        self,
        get: Fetched,
        own: Callable[[str], bytes | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._get, self._own, self._clock = get, own, clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def for_check(self) -> Fetched:
        """Returns what one check fetches by, each address once; it raises UnreachableError after EACH_CHECK
        of them, and after CHECK_SECONDS."""
        asked: dict[str, bytes] = {}
        end = self._clock() + CHECK_SECONDS

        def fetched(address: str) -> bytes:
            if address not in asked:
                if len(asked) >= EACH_CHECK or self._clock() >= end:
                    raise UnreachableError(address)
                asked[address] = b""  # counts although it may not answer
                asked[address] = self.get(address)
            if not asked[address]:
                raise UnreachableError(address)
            return asked[address]

        return fetched

    def get(self, address: str) -> bytes:
        """Returns what is at an address, at most FRESH seconds old; raises UnreachableError, also when too
        much is being fetched already."""
        own = self._own(address)
        if own is not None:
            return own
        with self._lock:
            kept = self._kept.get(address)
        if kept is None or kept.until <= self._clock():
            kept = self._fetched(address)
        if kept.content is None:
            raise UnreachableError(address)
        return kept.content

    def _fetched(self, address: str) -> _Kept:
        if not self._turns.acquire(blocking=False):
            raise UnreachableError(address)
        try:
            kept = _Kept(self._get(address), self._clock() + FRESH)
        except UnreachableError:
            kept = _Kept(None, self._clock() + FAILED)
        finally:
            self._turns.release()
        self._keep(address, kept)
        return kept

    def _keep(self, address: str, kept: _Kept) -> None:
        with self._lock:
            self._bytes += len(kept.content or b"") - len(self._drop(address))
            self._kept[address] = kept
            while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
                self._bytes -= len(self._drop(next(iter(self._kept))))

    def _drop(self, address: str) -> bytes:
        before = self._kept.pop(address, None)
        return (before.content if before else None) or b""


def over(reach: Reach) -> Fetched:
    """Returns what fetches a document by a guarded call; it raises UnreachableError."""

    def get(address: str) -> bytes:
        body = io.BytesIO()
        try:
            fetch(Wanted(address, {"accept": ACCEPT}), body, reach, LIMITS)
        except FetchError as error:
            raise UnreachableError(address) from error
        return body.getvalue()

    return get
