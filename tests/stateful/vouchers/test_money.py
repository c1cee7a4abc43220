"""Programme → voucher → redemption → ledger in any order: invariants I1-I4 and I8 after each step.

The machine keeps a journal of what was acknowledged, and compares it with the real service and its database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from waymark.vouchers.v1 import payout_batch_pb2, redemption_pb2, voucher_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.verification import verify
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur

pb = redemption_pb2
Refused = grpc.RpcError
WRITES = text("SELECT (SELECT count(*) FROM outbox) AS events, (SELECT count(*) FROM inbox) AS effects")


def machine(world: World) -> type[RuleBasedStateMachine]:
    """Returns a state machine on this world."""

    class Money(RuleBasedStateMachine):
        learners = Bundle("learners")
        vouchers = Bundle("vouchers")
        redemptions = Bundle("redemptions")

        def __init__(self) -> None:
            super().__init__()
            self.programme = world.programme(fund=250_000, **NO_EVIDENCE)
            self.values: dict[str, int] = {}
            self.owners: dict[str, Any] = {}
            self.spent: dict[str, int] = {}
            self.reserved: dict[str, tuple[str, int]] = {}
            self.ended: set[str] = set()
            self.events = self.count_events()

        def count_events(self) -> int:
            with transaction(world.app) as tx:
                return int(tx.execute(WRITES).one().events)

        def acknowledged(self, call: Callable[[], Any], events: int) -> Any:
            """Runs a call; when it is acknowledged, exactly so many events are in the outbox (I4)."""
            try:
                answer = call()
            except Refused:
                assert self.count_events() == self.events, "a refused call left an event"
                return None
            self.events += events
            assert self.count_events() == self.events
            return answer

        @rule(target=vouchers)
        def apply(self) -> Any:
            learner = world.learner()
            application = world.apply(learner, self.programme)
            self.events += 2 if application.voucher else 1
            if not application.voucher:
                assert list(application.reason_codes) == ["BUDGET_EXHAUSTED"]
                return multiple()
            self.values[application.voucher] = cents(application.amount)
            self.owners[application.voucher] = learner
            return application.voucher

        @rule(target=redemptions, voucher=vouchers, amount=st.integers(1, 120_000))
        def reserve(self, voucher: str, amount: int) -> Any:
            owner = self.owners[voucher]
            answer = self.acknowledged(lambda: world.reserve(owner, voucher, amount), 1)
            free = self.values[voucher] - self.used(voucher)
            assert (answer is not None) == (amount <= min(free, 100_000) and voucher not in self.ended)
            if answer is None:
                return multiple()
            self.reserved[answer.name] = (voucher, amount)
            return answer.name

        def used(self, voucher: str) -> int:
            held = sum(amount for whose, amount in self.reserved.values() if whose == voucher)
            return held + self.spent.get(voucher, 0)

        @rule(redemption=redemptions)
        def authorise(self, redemption: str) -> None:
            owner = self.owner(redemption)
            request = pb.AuthoriseRedemptionRequest(name=redemption)
            self.acknowledged(lambda: owner.redemptions.AuthoriseRedemption(request), 1)

        @rule(redemption=redemptions)
        def start(self, redemption: str) -> None:
            request = pb.StartRedemptionRequest(name=redemption)
            self.acknowledged(lambda: world.provider.redemptions.StartRedemption(request), 1)

        @rule(redemption=redemptions)
        def deliver(self, redemption: str) -> None:
            request = pb.DeliverRedemptionRequest(name=redemption)
            self.acknowledged(lambda: world.provider.redemptions.DeliverRedemption(request), 1)

        @rule(redemption=redemptions, amount=st.integers(1, 120_000))
        def accept(self, redemption: str, amount: int) -> None:
            request = pb.AcceptRedemptionRequest(name=redemption, amount=eur(amount))
            try:
                world.caseworker.redemptions.AcceptRedemption(request)
            except Refused:
                return
            voucher, reserved = self.reserved.pop(redemption)
            assert amount <= reserved
            self.spent[voucher] = self.spent.get(voucher, 0) + amount
            self.events = self.count_events()

        @rule(redemption=redemptions, amount=st.integers(1, 120_000))
        def claw_back(self, redemption: str, amount: int) -> None:
            reason = pb.Redemption.END_REASON_MISTAKE
            request = pb.ClawBackRedemptionRequest(name=redemption, amount=eur(amount), reason_code=reason)
            if self.acknowledged(lambda: world.payer.redemptions.ClawBackRedemption(request), 1):
                get = pb.GetRedemptionRequest(name=redemption)
                voucher = world.auditor.redemptions.GetRedemption(get).voucher
                self.spent[voucher] -= amount
                assert self.spent[voucher] >= 0

        @rule(redemption=redemptions)
        def void(self, redemption: str) -> None:
            owner = self.owner(redemption)
            request = pb.VoidRedemptionRequest(name=redemption)
            if self.acknowledged(lambda: owner.redemptions.VoidRedemption(request), 1):
                self.reserved.pop(redemption)  # a reservation resolves once: a second time is a KeyError (I2)

        @rule(redemption=redemptions)
        def time_out(self, redemption: str) -> None:
            key = redemption.rpartition("/")[2]
            with transaction(world.app) as tx:
                due = text("UPDATE redemptions SET authorise_until = now() WHERE id = :id AND state = 1")
                waiting = tx.execute(due, {"id": key}).rowcount
            jobs.expire_reservations(world.app)
            if waiting:
                self.reserved.pop(redemption)
            self.events += waiting

        @rule(voucher=vouchers)
        def cancel(self, voucher: str) -> None:
            request = voucher_pb2.CancelVoucherRequest(name=voucher)
            if self.acknowledged(lambda: self.owners[voucher].vouchers.CancelVoucher(request), 1):
                self.ended.add(voucher)

        @rule()
        def pay(self) -> None:
            world.bank_account()
            self.events += 1
            try:
                batch = world.batch()
            except Refused:
                return
            name = batch.name
            world.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=name))
            approve = payout_batch_pb2.ApprovePayoutBatchRequest(name=name)
            world.approver.batches.ApprovePayoutBatch(approve)
            self.events += 1

        @rule()
        def sweep(self) -> None:
            jobs.expire_vouchers(world.app)
            jobs.release_held(world.app)
            jobs.checkpoint(world.app)

        def owner(self, redemption: str) -> Any:
            get = pb.GetRedemptionRequest(name=redemption)
            voucher = world.auditor.redemptions.GetRedemption(get).voucher
            return self.owners[voucher]

        @invariant()
        def the_ledger_is_intact(self) -> None:
            """I1, and that tables and ledger agree."""
            report = verify(world.app.side_engine, world.app.checkpoint_key)
            assert not report.findings, report.findings
            assert sum(world.balances().values()) == 0

        @invariant()
        def the_journal_agrees(self) -> None:
            """I2 and I3: what was acknowledged is there, and nothing is spent beyond a voucher's value."""
            for name, value in self.values.items():
                wallet = world.wallet(self.owners[name], name)
                held = sum(amount for whose, amount in self.reserved.values() if whose == name)
                assert cents(wallet.reserved) == held
                assert self.used(name) <= value
                if name not in self.ended:
                    assert cents(wallet.available) == value - self.used(name)

        @invariant()
        def nobody_sees_what_is_not_theirs(self) -> None:
            """I8."""
            if len(self.owners) < 2:
                return
            (one, _), (_, other) = list(self.owners.items())[:2]
            with pytest.raises(Refused) as raised:
                world.wallet(other, one)
            assert raised.value.code() is grpc.StatusCode.NOT_FOUND

    return Money


def test_money_keeps_its_invariants(world: World) -> None:
    run_state_machine_as_test(
        machine(world),
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
