"""Checks access tokens: JWTs (RFC 7519, RFC 9068) signed by the identity provider.

The algorithm is pinned by configuration and must fit the key that the id names. What a token says about where
its keys are (`jku`, `x5u`, `jwk`, `x5c`) is never read; `crit` extensions are refused, as RFC 7515 asks of
those who do not know them.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.identity.keys import Key, KeySet
from services.platform.identity.principals import ROLES_BY_NAME, Principal
from services.platform.telemetry import metrics

ALGORITHMS = ("EdDSA", "Ed25519", "RS256", "ES256")
# RFC 9864 renamed EdDSA; providers still sign with the old name, and the signature is the same.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
_KEY_TYPES = {"EdDSA": "OKP", "Ed25519": "OKP", "RS256": "RSA", "ES256": "EC"}
LEEWAY = 30  # seconds that clocks may differ
LONGEST = 8192  # characters; a token is not a place to send data
REMEMBERED = 4096  # tokens whose signature was checked


class _Known(NamedTuple):
    principal: Principal
    not_before: float
    expires: float
    generation: int


class TokenVerifier:
    """Turns an access token into a Principal. Thread-safe.

    A verified token is remembered by its hash until it expires or the key set changes, because a signature
    costs more than the rest of a call's checks together.
    """

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        *,
        algorithms: Collection[str] = ALGORITHMS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not set(algorithms) <= set(ALGORITHMS):
            raise ValueError(f"Algorithms must be among {', '.join(ALGORITHMS)}.")
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = tuple(algorithms)
        self._clock = clock
        self._known: dict[bytes, _Known] = {}

    def verify(self, token: str) -> Principal:
        """Returns who the token speaks for.

        Raises Refusal: UNAUTHENTICATED for any token that is not current, ours and properly signed;
        UNAVAILABLE when the provider's keys cannot be had.
        """
        if len(token) > LONGEST:
            raise refused("form")
        self._keys.check()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None or known.generation != self._keys.generation:
            known = self._check(token)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[digest] = known
        if not known.not_before <= self._clock() < known.expires:
            raise refused("expired")
        return known.principal

    def _check(self, token: str) -> _Known:
        generation = self._keys.generation
        claims = self._claims(token)
        if claims.get("iss") != self._issuer:
            raise refused("issuer")
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise refused("audience")
        expires, not_before = claims.get("exp"), claims.get("nbf", 0)
        if isinstance(expires, bool) or not isinstance(expires, int | float):
            raise refused("claims")
        if isinstance(not_before, bool) or not isinstance(not_before, int | float):
            raise refused("claims")
        return _Known(principal_of(claims), not_before - LEEWAY, expires + LEEWAY, generation)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
            algorithm, kid = header.get("alg"), header.get("kid")
        except (JoseError, ValueError) as error:
            raise refused("form") from error
        if algorithm not in self._algorithms:
            raise refused("algorithm")
        if "crit" in header or not isinstance(kid, str):
            raise refused("form")
        key = self._keys.find(kid)
        if key is None:
            raise refused("key")
        return self._verified(token, key, algorithm)

    @staticmethod
    def _verified(token: str, key: Key, algorithm: str) -> dict[str, Any]:
        if key.key_type != _KEY_TYPES[algorithm]:
            raise refused("algorithm")
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        try:
            return jwt.decode(token, key, algorithms=[algorithm], registry=registry).claims
        except (JoseError, ValueError, TypeError) as error:
            raise refused("signature") from error


def principal_of(claims: dict[str, Any]) -> Principal:
    """Reads `sub`, `roles`, `org`, `jti`; unknown roles give nothing. Raises Refusal(UNAUTHENTICATED)."""
    subject, roles = claims.get("sub"), claims.get("roles", [])
    organisation, token_id = claims.get("org", ""), claims.get("jti", "")
    if not isinstance(subject, str) or not 0 < len(subject) <= 200 or not isinstance(roles, list):
        raise refused("claims")
    if not isinstance(organisation, str) or not isinstance(token_id, str):
        raise refused("claims")
    if organisation and not organisation.startswith("organisations/"):
        organisation = f"organisations/{organisation}"
    held = frozenset(ROLES_BY_NAME[role] for role in roles if isinstance(role, str) and role in ROLES_BY_NAME)
    return Principal(subject, held, organisation, token_id)


def refused(why: str) -> Refusal:
    """Counts a refused token by why; the caller is told only that it was refused."""
    metrics.TOKENS_REFUSED.labels(why).inc()
    return Refusal(reason_pb2.REASON_UNAUTHENTICATED)
