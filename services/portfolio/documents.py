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
LIMITS = Limits(size=1 << 20, ratio=1000, seconds=5.0, silence=3.0, tries=1, redirects=3)
ACCEPT = "application/did+json, application/vc, application/vc+jwt, application/json;q=0.9, */*;q=0.1"
FRESH = 300.0  # seconds after which a document is fetched again: so long a revocation may go unseen
FAILED = 30.0  # seconds after which an address that failed is tried again
KEPT = 500  # documents
EACH_CHECK = 10  # addresses that one credential may make us ask

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
        self._lock = threading.Lock()

    def for_check(self) -> Fetched:
        """Returns what one check fetches by, each address once; it raises UnreachableError after EACH_CHECK
        of them."""
        asked: dict[str, bytes] = {}

        def fetched(address: str) -> bytes:
            if address not in asked:
                if len(asked) >= EACH_CHECK:
                    raise UnreachableError(address)
                asked[address] = b""  # counts although it may not answer
                asked[address] = self.get(address)
            if not asked[address]:
                raise UnreachableError(address)
            return asked[address]

        return fetched

    def get(self, address: str) -> bytes:
        """Returns what is at an address, at most FRESH seconds old; raises UnreachableError."""
        own = self._own(address)
        if own is not None:
            return own
        with self._lock:
            kept = self._kept.get(address)
        if kept is None or kept.until <= self._clock():
            kept = self._keep(address)
        if kept.content is None:
            raise UnreachableError(address)
        return kept.content

    def _keep(self, address: str) -> _Kept:
        try:
            kept = _Kept(self._get(address), self._clock() + FRESH)
        except UnreachableError:
            kept = _Kept(None, self._clock() + FAILED)
        with self._lock:
            self._kept[address] = kept
            self._kept.move_to_end(address)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept


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
