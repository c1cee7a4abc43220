"""A note opens in its place, under its key, and shows nothing of itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.platform.seals import SealBrokenError
from services.vouchers.domain.notes import Notes

NOTES = Notes(b"k" * 32)


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
