"""Canonical forms and proofs, on the W3C's own vectors byte for byte, and what a signature must cover."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from services.portfolio.domain.credentials import contexts, data_integrity, jcs, keys, rdf, vc_jwt
from services.portfolio.domain.credentials.multiformats import (
    MultibaseError,
    base58,
    base64url,
    from_multibase,
    from_unpadded,
)
from tests.support.credentials import NOW, badge
from tests.support.real_data import real_data

EXAMPLES = {
    **contexts.kept(),
    "https://www.w3.org/ns/credentials/examples/v2": contexts.Context(
        {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
    ),
}
SUITES = {data_integrity.RDFC: "DataInt", data_integrity.JCS: "JCS"}


def vector(suite: str, name: str) -> str:
    return (real_data("portfolio/w3c-vc-di-eddsa") / suite / name).read_text()


def w3c_seed() -> bytes:
    pair = json.loads((real_data("portfolio/w3c-vc-di-eddsa") / "keyPair.json").read_text())
    return from_multibase(pair["privateKeyMultibase"])[2:]


@pytest.mark.parametrize("suite", SUITES)
def test_the_vectors_of_the_w3c_come_out_byte_for_byte(suite: str) -> None:
    end = SUITES[suite]
    signed = json.loads(vector(suite, f"signed{end}.json"))
    proof = signed.pop("proof")
    options = json.loads(vector(suite, f"proofConfig{end}.json"))

    def canonical(part: dict[str, Any]) -> bytes:
        return jcs.canonical(part) if suite == data_integrity.JCS else rdf.statements(part, EXAMPLES)

    assert canonical(signed).decode() == vector(suite, f"canonDoc{end}.txt")
    assert canonical(options).decode() == vector(suite, f"proofCanon{end}.txt")
    combined = data_integrity.signed_data(signed, proof, EXAMPLES).hex()
    assert combined == vector(suite, f"combinedHash{end}.txt").strip()
    signature = keys.sign(w3c_seed(), bytes.fromhex(combined))
    assert signature.hex() == vector(suite, f"sigHex{end}.txt").strip()
    assert base58(signature) == proof["proofValue"] == vector(suite, f"sigBTC58{end}.txt").strip()


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_signed_here_holds_and_nothing_else_does(suite: str) -> None:
    seed = keys.new_seed()
    signed = data_integrity.sign_document(badge(), seed, "did:web:award.example#k", suite, now=NOW)
    key, proof = keys.from_multikey(keys.multikey(seed)), signed["proof"]
    assert data_integrity.holds(signed, proof, key)
    assert not data_integrity.holds(signed, proof, keys.from_multikey(keys.multikey(keys.new_seed())))
    for changed in (
        {**signed, "name": "Another"},
        {**signed, "issuer": {**signed["issuer"], "id": "did:web:other.example"}},
    ):
        assert not data_integrity.holds(changed, proof, key)
    for changed_proof in ({**proof, "created": "2020-01-01T00:00:00Z"}, {**proof, "proofValue": "z1"}):
        assert not data_integrity.holds(signed, changed_proof, key)
    twice = data_integrity.sign_document(signed, seed, "did:web:award.example#k", suite, now=NOW)
    assert all(data_integrity.holds(twice, each, key) for each in data_integrity.proofs_of(twice))


def test_terms_that_nobody_defines_are_refused() -> None:
    for words in (
        {"salary": "high"},
        {"@salary": "high"},
        {"type": ["VerifiableCredential", "Made"]},
        {"id": "no/address"},
    ):
        with pytest.raises(rdf.TermsUndefinedError):
            rdf.statements(badge(**words))


def test_without_the_sentinel_a_made_up_term_is_under_no_signature(monkeypatch) -> None:
    """Control: JSON-LD leaves out what no context defines, so that anything could be added to a badge."""
    monkeypatch.setattr(contexts, "_SENTINEL", {})
    assert rdf.statements(badge(salary="high")) == rdf.statements(badge())


def test_contexts_of_others_are_not_fetched() -> None:
    for context in ("https://evil.example/context", {"@import": "https://evil.example/context"}):
        with pytest.raises(contexts.ContextUnknownError):
            rdf.statements(badge(**{"@context": [contexts.V2, context]}))


def test_leaving_out_unused_terms_changes_nothing(monkeypatch) -> None:
    texts = [badge(), badge(evidence=[{"id": "https://e.example/1", "type": ["Evidence"], "name": "x"}])]
    pruned = [rdf.statements(text) for text in texts]
    monkeypatch.setattr(contexts, "_pruned", lambda context, words: context)
    assert [rdf.statements(text) for text in texts] == pruned
    assert len(pruned[0].splitlines()) > 8


def alike(parents: int, children: int) -> dict[str, Any]:
    """Nodes that only trying every order tells apart."""
    leaf = {"type": ["Evidence"], "name": "x"}
    return {"@context": {"@vocab": "https://x.example/"}, "a": [{"b": [leaf] * children}] * parents}


def test_a_document_made_to_take_for_ever_is_refused_at_once(monkeypatch) -> None:
    started = time.monotonic()
    with pytest.raises(rdf.DocumentRefusedError):
        rdf.statements(alike(2, 10))
    quick = time.monotonic() - started
    monkeypatch.setattr(rdf, "MOST_ALIKE", 100)  # control: without the cap it takes its time
    started = time.monotonic()
    rdf.statements(alike(2, 7))
    assert time.monotonic() - started > quick * 5


def test_jcs_writes_numbers_and_order_as_rfc_8785() -> None:
    def double(bits: str) -> float:
        return struct.unpack(">d", bytes.fromhex(bits))[0]

    # Appendix B of the RFC.
    for bits, text in {
        "0000000000000000": "0",
        "8000000000000000": "0",
        "0000000000000001": "5e-324",
        "7fefffffffffffff": "1.7976931348623157e+308",
        "4340000000000000": "9007199254740992",
        "4430000000000000": "295147905179352830000",
        "44b52d02c7e14af5": "9.999999999999997e+22",
        "44b52d02c7e14af6": "1e+23",
        "444b1ae4d6e2ef4e": "999999999999999700000",
        "444b1ae4d6e2ef50": "1e+21",
        "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
        "3eb0c6f7a0b5ed8d": "0.000001",
        "41b3de4355555557": "333333333.33333343",
        "becbf647612f3696": "-0.0000033333333333333333",
    }.items():
        assert jcs.canonical(double(bits)).decode() == text
    assert jcs.canonical({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6}) == (
        '{"\\r":2,"1":4,"\x80":6,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'.encode()
    )
    for bad in (float("nan"), float("inf"), 10**400, "\ud800", {1, 2}):
        with pytest.raises(ValueError, match=r".+"):
            jcs.canonical(bad)


def test_multibase_reads_what_it_writes_and_little_else() -> None:
    for data in (b"", b"\0\0a", bytes(range(64))):
        assert from_multibase(base58(data)) == data
        assert from_multibase(base64url(data)) == data
    for text in ("", "x1", "z0", "zl", "u*", "z" + "1" * 600):
        with pytest.raises(MultibaseError):
            from_multibase(text)


def test_a_jwt_holds_by_its_own_key_and_algorithm_only() -> None:
    seed = keys.new_seed()
    own, other = keys.from_multikey(keys.multikey(seed)), keys.from_multikey(keys.multikey(keys.new_seed()))
    token = vc_jwt.read(vc_jwt.sign_token(badge(), seed, "did:web:award.example#k"))
    assert token.credential == badge()
    assert vc_jwt.holds(token, own)
    assert not vc_jwt.holds(token, other)
    for private, algorithm in ((ECKey.generate_key("P-256"), "ES256"), (RSAKey.generate_key(2048), "RS256")):
        public = keys.from_jwk(private.as_dict(private=False))
        text = jws.serialize_compact({"alg": algorithm}, json.dumps(badge()), private)
        assert vc_jwt.holds(vc_jwt.read(text), public)
        assert not vc_jwt.holds(vc_jwt.read(text), own)
    head, _, tail = token.text.split(".")
    assert not vc_jwt.holds(vc_jwt.read(f"{head}.{from_and_to(badge(name='x'))}.{tail}"), own)
    for head in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "EdDSA", "crit": ["x"]}):
        assert not vc_jwt.holds(vc_jwt.read(f"{from_and_to(head)}.{from_and_to(badge())}.{tail}"), own)


def from_and_to(value: Any) -> str:
    text = base64url(json.dumps(value).encode())[1:]
    assert json.loads(from_unpadded(text)) == value
    return text


def test_weak_and_strange_keys_are_no_keys() -> None:
    small = {**RSAKey.generate_key(2048).as_dict(private=False), "n": base64url(b"\x80" * 128)[1:]}
    for fields in (
        small,
        {"kty": "oct", "k": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        None,
        {},
    ):
        with pytest.raises(keys.KeyUnusableError):
            keys.from_jwk(fields)
    for text in ("z6Mk", "zabc", "uAAAA", ""):
        with pytest.raises(keys.KeyUnusableError):
            keys.from_multikey(text)


PUBLISHED = {
    "credentials-v1": "2018-credentials-v1.jsonld",
    "credentials-v2": "credentials-v2.jsonld",
    "data-integrity-v1": "data-integrity-v1.jsonld",
    "ed25519-2020": "suites-ed25519-2020.jsonld",
    "ob-3.0.0": "ob-v3p0.json",
    "ob-3.0.1": "ob-v3p0-3.0.1.json",
    "ob-3.0.2": "ob-v3p0-3.0.2.json",
    "ob-3.0.3": "ob-v3p0-3.0.3.json",
    "ob-extensions": "ob-v3p0-extensions.json",
}


@pytest.mark.parametrize("name", sorted(set(contexts._FILES.values())))
def test_contexts_that_are_kept_are_those_that_were_published(name: str) -> None:
    kept = Path(contexts.__file__).parent / "contexts" / f"{name}.json"
    published = real_data(f"portfolio/json-ld-contexts/{PUBLISHED[name]}")
    assert json.loads(kept.read_bytes()) == json.loads(published.read_bytes())
