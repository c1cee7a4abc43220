"""References of debts: valid by their standard, found in what payers write, never taken for another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from services.vouchers.domain.creditor_reference import ending, named_in, reference_of

ID = st.uuids().map(str)


@given(ID, st.integers(0, 20), st.booleans())
def test_it_is_found_however_it_is_written_and_names_the_end_of_its_id(id_: str, cut: int, low: bool) -> None:
    printed = reference_of(id_)
    assert iso11649.is_valid(printed)
    written = printed.lower() if low else printed.replace(" ", "")
    lines = [f"Re: {written[:cut]}", f"{written[cut:]}/2026"] if cut else ["", f"({written})"]
    compact = printed.replace(" ", "")
    assert named_in(lines) == named_in([written, written, "thanks"]) == compact
    assert ending(compact) == id_[-12:]


@given(ID, st.integers(2, 18), st.sampled_from("0123456789"))
def test_a_slip_of_one_character_names_nothing(id_: str, place: int, slip: str) -> None:
    compact = reference_of(id_).replace(" ", "")
    wrong = compact[:place] + slip + compact[place + 1 :]
    assert named_in([wrong]) == (compact if wrong == compact else "")


@given(ID, ID)
def test_of_two_nobody_can_tell_how_much_is_for_which(one: str, other: str) -> None:
    assert (named_in([reference_of(one), reference_of(other)]) == "") is (one[-12:] != other[-12:])
