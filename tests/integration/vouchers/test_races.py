"""Two things at once about the same money: they come out as one after the other, and without locks do not.

Races of one voucher (`test_redemptions`), of a pot (`test_programmes`, `test_waiting_list`,
`test_allocations`) and of claw-back against payout (`test_claw_back`) are beside what they are about.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from waymark.vouchers.v1 import payout_batch_pb2

from services.platform.db.transaction import transaction
from services.vouchers.domain.states import VoucherState
from services.vouchers.ending import end_voucher
from services.vouchers.store import holds, payouts, redemptions
from services.vouchers.store.tables import redemptions as table
from tests.integration.vouchers.refusals import tried
from tests.integration.vouchers.test_claw_back import BANK, owed
from tests.integration.vouchers.test_payouts import frozen, place
from tests.integration.vouchers.unlocked import unlock_reservations
from tests.support.meetings import Meanwhile
from tests.support.vouchers import NO_EVIDENCE, World, cents

BRIEF, LONG = 1, 30  # seconds: for whoever must wait for a lock, for whoever must not
Pb = payout_batch_pb2
__all__ = ["owed"]


def approve(world: World, batch: str) -> str:
    """Approves as somebody new; returns why that was refused."""
    person = world.person("finance")
    return tried(lambda: person.batches.ApprovePayoutBatch(Pb.ApprovePayoutBatchRequest(name=batch)))


def test_of_two_who_approve_a_batch_at_once_one_pays(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = frozen(owed).name
    twin = Meanwhile(monkeypatch, payouts, "in_batch", lambda: approve(owed, batch), BRIEF)
    assert (approve(owed, batch), twin.done, twin.answer) == ("", False, "WRONG_STATE")
    assert owed.balances()[BANK] == 100_000
    assert owed.verify().intact


def test_control_without_the_locks_both_pay(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, locked = frozen(owed).name, payouts.get_batch
    monkeypatch.setattr(payouts, "get_batch", lambda tx, name, **_: locked(tx, name))
    monkeypatch.setattr(payouts, "in_batch", read_batch)
    twin = Meanwhile(monkeypatch, payouts, "in_batch", lambda: approve(owed, batch), LONG)
    assert (approve(owed, batch), twin.done, twin.answer) == ("", True, "")
    assert owed.balances()[BANK] == 200_000
    assert "NEGATIVE" in {finding.kind for finding in owed.verify().findings}


def read_batch(tx: Any, batch: str) -> list[Any]:
    """The redemptions of a batch, without a lock."""
    return list(tx.execute(select(table).where(table.c.batch_id == batch)))


def hold(world: World) -> str:
    """Places a hold on the redemption; returns why that was refused."""
    return tried(lambda: place(world, world.redemption.name))


def test_nothing_is_paid_after_somebody_was_told_that_it_is_held(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold comes while the approval has looked for holds and has not paid: it waits, and is too late."""
    batch = frozen(owed).name
    holding = Meanwhile(monkeypatch, payouts, "stopped", lambda: hold(owed), BRIEF)
    assert (approve(owed, batch), holding.done, holding.answer) == ("", False, "")
    assert owed.verify().intact


def test_an_approval_waits_for_a_hold_that_is_being_placed(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = frozen(owed).name
    approval = Meanwhile(monkeypatch, holds, "wait_for_approvals", lambda: approve(owed, batch), BRIEF)
    assert (hold(owed), approval.done, approval.answer) == ("", False, "PAYOUT_HELD")
    assert owed.balances().get(BANK, 0) == 0


def test_control_without_the_lock_money_leaves_that_is_known_to_be_held(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = frozen(owed).name
    monkeypatch.setattr(holds, "wait_for_approvals", lambda tx: None)
    holding = Meanwhile(monkeypatch, payouts, "stopped", lambda: hold(owed), LONG)
    assert (approve(owed, batch), holding.done, holding.answer) == ("", True, "")
    assert owed.balances()[BANK] == 100_000


def expire(world: World, voucher: str) -> None:
    """Ends a voucher as the job does."""
    with transaction(world.app) as tx:
        end_voucher(tx, voucher.removeprefix("vouchers/"), VoucherState.EXPIRED)


def test_a_voucher_that_expires_while_it_is_spent_returns_only_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    expiry = Meanwhile(
        monkeypatch, redemptions, "lock_for_reservation", lambda: expire(world, voucher), BRIEF
    )
    world.reserve(learner, voucher, 60_000)
    assert (expiry.done, expiry.answer) == (False, None)
    wallet = world.wallet(learner, voucher)
    assert (cents(wallet.reserved), cents(wallet.available)) == (60_000, 0)
    assert world.verify().intact


def test_control_without_the_lock_its_money_is_there_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    unlock_reservations(monkeypatch)
    expiry = Meanwhile(monkeypatch, redemptions, "lock_for_reservation", lambda: expire(world, voucher), LONG)
    world.reserve(learner, voucher, 60_000)
    assert expiry.done
    wallet = world.wallet(learner, voucher)
    assert cents(wallet.reserved) + cents(wallet.available) == 100_000  # and 1 000 euro are in the pot again
    assert not world.verify().intact
