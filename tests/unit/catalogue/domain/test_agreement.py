"""Agreements: the form decides what must be there, the monitor is not the owner, two persons put in force."""

from __future__ import annotations

from datetime import date

import pytest

from services.catalogue.domain.agreement import (
    Form,
    State,
    check_activation,
    check_change,
    check_complete,
    check_pes,
    check_state,
    faults,
)
from services.platform.errors import Refusal

TODAY = date(2026, 6, 1)
A, B = "0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f", "0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e60"


@pytest.mark.parametrize(
    ("form", "missing"),
    [
        (Form.INFORMAL, []),
        (Form.MEMORANDUM_OF_UNDERSTANDING, ["standards"]),
        (Form.FORMAL, ["standards", "end_date"]),
        (Form.LEGALLY_BINDING, ["volumes", "standards", "end_date"]),
    ],
)
def test_each_missing_field_is_named(form: Form, missing: list[str]) -> None:
    check_complete(form, ["volumes", "standards", "end_date"])
    if not missing:
        check_complete(form, [])
        return
    with pytest.raises(Refusal, match="AGREEMENT_INCOMPLETE") as caught:
        check_complete(form, [])
    assert [each.field for each in caught.value.violations] == [f"agreement.{field}" for field in missing]
    with pytest.raises(Refusal) as caught:
        check_complete(form, missing[1:])
    assert caught.value.metadata["missing"] == missing[0]


def test_owner_and_monitor_are_two_however_written() -> None:
    assert faults("xy", A, B, None, None) == []
    assert [each.field for each in faults("xy", A, A.upper(), None, None)] == ["agreement.monitor"]


def test_parties_are_different() -> None:
    assert [each.field for each in faults("xyx", A, B, None, None)] == ["agreement.parties"]


def test_the_last_day_is_not_before_the_first() -> None:
    assert faults("xy", A, B, TODAY, TODAY) == []
    assert [each.field for each in faults("xy", A, B, TODAY, date(2026, 5, 31))] == ["agreement.end_date"]


@pytest.mark.parametrize(
    ("state", "caller", "end", "reason"),
    [
        (State.ACTIVE, "b", None, "WRONG_STATE"),
        (State.ENDED, "b", None, "WRONG_STATE"),
        (State.DRAFT, "a", None, "SAME_PERSON"),
        (State.DRAFT, "b", date(2026, 5, 31), "WRONG_STATE"),
    ],
)
def test_who_may_put_what_in_force(state: State, caller: str, end: date | None, reason: str) -> None:
    check_activation(State.DRAFT, "a", "b", TODAY, TODAY)
    with pytest.raises(Refusal, match=reason):
        check_activation(state, "a", caller, end, TODAY)


def test_in_force_only_who_looks_after_it_changes() -> None:
    check_change(State.DRAFT, ["standards", "owner"])
    check_change(State.ACTIVE, ["owner", "monitor"])
    for state, fields in ((State.ACTIVE, ["owner", "standards"]), (State.ENDED, ["owner"])):
        with pytest.raises(Refusal, match="WRONG_STATE"):
            check_change(state, fields)


def test_states_are_named_in_the_refusal() -> None:
    check_state(State.ACTIVE, State.DRAFT, State.ACTIVE)
    with pytest.raises(Refusal) as caught:
        check_state(State.ENDED, State.DRAFT, State.ACTIVE)
    assert caught.value.metadata == {"state": "ENDED", "needed": "DRAFT,ACTIVE"}


def test_the_pes_is_a_party_itself_or_by_a_branch() -> None:
    check_pes([["one"], ["two"]], set())  # the catalogue knows of none
    check_pes([["office", "pes"], ["two"]], {"pes", "other"})
    check_pes([["pes"], ["two"]], {"pes"})
    with pytest.raises(Refusal, match="INVALID_ARGUMENT") as refusal:
        check_pes([["one"], ["two", "head"]], {"pes"})
    assert [each.field for each in refusal.value.violations] == ["agreement.parties"]
