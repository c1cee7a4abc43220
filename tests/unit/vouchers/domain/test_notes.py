"""A note opens in its place, under the key that it names, and shows nothing of itself."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from services.platform.seals import SealBrokenError, SealKeyMissingError, encrypt, key_id
from services.vouchers.domain.notes import Notes

OLD, NEW, OTHER = (letter * 32 for letter in (b"k", b"n", b"o"))
NOTES = Notes(OLD)
ROTATED = Notes(NEW, [OTHER, OLD])
PLACE = "redemptions/1"


@given(st.text(min_size=8, max_size=300), st.text(max_size=40))
def test_what_is_sealed_opens_and_shows_nothing(note: str, place: str) -> None:
    sealed = NOTES.seal(place, note)
    assert sealed is not None
    assert NOTES.open(place, sealed) == note
    assert note.encode() not in sealed
    assert NOTES.seal(place, note) != sealed


def test_no_note_is_nothing() -> None:
    assert NOTES.seal("redemptions/1", "") is None
    assert NOTES.open("redemptions/1", None) == ""


@pytest.mark.parametrize(("notes", "place"), [(NOTES, "redemptions/2"), (Notes(b"x" * 32), "redemptions/1")])
def test_elsewhere_or_under_another_key_it_does_not_open(notes: Notes, place: str) -> None:
    with pytest.raises(SealBrokenError):
        notes.open(place, NOTES.seal("redemptions/1", "secret"))


def test_after_a_rotation_the_newest_key_seals_and_all_open() -> None:
    before, after = NOTES.seal(PLACE, "before"), ROTATED.seal(PLACE, "after")
    assert ROTATED.open(PLACE, before) == "before"
    assert ROTATED.open(PLACE, after) == "after"
    assert Notes(NEW).open(PLACE, after) == "after"
    with pytest.raises(SealKeyMissingError):
        NOTES.open(PLACE, after)  # control: the former key does not seal any more


def test_a_lost_key_is_a_refusal_that_names_it() -> None:
    with pytest.raises(SealKeyMissingError) as lost:
        Notes(NEW).open(PLACE, NOTES.seal(PLACE, "before"))
    assert lost.value.reason_name == "SEAL_KEY_MISSING"
    assert lost.value.metadata == {"key": key_id(OLD, "notes")}


def test_an_altered_note_is_not_taken_for_one_of_a_lost_key() -> None:
    sealed = bytearray(NOTES.seal(PLACE, "before") or b"")
    sealed[-1] ^= 1
    with pytest.raises(SealBrokenError) as broken:
        ROTATED.open(PLACE, bytes(sealed))
    assert not isinstance(broken.value, SealKeyMissingError)


class TestSealedBeforeKeysHadIds:
    """What was written when the service had one key names none."""

    SEALED = encrypt(OLD, b"long ago", PLACE.encode())

    @pytest.mark.parametrize("notes", [NOTES, ROTATED], ids=["same-key", "rotated"])
    def test_it_opens_in_its_place(self, notes: Notes) -> None:
        assert notes.open(PLACE, self.SEALED) == "long ago"
        with pytest.raises(SealBrokenError):
            notes.open("redemptions/2", self.SEALED)

    def test_it_opens_though_its_nonce_looks_like_a_name(self) -> None:
        nonce = b"wmk\x01" + bytes(8)
        sealed = nonce + AESGCM(OLD).encrypt(nonce, b"long ago", PLACE.encode())
        assert ROTATED.open(PLACE, sealed) == "long ago"

    def test_without_its_key_it_does_not_open(self) -> None:
        with pytest.raises(SealBrokenError):
            Notes(NEW, [OTHER]).open(PLACE, self.SEALED)
