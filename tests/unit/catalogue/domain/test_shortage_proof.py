"""Merkle trees, and what proves that an entry is in a signed version."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.catalogue.domain import merkle
from services.catalogue.domain.shortage import Entry
from services.catalogue.domain.shortage_proof import Flaw, Signed, flaw, item
from services.platform.signing import SigningKey

KEY = SigningKey(Ed25519PrivateKey.generate())
ENTRIES = [Entry(n, "", f"25{n}", 'a "b", ç', "BE2", 3, 1, n + 1) for n in range(1, 8)]
TREE = merkle.levels(map(item, ENTRIES))
SIGNED = Signed("shortageLists/a/versions/1", date(2026, 1, 1), date(2026, 12, 31), 7, merkle.root(TREE))
SIGNATURE = KEY.private.sign(SIGNED.text())
DAY = date(2026, 6, 1)


def test_roots_are_those_of_rfc_9162() -> None:
    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    a, b, c = (hashlib.sha256(b"\x00" + letter).digest() for letter in (b"a", b"b", b"c"))
    assert merkle.root(merkle.levels([b"a"])) == a
    assert merkle.root(merkle.levels([b"a", b"b", b"c"])) == node(node(a, b), c)


@pytest.mark.parametrize("size", [*range(1, 18), 100])
def test_every_path_leads_to_the_root_and_no_other(size: int) -> None:
    items = [str(number).encode() for number in range(size)]
    tree = merkle.levels(items)
    for index, each in enumerate(items):
        path = merkle.path(tree, index)
        assert merkle.root_of(each, index, size, path) == merkle.root(tree)
        assert merkle.root_of(b"x", index, size, path) != merkle.root(tree)
        assert merkle.root_of(each, index, size, [*path, bytes(32)]) is None
        assert merkle.root_of(each, size, size, path) is None
        if size > 1:
            assert merkle.root_of(each, index, size, path[:-1]) is None
            assert merkle.root_of(each, index ^ 1, size, path) != merkle.root(tree)


def found(signed: Signed = SIGNED, entry: Entry | None = ENTRIES[4], **changed: object) -> Flaw | None:
    values = {"signature": SIGNATURE, "public": KEY.public, "day": DAY, "path": merkle.path(TREE, 4)}
    given = values | changed
    return flaw(signed, given.pop("signature"), given.pop("public"), entry=entry, **given)  # type: ignore[arg-type]


def test_what_is_proved_and_what_is_not() -> None:
    assert found() is None
    assert found(entry=None, path=[]) is None
    assert found(public=None) is Flaw.UNKNOWN_KEY
    other = SigningKey(Ed25519PrivateKey.generate())
    assert found(public=other.public) is Flaw.FORGED
    assert found(replace(SIGNED, entry_count=8)) is Flaw.FORGED
    assert found(replace(SIGNED, valid_to=None)) is Flaw.FORGED
    assert found(day=date(2027, 1, 1)) is Flaw.NOT_IN_FORCE
    assert found(day=date(2025, 12, 31)) is Flaw.NOT_IN_FORCE
    assert found(entry=ENTRIES[3]) is Flaw.NOT_IN_VERSION
    assert found(entry=ENTRIES[4]._replace(evidence=["https://study.example"])) is Flaw.NOT_IN_VERSION
    for changed in ({"severity": 5}, {"nuts_code": "BE"}, {"label": "b"}, {"isco_code": "2"}, {"seq": 4}):
        assert found(entry=ENTRIES[4]._replace(**changed)) is Flaw.NOT_IN_VERSION  # type: ignore[arg-type]


def test_evidence_is_proved_with_its_entry_and_what_has_none_is_as_it_was() -> None:
    assert item(ENTRIES[0]) == '[1,"","251","a \\"b\\", ç","BE2",3,1]'.encode()
    with_evidence = [each._replace(evidence=["assessments/1", "word"]) for each in ENTRIES]
    assert item(with_evidence[0]) == item(ENTRIES[0])[:-1] + b',["assessments/1","word"]]'
    tree = merkle.levels(map(item, with_evidence))
    signed = replace(SIGNED, root=merkle.root(tree))
    given = {"signature": KEY.private.sign(signed.text()), "path": merkle.path(tree, 4)}
    assert found(signed, with_evidence[4], **given) is None
    for changed in ([], ["assessments/1"], ["assessments/2", "word"], ["word", "assessments/1"]):
        assert found(signed, ENTRIES[4]._replace(evidence=changed), **given) is Flaw.NOT_IN_VERSION
