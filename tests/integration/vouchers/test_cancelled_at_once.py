"""A batch is given up at the moment in which another approves it or fetches its file."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.vouchers.store import payouts
from tests.integration.vouchers.refusals import refused, tried
from tests.integration.vouchers.test_bank_results import (
    approved,
    read,
)
from tests.integration.vouchers.test_cancelled_batches import (
    BANK,
    CLEARED,
    State,
    bank_file,
    cancel,
    owed,
    retracted,
)
from tests.integration.vouchers.test_claw_back import intact
from tests.integration.vouchers.test_payouts import frozen
from tests.support.meetings import Meanwhile
from tests.support.vouchers import World

__all__ = ["owed"]
BRIEF, LONG = 1, 30  # seconds: for whoever must wait for a lock, for whoever must not


def approve(world: World, batch: Any) -> str:
    """Approves a batch; returns why that was refused."""
    request = pb.ApprovePayoutBatchRequest(name=batch.name)
    return tried(lambda: world.approver.batches.ApprovePayoutBatch(request))


def test_one_that_is_being_approved_is_given_up_after_that(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = frozen(owed)
    ending = Meanwhile(monkeypatch, payouts, "in_batch", lambda: tried(lambda: cancel(owed, batch)), BRIEF)
    assert (approve(owed, batch), ending.done, ending.answer) == ("", False, "")
    assert read(owed, batch).state == State.STATE_CANCELLED
    assert (owed.balances()[CLEARED], owed.balances().get(BANK, 0)) == (100_000, 0)
    assert intact(owed)


def test_one_that_is_being_given_up_is_not_approved(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = frozen(owed)
    approval = Meanwhile(monkeypatch, payouts, "in_batch", lambda: approve(owed, batch), BRIEF)
    cancel(owed, batch)
    assert (approval.done, approval.answer) == (False, "WRONG_STATE")
    assert intact(owed)


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the lock on batches away."""
    locked = payouts.get_batch
    monkeypatch.setattr(payouts, "get_batch", lambda tx, name, **_: locked(tx, name))


def test_control_without_the_lock_money_is_owed_that_another_batch_pays(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = frozen(owed)
    unlocked(monkeypatch)
    ending = Meanwhile(
        monkeypatch, payouts, "payments_of", lambda: approve(owed, batch), LONG
    )  # the approval comes while the other has looked at the state
    cancel(owed, batch)
    assert (ending.done, ending.answer) == (True, "")
    assert read(owed, batch).state == State.STATE_CANCELLED
    assert owed.balances()[BANK] == 100_000  # of a batch that was given up


def test_who_fetches_the_file_first_keeps_it_from_being_given_up(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = approved(owed)
    ending = Meanwhile(monkeypatch, payouts, "payments_of", lambda: tried(lambda: cancel(owed, batch)), BRIEF)
    assert bank_file(owed, batch)
    assert (ending.done, ending.answer) == (False, "BANK_FILE_FETCHED")


def fetch_meanwhile(monkeypatch: pytest.MonkeyPatch, world: World, batch: Any, seconds: int) -> Meanwhile:
    """Has the file fetched again while whoever gives the batch up has looked at it."""
    return Meanwhile(
        monkeypatch, payouts, "payments_of", lambda: tried(lambda: bank_file(world, batch)), seconds
    )


def test_who_gives_up_a_retracted_one_first_keeps_its_file_from_being_fetched(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = retracted(owed)
    fetching = fetch_meanwhile(monkeypatch, owed, batch, BRIEF)
    cancel(owed, batch)
    assert (fetching.done, fetching.answer) == (False, "WRONG_STATE")


def test_who_fetches_a_retracted_file_first_keeps_it_from_being_given_up(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = retracted(owed)
    ending = Meanwhile(monkeypatch, payouts, "payments_of", lambda: tried(lambda: cancel(owed, batch)), BRIEF)
    assert bank_file(owed, batch)
    assert (ending.done, ending.answer) == (False, "BANK_FILE_FETCHED")


def test_control_without_the_lock_the_check_of_the_table_holds_a_retracted_one_back(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = retracted(owed)
    unlocked(monkeypatch)
    fetching = fetch_meanwhile(monkeypatch, owed, batch, LONG)
    assert refused(lambda: cancel(owed, batch)) == "INTERNAL"
    assert (fetching.done, fetching.answer) == (True, "")


def test_control_without_the_note_of_the_second_fetch_what_somebody_has_is_given_up(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = retracted(owed)
    monkeypatch.setattr(payouts, "note_file", lambda *_: None)
    files = [bank_file(owed, batch)]
    cancel(owed, batch)
    files.append(bank_file(owed, approved(owed)))
    assert [b'<InstdAmt Ccy="EUR">1000.00</InstdAmt>' in file for file in files] == [True, True]


def test_control_without_that_lock_the_check_of_the_table_holds_the_file_back(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = approved(owed)
    unlocked(monkeypatch)
    ending = Meanwhile(monkeypatch, payouts, "payments_of", lambda: tried(lambda: cancel(owed, batch)), LONG)
    assert refused(lambda: bank_file(owed, batch)) == "INTERNAL"
    assert (ending.done, ending.answer) == (True, "")
