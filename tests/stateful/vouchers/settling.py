"""The part of the money machine in which providers are paid, and the bank says what came of it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule
from waymark.vouchers.v1 import bank_report_pb2, hold_pb2
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.vouchers import jobs
from tests.stateful.vouchers.spending import Redemptions, redemptions
from tests.support.bank import Booking, Status, camt054, pain002
from tests.support.canary import CANARY
from tests.support.vouchers import OTHER_IBAN, cents, request_id

batches, holds = Bundle("batches"), Bundle("holds")


class Settlement(Redemptions):
    """Batches go their way, each step tried whatever state they are in; holds stop what they name."""

    @rule(target=holds, redemption=redemptions)
    def hold(self, redemption: str) -> Any:
        hold = hold_pb2.Hold(target=redemption, reason=CANARY)
        place = self.world.payer.holds.PlaceHold
        return self.journal.acknowledged(lambda: place(hold_pb2.PlaceHoldRequest(hold=hold)), 0).name

    @rule(hold=holds)
    def release(self, hold: str) -> None:
        request = hold_pb2.ReleaseHoldRequest(name=hold, finding=CANARY)
        self.journal.acknowledged(lambda: self.world.approver.holds.ReleaseHold(request), 0)

    @rule(target=batches)
    def gather(self) -> Any:
        batch = self.journal.acknowledged(self.world.batch, 0)
        return batch.name if batch else multiple()

    @rule(batch=batches)
    def freeze(self, batch: str) -> None:
        request = pb.FreezePayoutBatchRequest(name=batch)
        self.journal.acknowledged(lambda: self.world.payer.batches.FreezePayoutBatch(request), 0)

    @rule(batch=batches)
    def approve(self, batch: str) -> None:
        request = pb.ApprovePayoutBatchRequest(name=batch)
        self.journal.acknowledged(lambda: self.world.approver.batches.ApprovePayoutBatch(request), 1)

    @rule(batch=batches)
    def send(self, batch: str) -> None:
        request = pb.MarkPayoutBatchSentRequest(name=batch)
        self.journal.acknowledged(lambda: self.world.payer.batches.MarkPayoutBatchSent(request), 1)

    @rule(batch=batches)
    def give_up(self, batch: str) -> None:
        request = pb.CancelPayoutBatchRequest(name=batch, reason=CANARY)
        self.journal.acknowledged(lambda: self.world.payer.batches.CancelPayoutBatch(request), 1)

    @rule(batch=batches)
    def retract(self, batch: str) -> None:
        request = pb.RetractBankFileRequest(name=batch)
        self.journal.acknowledged(lambda: self.world.approver.batches.RetractBankFile(request), 0)

    @rule(batch=batches)
    def fetch(self, batch: str) -> None:
        request = pb.GetBankFileRequest(name=batch)
        self.journal.acknowledged(lambda: self.world.payer.batches.GetBankFile(request), 0)

    @rule(target=batches)
    def pay(self) -> Any:
        """All steps up to the bank: by chance alone few payments would ever get there."""
        batch = self.gather()
        if isinstance(batch, str):
            self.freeze(batch)
            self.approve(batch)
            self.fetch(batch)
            self.send(batch)
        return batch

    @rule(batch=batches, code=st.sampled_from(["ACSC", "RJCT", "ACSP"]))
    def bank_says(self, batch: str, code: str) -> None:
        payments = [
            Status(each.end_to_end_id, code, cents=cents(each.amount)) for each in self.payments(batch)
        ]
        self.take_in(pain002(request_id()[:35], payments))

    @rule(batch=batches, back=st.booleans())
    def bank_books(self, batch: str, back: bool) -> None:
        booked = [Booking(each.end_to_end_id, cents(each.amount), back=back) for each in self.payments(batch)]
        self.take_in(camt054(request_id()[:35], booked, account=OTHER_IBAN))

    @rule()
    def sweep(self) -> None:
        jobs.expire_vouchers(self.world.app)
        jobs.release_held(self.world.app)
        jobs.checkpoint(self.world.app)
        self.journal.events = self.journal.count_events()

    def payments(self, batch: str) -> list[Any]:
        """What the bank would have a word on."""
        read = self.world.auditor.batches.GetPayoutBatch(pb.GetPayoutBatchRequest(name=batch))
        return [each for each in read.payouts if cents(each.amount)]

    def take_in(self, content: bytes) -> None:
        """Takes a file of the bank in."""
        request = bank_report_pb2.ImportBankReportRequest(content=content)
        assert self.journal.acknowledged(lambda: self.world.payer.bank_reports.ImportBankReport(request))
