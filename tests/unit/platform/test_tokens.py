"""Access tokens: what is let in, and every forgery that is not."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.errors import Refusal
from services.platform.identity import keys as keys_module
from services.platform.identity.keys import COOLDOWN, FRESH, KEPT, KeySet
from services.platform.identity.tokens import LEEWAY, TokenVerifier
from tests.support.servers import AUDIENCE, ISSUER, KEY_ID, PUBLIC_KEY, SIGNING_KEY, token
from tests.support.waiting import eventually

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})


class Provider:
    """An identity provider that a test turns off, and a clock that it moves."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self.keys = dict(keys)
        self.up = True
        self.fetches = 0
        self.now = 0.0

    def fetch(self) -> Mapping[str, Any]:
        self.fetches += 1
        if not self.up:
            raise ConnectionError
        return dict(self.keys)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Provider:
    return Provider({KEY_ID: PUBLIC_KEY, "rsa": RSA, "ec": EC})


@pytest.fixture
def keys(provider: Provider) -> KeySet:
    return KeySet(provider.fetch, provider.clock)


@pytest.fixture
def verifier(keys: KeySet) -> TokenVerifier:
    return TokenVerifier(keys, ISSUER, AUDIENCE)


def reason_of(verifier: TokenVerifier, forged: str) -> int:
    with pytest.raises(Refusal) as caught:
        verifier.verify(forged)
    return caught.value.reason


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "roles": ["auditor"], "exp": now + 60, **changed}


def raw(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_claims_become_a_principal(verifier: TokenVerifier) -> None:
    principal = verifier.verify(
        token("learner", "programme_manager", "wizard", subject="s", org="o", jti="t")
    )
    assert principal.subject == "s"
    assert principal.roles == {options_pb2.ROLE_LEARNER, options_pb2.ROLE_PROGRAMME_MANAGER}
    assert principal.organisation == "organisations/o"
    assert principal.token_id == "t"


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", RSA), ("ES256", EC), ("Ed25519", SIGNING_KEY), ("EdDSA", SIGNING_KEY)]
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_pinned_algorithms_are_taken(verifier: TokenVerifier, algorithm: str, key: Any) -> None:
    kid = {"RS256": "rsa", "ES256": "ec"}.get(algorithm, KEY_ID)
    signed = jwt.encode({"alg": algorithm, "kid": kid}, claims(), key, algorithms=[algorithm])
    assert verifier.verify(signed).subject == "s"


def test_an_algorithm_left_out_of_the_configuration_is_refused(keys: KeySet) -> None:
    only = TokenVerifier(keys, ISSUER, AUDIENCE, algorithms=["RS256"])
    assert reason_of(only, token("auditor")) == reason_pb2.REASON_UNAUTHENTICATED
    with pytest.raises(ValueError, match="Algorithms"):
        TokenVerifier(keys, ISSUER, AUDIENCE, algorithms=["HS256"])


def test_no_signature_at_all_is_refused(verifier: TokenVerifier) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        forged = raw({"alg": algorithm, "kid": KEY_ID}, claims())
        assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED


def test_the_public_key_used_as_a_shared_secret_is_refused(verifier: TokenVerifier) -> None:
    signed = raw({"alg": "HS256", "kid": "rsa"}, claims()).rstrip(".")
    mac = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_key_of_another_type_than_the_algorithm_is_refused(verifier: TokenVerifier) -> None:
    forged = jwt.encode({"alg": "ES256", "kid": "rsa"}, claims(), EC, algorithms=["ES256"])
    assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED


@pytest.mark.parametrize("where", ["jku", "x5u", "jwk", "x5c"])
def test_keys_that_the_token_brings_along_are_not_used(
    verifier: TokenVerifier, provider: Provider, where: str
) -> None:
    own = OKPKey.generate_key("Ed25519", {"kid": "own"})
    brought = {
        "jku": "http://127.0.0.1:9/keys",
        "x5u": "http://127.0.0.1:9/chain",
        "jwk": own.as_dict(private=False),
        "x5c": ["MIIB"],
    }[where]
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    for kid in ("own", KEY_ID):
        header = {"alg": "Ed25519", "kid": kid, where: brought}
        forged = jwt.encode(header, claims(), own, algorithms=["Ed25519"], registry=registry)
        assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_good_token_that_also_names_a_key_address_is_checked_with_our_keys(verifier: TokenVerifier) -> None:
    registry = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
    header = {"alg": "Ed25519", "kid": KEY_ID, "jku": "http://127.0.0.1:9/keys"}
    signed = jwt.encode(header, claims(), SIGNING_KEY, algorithms=["Ed25519"], registry=registry)
    assert verifier.verify(signed).subject == "s"


def test_extensions_that_must_be_understood_are_refused(verifier: TokenVerifier) -> None:
    forged = raw({"alg": "Ed25519", "kid": KEY_ID, "crit": ["exp"], "exp": 1}, claims(), b"x" * 64)
    assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.test"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": int(time.time()) - LEEWAY - 1},
        {"nbf": int(time.time()) + LEEWAY + 3600},
        {"nbf": "now"},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 201},
        {"roles": "auditor"},
        {"org": 1},
    ],
)
def test_wrong_claims_are_refused(verifier: TokenVerifier, changed: dict[str, Any]) -> None:
    assert reason_of(verifier, token("auditor", **changed)) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_list_of_audiences_with_ours_is_taken(verifier: TokenVerifier) -> None:
    assert verifier.verify(token("auditor", aud=["other", AUDIENCE]))


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "ä.ö.ü", "x" * 9000, "a." * 500])
def test_texts_that_are_no_tokens_are_refused(verifier: TokenVerifier, text: str) -> None:
    assert reason_of(verifier, text) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_changed_body_is_refused_although_the_token_is_known(verifier: TokenVerifier) -> None:
    good = token("learner")
    verifier.verify(good)
    head, body, signature = good.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = raw({}, {**decoded, "roles": ["finance"]}).split(".")[1]
    assert reason_of(verifier, f"{head}.{changed}.{signature}") == reason_pb2.REASON_UNAUTHENTICATED


def test_a_remembered_token_still_expires(keys: KeySet) -> None:
    now = time.time()
    verifier = TokenVerifier(keys, ISSUER, AUDIENCE, clock=lambda: now)
    good = token("learner", exp=int(now) + 10)
    verifier.verify(good)
    now += 10 + LEEWAY + 1
    assert reason_of(verifier, good) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_withdrawn_key_ends_remembered_tokens(
    verifier: TokenVerifier, keys: KeySet, provider: Provider
) -> None:
    good = token("learner")
    verifier.verify(good)
    provider.keys = {"rsa": RSA}
    provider.now += FRESH + 1
    keys.check()  # fetches beside the calls
    eventually(lambda: keys.generation == 2)
    assert reason_of(verifier, good) == reason_pb2.REASON_UNAUTHENTICATED


def test_a_new_key_is_found_and_unknown_ones_do_not_flood_the_provider(
    verifier: TokenVerifier, provider: Provider
) -> None:
    verifier.verify(token("learner"))
    provider.now += COOLDOWN + 1
    new = OKPKey.generate_key("Ed25519", {"kid": "new"})
    provider.keys["new"] = OKPKey.import_key(new.as_dict(private=False))
    signed = jwt.encode({"alg": "Ed25519", "kid": "new"}, claims(), new, algorithms=["Ed25519"])
    assert verifier.verify(signed).subject == "s"
    for number in range(50):
        forged = jwt.encode({"alg": "Ed25519", "kid": f"k{number}"}, claims(), new, algorithms=["Ed25519"])
        assert reason_of(verifier, forged) == reason_pb2.REASON_UNAUTHENTICATED
    assert provider.fetches == 2


def test_control_without_cooldown_each_unknown_key_is_a_fetch(
    verifier: TokenVerifier, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "COOLDOWN", 0.0)
    verifier.verify(token("learner"))
    for number in range(5):
        reason_of(verifier, jwt.encode({"alg": "RS256", "kid": f"k{number}"}, claims(), RSA))
    assert provider.fetches == 6


def test_keys_are_kept_for_an_hour_while_the_provider_is_down(
    verifier: TokenVerifier, provider: Provider
) -> None:
    verifier.verify(token("learner"))
    provider.up = False
    provider.now += KEPT - 1
    assert verifier.verify(token("learner"))
    eventually(lambda: provider.fetches == 2)
    provider.now += 2
    assert reason_of(verifier, token("learner")) == reason_pb2.REASON_UNAVAILABLE
    provider.up = True
    provider.now += 2
    assert verifier.verify(token("learner"))


def test_a_provider_that_was_never_there_makes_calls_unavailable(
    verifier: TokenVerifier, provider: Provider
) -> None:
    provider.up = False
    assert reason_of(verifier, token("learner")) == reason_pb2.REASON_UNAVAILABLE
    provider.up = True
    provider.now += 2
    assert verifier.verify(token("learner"))


def test_calls_that_meet_an_unknown_key_at_once_all_wait_for_the_fetch(provider: Provider) -> None:
    slow = threading.Event()

    def fetch() -> Mapping[str, Any]:
        slow.wait(0.2)
        return provider.fetch()

    verifier = TokenVerifier(KeySet(fetch, provider.clock), ISSUER, AUDIENCE)
    results: list[str] = []
    good = token("learner", subject="s")
    threads = [
        threading.Thread(target=lambda: results.append(verifier.verify(good).subject)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["s"] * 4
    assert provider.fetches == 1
