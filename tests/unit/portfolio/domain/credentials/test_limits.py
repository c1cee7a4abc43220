"""What a credential may cost or hide: each limit with what it stops, and that nothing else stops it."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import (
    baking,
    contexts,
    data_integrity,
    keys,
    proving,
    rdf,
    revocation,
    status_list,
    strict_json,
)
from services.portfolio.domain.credentials.multiformats import base64url
from tests.support.credentials import DID, NOW, award_example, badge, checked

HOSTILE: dict[str, tuple[str, str, Any]] = {
    "deep": ('{"a":' * 100 + "1" + "}" * 100, "DEEPEST", 1000),
    "twice": ('{"a": 1, "a": 2}', "_unambiguous", dict),
    "no number": ('{"a": NaN}', "_refused", float),
    "no number of any reader": ('{"a": 1e999}', "_finite", float),
    "half a character": ('{"a": "\\ud800"}', "_check", lambda _: None),
    "NUL": ('{"a": "\\u0000"}', "_check", lambda _: None),
}


@pytest.mark.parametrize(("text", "guard", "off"), HOSTILE.values(), ids=HOSTILE)
def test_json_that_not_all_readers_read_alike_is_refused(
    text: str, guard: str, off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(strict_json.UnreadableError):
        strict_json.parsed(text)
    monkeypatch.setattr(strict_json, guard, off)  # control
    assert strict_json.parsed(text)


def finding(document: dict[str, Any], seed: bytes, kind: int, **pages: Any) -> int:
    """Why a check of this kind did not pass; 0 when it did."""
    web = award_example(seed)
    web.pages |= pages
    return next(each.finding for each in checked(document, web).verdict.checks if each.kind == kind)


def signed(document: dict[str, Any], seed: bytes) -> dict[str, Any]:
    return data_integrity.sign_document(document, seed, f"{DID}#k", data_integrity.JCS, now=NOW)


def test_only_so_many_proofs_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = keys.new_seed()
    document = badge()
    for _ in range(proving.MOST_PROOFS + 1):
        document = signed(document, seed)
    assert finding(document, seed, pb.CHECK_KIND_PROOF) == pb.CHECK_FINDING_PROOF_UNSUPPORTED
    monkeypatch.setattr(proving, "MOST_PROOFS", 100)  # control
    assert not finding(document, seed, pb.CHECK_KIND_PROOF)


def test_only_so_many_status_lists_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seed, address = keys.new_seed(), "https://award.example/status/1"
    subject = {"type": "BitstringStatusList", "statusPurpose": "revocation"}
    listed = {
        "@context": [contexts.V2],
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": DID,
        "credentialSubject": subject | {"encodedList": status_list.encoded([])},
    }
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7"}
    entries = [entry | {"statusListCredential": address}] * (revocation.MOST_ENTRIES + 1)
    document, page = signed(badge(credentialStatus=entries), seed), signed(listed, seed)
    status = pb.CHECK_KIND_STATUS
    assert finding(document, seed, status, **{address: page}) == pb.CHECK_FINDING_STATUS_UNUSABLE
    monkeypatch.setattr(revocation, "MOST_ENTRIES", 100)  # control
    assert not finding(document, seed, status, **{address: page})


def test_what_is_baked_unpacks_no_further_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zlib.compress(b"{" + b" " * baking.MOST)
    chunk = baking._written(baking._Chunk(b"iTXt", b"openbadges\0\1\0\0\0" + packed))
    png = baking.PNG + chunk + baking._written(baking._Chunk(b"IEND", b""))
    with pytest.raises(baking.ImageUnfitError, match="too large"):
        baking.extract(png)
    monkeypatch.setattr(baking, "MOST", 1 << 30)  # control
    assert baking.extract(png).startswith("{")


def test_a_document_says_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    many = badge(evidence=[{"type": ["Evidence"], "name": str(number)} for number in range(20)])
    assert len(rdf.statements(many).splitlines()) > 30  # control
    monkeypatch.setattr(rdf, "MOST_STATEMENTS", 30)
    with pytest.raises(rdf.DocumentRefusedError, match="too much"):
        rdf.statements(many)


def test_many_small_groups_of_nodes_that_look_alike_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [{"n": str(number), "b": [{"c": f"x{number}"}] * 3} for number in range(14)]
    document = {"@context": {"@vocab": "https://x.example/"}, "a": groups}
    with pytest.raises(rdf.DocumentRefusedError, match="alike"):
        rdf.statements(document)
    monkeypatch.setattr(rdf, "MOST_ALIKE_IN_ALL", 100)  # control
    assert rdf.statements(document)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_short_rsa_key_is_none_only_by_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {**RSAKey.generate_key(2048).as_dict(private=False), "n": base64url(b"\x80" * 128)[1:]}
    with pytest.raises(keys.KeyUnusableError, match="too short"):
        keys.from_jwk(small)
    monkeypatch.setattr(keys, "_LEAST_RSA", 0)  # control
    assert keys.from_jwk(small)
