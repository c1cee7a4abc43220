"""The identity provider's public keys: found by OIDC discovery, cached, renewed when a new one shows up."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.gathering import aside
from services.platform.telemetry import metrics

Key = ECKey | OKPKey | RSAKey

FRESH = 300.0  # seconds after which the set is fetched again, so that withdrawn keys go
KEPT = 3600.0  # seconds the last set is trusted while the provider does not answer
RETRY = 1.0  # seconds between fetches while there is no set at all
COOLDOWN = 30.0  # seconds between fetches for an unknown key id, or anybody could make us flood the provider
TIMEOUT = 2.0  # seconds for one HTTP request
MAX_BYTES = 256 * 1024

_TYPES = ("OKP", "EC", "RSA")
_UNUSED = ("d", "alg", "key_ops")

_log = structlog.get_logger()


class KeySet:
    """Keys by id. `generation` grows with each change, so that what was verified with old keys can be
    dropped."""

    def __init__(
        self, fetch: Callable[[], Mapping[str, Key]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, Key] = {}
        self._fetched = self._attempted = float("-inf")
        self.generation = 0

    def find(self, kid: str) -> Key | None:
        """Returns the key, or None for an unknown id; raises Refusal(UNAVAILABLE) without a set to trust."""
        if kid not in self._keys:
            aside(partial(self._renew, COOLDOWN if self._trusted() else RETRY))
        self.check()
        return self._keys.get(kid)

    def check(self) -> None:
        """Renews an old set beside the calls that go on with it; raises Refusal(UNAVAILABLE) without one."""
        if self._clock() - self._fetched >= FRESH:
            if not self._trusted():
                aside(partial(self._renew, RETRY))
            elif self._clock() - self._attempted >= COOLDOWN and not self._lock.locked():
                threading.Thread(target=self._renew, args=(COOLDOWN,), daemon=True).start()
        if not self._trusted():
            raise Refusal(reason_pb2.REASON_UNAVAILABLE, "The identity provider cannot be reached.")

    def _trusted(self) -> bool:
        return self._clock() - self._fetched < KEPT

    def _renew(self, pause: float) -> None:
        """Fetches the set unless that was tried within `pause` seconds; waits for a fetch under way."""
        with self._lock:
            if self._clock() - self._attempted < pause:
                return
            self._attempted = self._clock()
            try:
                keys = self._fetch()
            except Exception:
                metrics.KEY_SET_FETCHES.labels("failed").inc()
                _log.warning("key set not fetched", exc_info=True)
                return
            metrics.KEY_SET_FETCHES.labels("ok").inc()
            changed = _prints(keys) != _prints(self._keys)
            # Keys first: who sees the new generation must not have checked with the old keys.
            self._keys, self._fetched = keys, self._clock()
            self.generation += changed


def _prints(keys: Mapping[str, Key]) -> dict[str, str]:
    return {kid: key.thumbprint() for kid, key in keys.items()}


def fetch_keys(issuer: str, jwks_uri: str, *, https_only: bool) -> Mapping[str, Key]:
    """Returns the issuer's verification keys by id; an empty `jwks_uri` means discovery at the issuer.

    Raises ValueError for a document that is not what it should be, OSError when it cannot be had.
    """
    if not jwks_uri:
        found = _get(issuer.rstrip("/") + "/.well-known/openid-configuration", https_only)
        if found.get("issuer") != issuer:
            raise ValueError("The discovery document is another issuer's.")
        jwks_uri = str(found["jwks_uri"])
    keys: dict[str, Key] = {}
    for entry in _get(jwks_uri, https_only).get("keys", []):
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in _TYPES or not entry.get("kid"):
            continue  # symmetric keys above all: a published one would let anybody sign
        try:
            key = import_key({name: value for name, value in entry.items() if name not in _UNUSED})
        except (JoseError, LookupError, ValueError, TypeError):
            continue  # RFC 7517 §5: what cannot be used must not spoil the others
        if isinstance(key, Key):
            keys[entry["kid"]] = key
    if not keys:
        raise ValueError("The key set has no key to verify with.")
    return keys


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows only to where one might have asked in the first place."""

    def __init__(self, https_only: bool) -> None:
        self._https_only = https_only

    def redirect_request(self, *about: Any) -> urllib.request.Request | None:
        _check(about[-1], self._https_only)
        return super().redirect_request(*about)


def _check(url: str, https_only: bool) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https" and (https_only or scheme != "http"):
        raise ValueError("The identity provider must be asked over https.")


def _get(url: str, https_only: bool) -> dict[str, Any]:
    _check(url, https_only)
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  scheme checked above
    opener = urllib.request.build_opener(_Redirects(https_only))
    with opener.open(request, timeout=TIMEOUT) as response:
        document = json.loads(response.read(MAX_BYTES))
    if not isinstance(document, dict):
        raise ValueError("The document is not a JSON object.")
    return document
