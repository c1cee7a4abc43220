"""Ciphertexts open in their place only, under their holder's key only, with the master key at hand only."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.platform.seals import SealBrokenError, SealKeyMissingError
from services.portfolio.domain import keys
from services.portfolio.domain.keys import KeyRing

MASTER, OTHER = os.urandom(32), os.urandom(32)
RING = KeyRing(MASTER)
ADA_WRAPPED, BOB_WRAPPED = RING.new_key("ada"), RING.new_key("bob")
ADA, BOB = RING.unwrap("ada", ADA_WRAPPED), RING.unwrap("bob", BOB_WRAPPED)


@given(st.binary(max_size=500), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_and_shows_nothing(plain: bytes, table: str, row: str) -> None:
    sealed = ADA.seal(table, row, plain)
    assert ADA.open(table, row, sealed) == plain
    assert len(plain) < 8 or plain not in sealed
    assert ADA.seal(table, row, plain) != sealed


@pytest.mark.parametrize(
    ("key", "table", "row"), [(ADA, "entries", "2"), (ADA, "evidence", "1"), (BOB, "entries", "1")]
)
def test_a_swapped_ciphertext_does_not_open(key, table, row) -> None:
    with pytest.raises(SealBrokenError):
        key.open(table, row, ADA.seal("entries", "1", b"secret"))


def test_without_associated_data_a_swapped_ciphertext_would_open(monkeypatch) -> None:
    """Control: it is the associated data that binds a ciphertext to its place."""
    monkeypatch.setattr(keys, "associated", lambda *place: b"")
    assert ADA.open("entries", "2", ADA.seal("entries", "1", b"secret")) == b"secret"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_bit_does_not_open(position: int, flip: int) -> None:
    sealed = bytearray(ADA.seal("entries", "1", b"secret"))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(SealBrokenError):
        ADA.open("entries", "1", bytes(sealed))


@pytest.mark.parametrize("rubbish", [b"", b"short", bytes(range(27))], ids=["empty", "short", "long"])
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(SealBrokenError):
        ADA.open("entries", "1", rubbish)


def test_a_wrapped_key_is_of_its_holder_and_master_key() -> None:
    with pytest.raises(SealBrokenError):
        RING.unwrap("bob", ADA_WRAPPED)
    with pytest.raises(SealKeyMissingError) as lost:
        KeyRing(OTHER).unwrap("ada", ADA_WRAPPED)
    assert lost.value.metadata == {"key": RING.current_id}


def test_rotation_keeps_the_data_key() -> None:
    sealed = ADA.seal("entries", "1", b"secret")
    rotating = KeyRing(OTHER, former=[MASTER])
    assert rotating.unwrap("ada", ADA_WRAPPED).open("entries", "1", sealed) == b"secret"
    fresh = rotating.rewrap("ada", ADA_WRAPPED)
    assert fresh.master_key_id == rotating.current_id != RING.current_id
    assert KeyRing(OTHER).unwrap("ada", fresh).open("entries", "1", sealed) == b"secret"


def test_a_blind_index_finds_equal_texts_of_one_holder_only() -> None:
    assert ADA.blind("concept", "uri") == ADA.blind("concept", "uri")
    others = [ADA.blind("concept", "other"), ADA.blind("other", "uri"), BOB.blind("concept", "uri")]
    assert ADA.blind("concept", "uri") not in others
