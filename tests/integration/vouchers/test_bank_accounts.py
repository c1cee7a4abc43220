"""Where a provider's money goes: an account of two people, a change of which waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import bank_account_pb2

from services.platform.db.transaction import transaction
from services.vouchers.store import payouts
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_payouts import frozen, owed
from tests.support.meetings import Meeting
from tests.support.vouchers import IBAN, OTHER_IBAN, World

__all__ = ["owed"]


def test_a_changed_account_waits_72_hours(owed: World) -> None:
    first = owed.bank_account()
    assert first.iban.startswith("BE•")
    changed = owed.bank_account(iban=OTHER_IBAN)
    hours = (changed.effective_time.seconds - first.effective_time.seconds) / 3600
    assert 71.9 < hours < 72.1
    frozen(owed)
    with transaction(owed.app) as tx:
        assert tx.execute(text("SELECT iban FROM payouts")).scalar_one().startswith("BE")


def paid_to(world: World) -> str:
    """Freezes a batch; returns the account it pays."""
    frozen(world)
    with transaction(world.app) as tx:
        return str(tx.execute(text("SELECT iban FROM payouts")).scalar_one())


@pytest.mark.parametrize(("hours", "used"), [(71, IBAN), (73, OTHER_IBAN)])
def test_money_goes_to_a_changed_account_once_its_time_has_come(owed: World, hours: int, used: str) -> None:
    owed.bank_account()
    owed.bank_account(iban=OTHER_IBAN)
    owed.let_accounts_age(hours)
    assert paid_to(owed) == used


def test_control_without_looking_at_the_time_a_changed_account_is_paid_at_once(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed.bank_account()
    owed.bank_account(iban=OTHER_IBAN)

    def any_time(tx: Any, organisations: Any) -> Any:
        found = tx.execute(payouts.accounts_of(owed.organisation).order_by(text("effective_at")))
        return {row.organisation: row for row in found}

    monkeypatch.setattr(payouts, "usable_accounts", any_time)
    assert paid_to(owed) == OTHER_IBAN


def test_a_change_is_stopped_within_its_time_by_one_person(owed: World) -> None:
    first = owed.bank_account()
    changed = owed.bank_account(iban=OTHER_IBAN)
    withdraw = bank_account_pb2.WithdrawBankAccountRequest(name=changed.name)
    stranger = owed.person("provider", org="organisations/other")
    assert refused(lambda: stranger.accounts.WithdrawBankAccount(withdraw)) == "NOT_FOUND"
    gone = owed.provider.accounts.WithdrawBankAccount(withdraw)
    assert gone.state == bank_account_pb2.BankAccount.STATE_WITHDRAWN
    assert refused(lambda: owed.provider.accounts.WithdrawBankAccount(withdraw)) == "WRONG_STATE"
    confirm = bank_account_pb2.ConfirmBankAccountRequest(name=changed.name)
    assert refused(lambda: owed.approver.accounts.ConfirmBankAccount(confirm)) == "WRONG_STATE"
    withdraw.name = first.name  # it is in use
    assert refused(lambda: owed.provider.accounts.WithdrawBankAccount(withdraw)) == "WRONG_STATE"
    owed.let_accounts_age()
    assert paid_to(owed) == IBAN


def confirm_two_at_once(world: World) -> list[bool]:
    """Proposes two accounts and confirms both at once; returns which is used at once."""
    names = []
    for iban in (IBAN, OTHER_IBAN):
        account = bank_account_pb2.BankAccount(holder_name="School", iban=iban)
        request = bank_account_pb2.ProposeBankAccountRequest(parent=world.organisation, bank_account=account)
        names.append(world.payer.accounts.ProposeBankAccount(request).name)
    stub = world.approver.accounts

    def confirm(name: str) -> bool:
        done = stub.ConfirmBankAccount(bank_account_pb2.ConfirmBankAccountRequest(name=name))
        return bool(done.effective_time == done.confirm_time)

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(confirm, names))


def test_of_two_first_accounts_confirmed_at_once_only_one_is_used_at_once(world: World) -> None:
    assert confirm_two_at_once(world) == [False, True]


def test_control_without_the_lock_both_are_used_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(world.app) as tx:
        tx.execute(text("DROP INDEX bank_accounts_one_first"))
    world.app.engine.dispose()  # the driver forgets prepared statements on a connection that changed tables
    monkeypatch.setattr(payouts, "lock_accounts", lambda *_: None)
    meeting, before = Meeting(2), payouts.confirmed_before

    def both_look_first(*call: Any) -> bool:
        found = before(*call)
        meeting()
        return found

    monkeypatch.setattr(payouts, "confirmed_before", both_look_first)
    assert confirm_two_at_once(world) == [True, True]


def test_bank_accounts_need_two_people_and_a_real_iban(world: World) -> None:
    account = bank_account_pb2.BankAccount(holder_name="School", iban="BE68539007547035")
    propose = bank_account_pb2.ProposeBankAccountRequest(parent=world.organisation, bank_account=account)
    assert refused(lambda: world.provider.accounts.ProposeBankAccount(propose)) == "IBAN_INVALID"
    propose.bank_account.iban = OTHER_IBAN
    proposed = world.provider.accounts.ProposeBankAccount(propose)
    confirm = bank_account_pb2.ConfirmBankAccountRequest(name=proposed.name)
    both = world.person("finance", subject=world.provider.subject)
    assert refused(lambda: both.accounts.ConfirmBankAccount(confirm)) == "SAME_PERSON"
    world.payer.accounts.ConfirmBankAccount(confirm)
    assert refused(lambda: world.payer.accounts.ConfirmBankAccount(confirm)) == "WRONG_STATE"
    get = bank_account_pb2.GetBankAccountRequest(name=proposed.name)
    other = world.person("provider", org="organisations/other")
    assert refused(lambda: other.accounts.GetBankAccount(get)) == "NOT_FOUND"
    assert world.provider.accounts.GetBankAccount(get).state == 2
    mine = bank_account_pb2.ListBankAccountsRequest(parent=world.organisation)
    assert len(world.provider.accounts.ListBankAccounts(mine).bank_accounts) == 1
