"""The part of the money machine in which vouchers come, are spent, extended and end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, precondition, rule
from sqlalchemy import text
from waymark.vouchers.v1 import redemption_pb2 as pb
from waymark.vouchers.v1 import voucher_pb2, waiting_list_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from tests.stateful.vouchers.journal import Journal
from tests.support.canary import CANARY
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur, request_id

vouchers, redemptions, waiters = Bundle("vouchers"), Bundle("redemptions"), Bundle("waiters")
NO_SHOW_PERCENT = 40
PERCENTS = (35, 35, 30)
IN_INSTALMENTS = {"instalments": [{"trigger": "TRIGGER_DELIVERY", "percent": each} for each in PERCENTS]}
AMOUNTS = st.integers(1, 120_000)
SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=3)  # percents of what is due
LIMITS = {
    "redemption": text("UPDATE redemptions SET authorise_until = now() WHERE id = :id AND state = 1"),
    "voucher": text(
        "UPDATE vouchers SET order_until = least(order_until, now()), expires_at = now() "
        "WHERE id = :id AND state <= 3"
    ),
    "offer": text("UPDATE waiting_list SET accept_until = now() WHERE id = :id AND state = 2"),
}


def planned(amount: int, *, in_instalments: bool) -> list[int]:
    """What a reservation is paid in, by the words of the contract."""
    if not in_instalments or amount < 100:
        return [amount]
    first, second = amount * 35 // 100, amount * 70 // 100
    return [first, second - first, amount - second]


class Vouchers(RuleBasedStateMachine):
    """Vouchers come, are extended, end and are given back."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.offer(start=self.world.today)
        self.programme, self.in_instalments = [
            self.world.programme(fund=250_000, paymentRule={**rule, "noShowPercent": NO_SHOW_PERCENT})
            for rule in (NO_EVIDENCE["paymentRule"], IN_INSTALMENTS)
        ]
        self.journal = Journal(self.world)
        self.refused: list[tuple[Any, str]] = []

    @rule(target=vouchers, in_instalments=st.booleans())
    def apply(self, in_instalments: bool = False) -> Any:
        learner = self.world.learner()
        application = self.world.apply(learner, self.in_instalments if in_instalments else self.programme)
        self.journal.events += 2 if application.voucher else 1
        if not application.voucher:
            assert list(application.reason_codes) == ["BUDGET_EXHAUSTED"]
            if not in_instalments:
                self.refused.append((learner, application.name))
            return multiple()
        if in_instalments:
            self.journal.in_instalments.add(application.voucher)
        return self.journal.granted(learner, application.voucher, cents(application.amount))

    @rule(voucher=vouchers)
    def cancel(self, voucher: str) -> None:
        owner, request = self.journal.owners[voucher], voucher_pb2.CancelVoucherRequest(name=voucher)
        if self.journal.acknowledged(lambda: owner.vouchers.CancelVoucher(request), 1):
            self.journal.ended.add(voucher)

    @rule(voucher=vouchers)
    def revoke(self, voucher: str) -> None:
        why = voucher_pb2.Voucher.END_REASON_OTHER
        request = voucher_pb2.RevokeVoucherRequest(name=voucher, reason_code=why, reason=CANARY)
        if self.journal.acknowledged(lambda: self.world.caseworker.vouchers.RevokeVoucher(request), 1):
            self.journal.ended.add(voucher)

    @rule(voucher=vouchers)
    def reissue(self, voucher: str) -> None:
        owner = self.journal.owners[voucher]
        request = voucher_pb2.ReissueVoucherRequest(name=voucher, reason_code=1, request_id=request_id())
        self.journal.acknowledged(lambda: owner.vouchers.ReissueVoucher(request), 1)

    @rule(voucher=vouchers, days=st.integers(1, 60))
    def extend(self, voucher: str, days: int) -> None:
        """One person where the rules leave that to one, else a second one approves."""
        until = self.world.wallet(self.journal.owners[voucher], voucher).expire_time
        until.FromDatetime(until.ToDatetime() + timedelta(days=days))
        request = voucher_pb2.ExtendVoucherRequest(name=voucher, reason_code=1, expire_time=until)
        extend = self.world.caseworker.vouchers.ExtendVoucher
        answer = self.journal.acknowledged(lambda: extend(request), lambda made: made.expire_time == until)
        if answer is not None and answer.expire_time != until:
            second = voucher_pb2.ApproveVoucherExtensionRequest(name=voucher, expire_time=until)
            approve = self.world.person("caseworker").vouchers.ApproveVoucherExtension
            assert self.journal.acknowledged(lambda: approve(second), 1)

    @rule(voucher=vouchers)
    def expire(self, voucher: str) -> None:
        if self.past("voucher", voucher):
            self.journal.ended.add(voucher)
            self.journal.events += 1
        jobs.expire_vouchers(self.world.app)

    def past(self, kind: str, name: str) -> int:
        """Turns the limit of something that waits to now; returns whether there was any."""
        with transaction(self.world.app) as tx:
            return int(tx.execute(LIMITS[kind], {"id": name.rpartition("/")[2]}).rowcount)


class Waiting(Vouchers):
    """Who got nothing waits for money, and is offered it in turn."""

    @precondition(lambda self: self.refused)
    @rule(target=waiters)
    def join(self) -> Any:
        learner, application = self.refused.pop()
        request = waiting_list_pb2.JoinWaitingListRequest(name=application, request_id=request_id())
        entry = self.journal.acknowledged(lambda: learner.waiting.JoinWaitingList(request), 0)
        return (learner, entry.name)

    @rule()
    def offer(self) -> None:
        jobs.offer_waiting(self.world.app)
        self.journal.events = self.journal.count_events()

    @rule(target=vouchers, waiter=waiters)
    def accept_offer(self, waiter: Any) -> Any:
        learner, name = waiter
        request = waiting_list_pb2.AcceptWaitingListOfferRequest(name=name, request_id=request_id())
        entry = self.journal.acknowledged(lambda: learner.waiting.AcceptWaitingListOffer(request))
        if entry is None or not entry.voucher:
            return multiple()
        value = cents(self.world.wallet(learner, entry.voucher).available)
        return self.journal.granted(learner, entry.voucher, value)

    @rule(waiter=waiters)
    def leave(self, waiter: Any) -> None:
        learner, name = waiter
        request = waiting_list_pb2.LeaveWaitingListRequest(name=name, request_id=request_id())
        self.journal.acknowledged(lambda: learner.waiting.LeaveWaitingList(request), 1)

    @rule(waiter=waiters)
    def lapse(self, waiter: Any) -> None:
        self.past("offer", waiter[1])
        self.offer()


class Redemptions(Waiting):
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
        mended=st.booleans(),
    )
    def begin(
        self, amount: int, percents: list[int], in_instalments: bool, missed: bool, mended: bool
    ) -> Any:
        """Few runs would come as far as here by themselves."""
        voucher = self.apply(in_instalments)
        if missed:
            other = self.reserve(voucher, 30_000)
            self.authorise(other)
            self.no_show(other)
        if mended and isinstance(late := self.attend(voucher, 10_000), str):
            self.send_back(late)
        return self.train(voucher, amount, percents)

    @rule(redemption=redemptions)
    def no_show(self, redemption: str) -> None:
        journal, request = self.journal, pb.ReportNoShowRequest(name=redemption)
        paid = journal.reserved.get(redemption, ("", 0))[1] * NO_SHOW_PERCENT // 100
        report = self.world.provider.redemptions.ReportNoShow
        answer = journal.acknowledged(lambda: report(request), 1 if paid else 2)
        if answer is not None and paid:
            journal.missed[redemption] = paid
        elif answer is not None:
            journal.resolve(redemption)

    @rule(target=redemptions, redemption=redemptions, percent=st.integers(1, 120))
    def accept(self, redemption: str, percent: int) -> Any:
        journal, accept = self.journal, self.world.caseworker.redemptions.AcceptRedemption
        voucher, reserved = journal.reserved.get(redemption, ("", 100))
        due, *later = journal.due(redemption)
        amount = due * percent // 100 or 1
        request = pb.AcceptRedemptionRequest(name=redemption, amount=eur(amount))
        exhausted = not later and journal.ends_with(voucher, reserved, amount)
        answer = journal.acknowledged(lambda: accept(request), 1 + exhausted)
        if answer is None:
            return multiple()
        assert journal.resolve(redemption) == (voucher, reserved)
        assert amount <= due
        journal.spent[voucher] = journal.spent.get(voucher, 0) + amount
        if not later:
            return multiple()
        journal.reserved[redemption], journal.planned[redemption] = (voucher, reserved - due), later
        assert answer.state == pb.Redemption.STATE_STARTED
        return [each.redemption for each in answer.instalments if each.redemption][-1]

    @rule(target=redemptions, redemption=redemptions, percent=st.integers(1, 100))
    def go_on(self, redemption: str, percent: int) -> Any:
        """An instalment more, or what there is."""
        self.deliver(redemption)
        return self.accept(redemption, percent)

    @rule(redemption=redemptions)
    def send_back(self, redemption: str) -> None:
        """What is handed in, and hand it in anew."""
        self.deliver(redemption)
        why = pb.Redemption.END_REASON_EVIDENCE_INSUFFICIENT
        request = pb.ReturnDeliveryRequest(name=redemption, reason_code=why, reason=CANARY)
        self.journal.acknowledged(lambda: self.world.caseworker.redemptions.ReturnDelivery(request), 1)
        self.deliver(redemption)

    @rule(redemption=redemptions)
    def reject(self, redemption: str) -> None:
        why = pb.Redemption.END_REASON_MISTAKE
        request = pb.RejectRedemptionRequest(name=redemption, reason_code=why, reason=CANARY)
        if self.journal.acknowledged(lambda: self.world.caseworker.redemptions.RejectRedemption(request), 1):
            self.journal.resolve(redemption)

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
        refund = self.world.provider.redemptions.RefundRedemption
        if self.journal.acknowledged(lambda: refund(request), 1):
            self.unspend(redemption, amount)

    @rule(redemption=redemptions)
    def void(self, redemption: str) -> None:
        owner, request = self.owner(redemption), pb.VoidRedemptionRequest(name=redemption, reason=CANARY)
        if self.journal.acknowledged(lambda: owner.redemptions.VoidRedemption(request), 1):
            self.journal.resolve(redemption)

    @rule(redemption=redemptions)
    def time_out(self, redemption: str) -> None:
        if self.past("redemption", redemption):
            self.journal.resolve(redemption)
            self.journal.events += 1
        jobs.expire_reservations(self.world.app)

    def owner(self, redemption: str) -> Any:
        return self.journal.owners[self.read(redemption).voucher]

    def read(self, redemption: str) -> Any:
        return self.world.auditor.redemptions.GetRedemption(pb.GetRedemptionRequest(name=redemption))

    def kept(self, redemption: str) -> int:
        """Cents accepted of a redemption and not taken back."""
        found = self.read(redemption)
        return cents(found.accepted_amount) - cents(found.clawed_back_amount)

    def unspend(self, redemption: str, amount: int) -> None:
        voucher, journal = self.read(redemption).voucher, self.journal
        journal.spent[voucher] -= amount
        assert journal.spent[voucher] >= 0
        wallet = self.world.wallet(journal.owners[voucher], voucher)
        if voucher in journal.ended and wallet.state < voucher_pb2.Voucher.STATE_EXHAUSTED:
            # It had expired and is open again, for what is on it now; the rest stays with the programme.
            journal.ended.remove(voucher)
            journal.values[voucher] = cents(wallet.available) + journal.used(voucher)
            journal.events += 1
