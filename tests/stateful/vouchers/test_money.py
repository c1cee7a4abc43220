"""Programme → voucher → redemption → ledger in any order: invariants I1-I4 and I8 after each step.

The machine keeps a journal of what was acknowledged, and compares it with the real service and its database.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import grpc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from waymark.vouchers.v1 import payout_batch_pb2, voucher_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.verification import verify
from tests.stateful.vouchers.journal import Journal, Refused
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur, request_id

vouchers, redemptions = Bundle("vouchers"), Bundle("redemptions")
NO_SHOW_PERCENT = 40
PERCENTS = (35, 35, 30)
IN_INSTALMENTS = {"instalments": [{"trigger": "TRIGGER_DELIVERY", "percent": each} for each in PERCENTS]}
AMOUNTS = st.integers(1, 120_000)
SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=3)  # percents of what is due
DUE = text("UPDATE redemptions SET authorise_until = now() WHERE id = :id AND state = 1")


def planned(amount: int, *, in_instalments: bool) -> list[int]:
    """What a reservation is paid in, by the words of the contract."""
    if not in_instalments or amount < 100:
        return [amount]
    first, second = amount * 35 // 100, amount * 70 // 100
    return [first, second - first, amount - second]


class Vouchers(RuleBasedStateMachine):
    """Vouchers come and are given back."""

    world: ClassVar[World]
    reached: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.world.offer(start=self.world.today)
        self.programmes = [
            self.world.programme(fund=250_000, paymentRule={**rule, "noShowPercent": NO_SHOW_PERCENT})
            for rule in (NO_EVIDENCE["paymentRule"], IN_INSTALMENTS)
        ]
        self.journal = Journal(self.world)

    @rule(target=vouchers, in_instalments=st.booleans())
    def apply(self, in_instalments: bool) -> Any:
        learner = self.world.learner()
        application = self.world.apply(learner, self.programmes[in_instalments])
        self.journal.events += 2 if application.voucher else 1
        if not application.voucher:
            assert list(application.reason_codes) == ["BUDGET_EXHAUSTED"]
            return multiple()
        self.journal.values[application.voucher] = cents(application.amount)
        self.journal.owners[application.voucher] = learner
        if in_instalments:
            self.journal.in_instalments.add(application.voucher)
        return application.voucher

    @rule(voucher=vouchers)
    def cancel(self, voucher: str) -> None:
        owner, request = self.journal.owners[voucher], voucher_pb2.CancelVoucherRequest(name=voucher)
        if self.journal.acknowledged(lambda: owner.vouchers.CancelVoucher(request), 1):
            self.journal.ended.add(voucher)

    @rule(voucher=vouchers)
    def reissue(self, voucher: str) -> None:
        owner = self.journal.owners[voucher]
        request = voucher_pb2.ReissueVoucherRequest(name=voucher, reason_code=1, request_id=request_id())
        self.journal.acknowledged(lambda: owner.vouchers.ReissueVoucher(request), 1)


class Redemptions(Vouchers):
    """Vouchers are spent: every step of a redemption, tried whatever state it is in."""

    @rule(target=redemptions, voucher=vouchers, amount=AMOUNTS)
    def reserve(self, voucher: str, amount: int) -> Any:
        journal, owner = self.journal, self.journal.owners[voucher]
        answer = journal.acknowledged(lambda: self.world.reserve(owner, voucher, amount), 1)
        free = journal.values[voucher] - journal.used(voucher)
        assert (answer is not None) == (amount <= min(free, 100_000) and voucher not in journal.ended)
        if answer is None:
            return multiple()
        journal.reserved[answer.name] = (voucher, amount)
        journal.planned[answer.name] = planned(amount, in_instalments=voucher in journal.in_instalments)
        return answer.name

    @rule(redemption=redemptions)
    def authorise(self, redemption: str) -> None:
        owner, request = self.owner(redemption), pb.AuthoriseRedemptionRequest(name=redemption)
        self.journal.acknowledged(lambda: owner.redemptions.AuthoriseRedemption(request), 1)

    @rule(redemption=redemptions)
    def start(self, redemption: str) -> None:
        request = pb.StartRedemptionRequest(name=redemption)
        self.journal.acknowledged(lambda: self.world.provider.redemptions.StartRedemption(request), 1)

    @rule(redemption=redemptions)
    def deliver(self, redemption: str) -> None:
        request = pb.DeliverRedemptionRequest(name=redemption)
        self.journal.acknowledged(lambda: self.world.provider.redemptions.DeliverRedemption(request), 1)

    @rule(target=redemptions, voucher=vouchers, amount=AMOUNTS)
    def attend(self, voucher: str, amount: int) -> Any:
        """All steps up to the delivery: by chance alone few redemptions would ever be accepted."""
        redemption = self.reserve(voucher, amount)
        if isinstance(redemption, str):
            self.authorise(redemption)
            self.start(redemption)
            self.deliver(redemption)
        return redemption

    @rule(target=redemptions, voucher=vouchers, amount=st.integers(1, 40_000), percents=SHARES)
    def train(self, voucher: str, amount: int, percents: list[int]) -> Any:
        """The same up to acceptance, or that of several instalments; those become redemptions too."""
        redemption = self.attend(voucher, amount)
        if not isinstance(redemption, str):
            return redemption
        parts = [self.go_on(redemption, percent) for percent in percents]
        return multiple(redemption, *(part for part in parts if isinstance(part, str)))

    @initialize(
        target=redemptions,
        amount=st.integers(1, 60_000),
        percents=SHARES,
        in_instalments=st.booleans(),
        missed=st.booleans(),
    )
    def begin(self, amount: int, percents: list[int], in_instalments: bool, missed: bool) -> Any:
        """Few runs would come as far as here by themselves."""
        voucher = self.apply(in_instalments)
        if missed:
            other = self.reserve(voucher, 30_000)
            self.authorise(other)
            self.no_show(other)
        return self.train(voucher, amount, percents)

    @rule(redemption=redemptions)
    def no_show(self, redemption: str) -> None:
        request = pb.ReportNoShowRequest(name=redemption)
        reserved = self.journal.reserved.get(redemption, ("", 0))[1]
        paid = reserved * NO_SHOW_PERCENT // 100
        call = self.world.provider.redemptions.ReportNoShow
        answer = self.journal.acknowledged(lambda: call(request), 1 if paid else 2)
        self.reached["no-show"] += answer is not None
        if answer is not None and paid:
            self.journal.missed[redemption] = paid
        elif answer is not None:
            self.journal.resolve(redemption)

    @rule(target=redemptions, redemption=redemptions, percent=st.integers(1, 120))
    def accept(self, redemption: str, percent: int) -> Any:
        due, *later = self.journal.due(redemption)
        amount = due * percent // 100 or 1
        request = pb.AcceptRedemptionRequest(name=redemption, amount=eur(amount))
        call = self.world.caseworker.redemptions.AcceptRedemption
        try:
            answer = call(request)
        except Refused:
            return multiple()
        assert amount <= due
        voucher, reserved = self.journal.resolve(redemption)
        self.journal.spent[voucher] = self.journal.spent.get(voucher, 0) + amount
        self.journal.events = self.journal.count_events()
        self.reached["last" if not later else "part"] += 1
        if not later:
            return multiple()
        self.journal.reserved[redemption] = (voucher, reserved - due)
        self.journal.planned[redemption] = later
        assert answer.state == pb.Redemption.STATE_STARTED
        return [each.redemption for each in answer.instalments if each.redemption][-1]

    @rule(target=redemptions, redemption=redemptions, percent=st.integers(1, 100))
    def go_on(self, redemption: str, percent: int) -> Any:
        """An instalment more, or what there is."""
        self.deliver(redemption)
        return self.accept(redemption, percent)

    @rule(redemption=redemptions, percent=st.integers(1, 120))
    def claw_back(self, redemption: str, percent: int) -> None:
        amount, reason = self.kept(redemption) * percent // 100 or 1, pb.Redemption.END_REASON_MISTAKE
        request = pb.ClawBackRedemptionRequest(name=redemption, amount=eur(amount), reason_code=reason)
        if self.journal.acknowledged(lambda: self.world.payer.redemptions.ClawBackRedemption(request), 1):
            self.unspend(redemption, amount)

    @rule(redemption=redemptions, percent=st.integers(1, 120))
    def refund(self, redemption: str, percent: int) -> None:
        amount, reason = self.kept(redemption) * percent // 100 or 1, pb.Redemption.END_REASON_OTHER
        request = pb.RefundRedemptionRequest(name=redemption, amount=eur(amount), reason_code=reason)
        call = self.world.provider.redemptions.RefundRedemption
        if self.journal.acknowledged(lambda: call(request), 1):
            self.unspend(redemption, amount)

    @rule(redemption=redemptions)
    def void(self, redemption: str) -> None:
        owner, request = self.owner(redemption), pb.VoidRedemptionRequest(name=redemption)
        if self.journal.acknowledged(lambda: owner.redemptions.VoidRedemption(request), 1):
            self.journal.resolve(redemption)

    def owner(self, redemption: str) -> Any:
        return self.journal.owners[self.read(redemption).voucher]

    def read(self, redemption: str) -> Any:
        return self.world.auditor.redemptions.GetRedemption(pb.GetRedemptionRequest(name=redemption))

    def kept(self, redemption: str) -> int:
        """Cents accepted of a redemption and not taken back."""
        found = self.read(redemption)
        return cents(found.accepted_amount) - cents(found.clawed_back_amount)

    def unspend(self, redemption: str, amount: int) -> None:
        voucher = self.read(redemption).voucher
        self.journal.spent[voucher] -= amount
        assert self.journal.spent[voucher] >= 0


class Settlement(Redemptions):
    """Time passes and providers are paid."""

    @rule(redemption=redemptions)
    def time_out(self, redemption: str) -> None:
        with transaction(self.world.app) as tx:
            waiting = tx.execute(DUE, {"id": redemption.rpartition("/")[2]}).rowcount
        jobs.expire_reservations(self.world.app)
        if waiting:
            self.journal.resolve(redemption)
        self.journal.events += waiting

    @rule()
    def pay(self) -> None:
        self.world.bank_account()
        self.journal.events += 1
        try:
            name = self.world.batch().name
        except Refused:
            return
        freeze = payout_batch_pb2.FreezePayoutBatchRequest(name=name)
        self.world.payer.batches.FreezePayoutBatch(freeze)
        approve = payout_batch_pb2.ApprovePayoutBatchRequest(name=name)
        self.world.approver.batches.ApprovePayoutBatch(approve)
        self.journal.events += 1

    @rule()
    def sweep(self) -> None:
        jobs.expire_vouchers(self.world.app)
        jobs.release_held(self.world.app)
        jobs.checkpoint(self.world.app)


class Money(Settlement):
    """All of it, and what must hold after each step."""

    def __init__(self) -> None:
        super().__init__()
        # None but in a failing run: there, a replay in the same database must not stop at what the first
        # failure has left, or nobody would be told which steps lead to it.
        self.left = set(self.findings())

    def findings(self) -> list[Any]:
        return list(verify(self.world.app.side_engine, self.world.app.checkpoint_key).findings)

    @invariant()
    def the_ledger_is_intact(self) -> None:
        """I1, and that tables and ledger agree."""
        assert not (found := set(self.findings()) - self.left), found
        assert sum(self.world.balances().values()) == 0

    @invariant()
    def the_journal_agrees(self) -> None:
        """I2 and I3: what was acknowledged is there, and nothing is spent beyond a voucher's value."""
        journal = self.journal
        for name, value in journal.values.items():
            wallet = self.world.wallet(journal.owners[name], name)
            assert cents(wallet.reserved) == journal.held(name)
            assert journal.used(name) <= value
            if name not in journal.ended:
                assert cents(wallet.available) == value - journal.used(name)

    @invariant()
    def a_history_ends_with_what_the_voucher_is(self) -> None:
        """What is told out of the ledger is what the table has, whatever happened in whatever order."""
        for name, owner in self.journal.owners.items():
            request = voucher_pb2.ListVoucherHistoryRequest(parent=name, page_size=500)
            last, now = owner.vouchers.ListVoucherHistory(request).items[-1], self.world.wallet(owner, name)
            told = (last.state, last.available, last.reserved)
            assert told == (now.state, now.available, now.reserved), name

    @invariant()
    def nobody_sees_what_is_not_theirs(self) -> None:
        """I8."""
        if len(self.journal.owners) < 2:
            return
        (one, _), (_, other) = list(self.journal.owners.items())[:2]
        with pytest.raises(Refused) as raised:
            self.world.wallet(other, one)
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_money_keeps_its_invariants(world: World) -> None:
    reached = Counter[str]()
    run_state_machine_as_test(
        type("MoneyHere", (Money,), {"world": world, "reached": reached}),
        settings=settings(
            max_examples=16,
            stateful_step_count=20,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {"last", "part", "no-show"} <= set(+reached), "the machine no longer comes to what it is for"
