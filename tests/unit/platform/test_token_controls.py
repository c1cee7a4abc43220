"""Each refusal of a forged token comes from its own check: with that check off, the same token gets in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey

from services.platform.errors import Refusal
from services.platform.identity import tokens
from services.platform.identity.keys import KeySet
from services.platform.identity.tokens import ALGORITHMS, LEEWAY, TokenVerifier
from tests.support.servers import AUDIENCE, ISSUER, KEY_ID, PUBLIC_KEY, token
from tests.unit.platform.test_tokens import RSA, claims, raw

OWN = OKPKey.generate_key("Ed25519", {"kid": "own"})
FOREIGN = "https://evil.test"
Patch = pytest.MonkeyPatch


def verifier(
    issuer: str = ISSUER, audience: str = AUDIENCE, clock: Callable[[], float] = time.time
) -> TokenVerifier:
    keys = {KEY_ID: PUBLIC_KEY, "rsa": RSA}
    return TokenVerifier(KeySet(lambda: keys), issuer, audience, clock=clock)


def gets_in(forged: str, checking: TokenVerifier) -> bool:
    try:
        return checking.verify(forged).subject != ""
    except Refusal:
        return False


def later(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


@pytest.mark.parametrize(
    ("changed", "off"),
    [
        ({"iss": FOREIGN}, lambda: verifier(issuer=FOREIGN)),
        ({"iss": None}, lambda: verifier(issuer=None)),  # type: ignore[arg-type]
        ({"aud": "other"}, lambda: verifier(audience="other")),
        ({"aud": None}, lambda: verifier(audience=None)),  # type: ignore[arg-type]
        ({"exp": -LEEWAY - 9}, lambda: verifier(clock=later(-3600))),
        ({"nbf": 1800}, lambda: verifier(clock=later(2400))),
    ],
    ids=["issuer", "no issuer", "audience", "no audience", "expired", "not yet"],
)
def test_a_claim_is_refused_by_its_own_check(
    changed: dict[str, Any], off: Callable[[], TokenVerifier]
) -> None:
    """Off is a verifier that wants exactly what the forgery says, or lives when it would be good.

    Times are seconds from now.
    """
    now = int(time.time())
    said = {name: now + value if isinstance(value, int) else value for name, value in changed.items()}
    forged = token("auditor", **said)
    assert not gets_in(forged, verifier())
    assert gets_in(forged, off())


def unsigned() -> str:
    return raw({"alg": "none", "kid": KEY_ID}, claims())


def signed_with_the_public_key() -> str:
    signed = raw({"alg": "HS256", "kid": "rsa"}, claims()).rstrip(".")
    mac = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def unpinned() -> TokenVerifier:
    made = verifier()
    made._algorithms = (*ALGORITHMS, "none", "HS256")
    return made


def believing(given: str, key: Any, algorithm: str) -> dict[str, Any]:
    """What the libraries of the well-known forgeries did: the token says how it is to be checked."""
    signed, _, signature = given.rpartition(".")
    if algorithm == "HS256":
        mac = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
        assert signature == base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    body = signed.partition(".")[2]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@pytest.mark.parametrize("forge", [unsigned, signed_with_the_public_key])
def test_an_algorithm_is_refused_by_the_pin_and_by_the_key_behind_it(
    forge: Callable[[], str], monkeypatch: Patch
) -> None:
    """Two checks stand in the way, each of them alone; with both off the forgery gets in."""
    forged = forge()
    monkeypatch.setattr(TokenVerifier, "_verified", staticmethod(believing))
    assert not gets_in(forged, verifier())  # the pin alone
    assert gets_in(forged, unpinned())
    monkeypatch.undo()
    monkeypatch.setattr(tokens, "_KEY_TYPES", {**tokens._KEY_TYPES, "none": "oct", "HS256": "oct"})
    assert not gets_in(forged, unpinned())  # the key alone


def test_a_changed_body_is_refused_by_the_signature(monkeypatch: Patch) -> None:
    head, _, signature = token("learner").split(".")
    forged = f"{head}.{raw({}, claims()).split('.')[1]}.{signature}"
    assert not gets_in(forged, verifier())
    monkeypatch.setattr(TokenVerifier, "_verified", staticmethod(believing))
    assert gets_in(forged, verifier())


def brought(kid: str, **header: Any) -> str:
    """A token that is well signed, by a key it brings along."""
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    head = {"alg": "Ed25519", "kid": kid, **header}
    return jwt.encode(head, claims(), OWN, algorithms=["Ed25519"], registry=registry)


@pytest.mark.parametrize("kid", ["own", KEY_ID], ids=["unknown id", "an id of ours"])
@pytest.mark.parametrize(
    "header",
    [
        {},
        {"jku": "http://127.0.0.1:9/keys"},
        {"x5u": "http://127.0.0.1:9/chain"},
        {"jwk": OWN.as_dict(private=False)},
    ],
    ids=["nothing", "jku", "x5u", "jwk"],
)
def test_a_key_the_token_brings_is_refused_because_only_ours_are_looked_up(
    kid: str, header: dict[str, Any], monkeypatch: Patch
) -> None:
    """Off is a look-up that takes the forger's key, as one that follows the header would."""
    forged = brought(kid, **header)
    assert not gets_in(forged, verifier())
    theirs = OKPKey.import_key(OWN.as_dict(private=False))
    monkeypatch.setattr(KeySet, "find", lambda self, kid: theirs)
    assert gets_in(forged, verifier())
