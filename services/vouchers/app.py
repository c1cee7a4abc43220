"""What a process of the vouchers service holds: keys and compiled rules beside what every service has."""

from __future__ import annotations

import threading
from functools import cached_property

import sqlalchemy
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from waymark.vouchers.v1 import (
    alert_pb2,
    appeal_pb2,
    application_pb2,
    complaint_pb2,
    hold_pb2,
    inquiry_pb2,
    payout_batch_pb2,
    receivable_pb2,
    redemption_pb2,
    sanction_pb2,
    voucher_pb2,
)

from services.platform.app import App
from services.platform.db.engine import make_engine
from services.platform.db.transaction import Transaction
from services.platform.objects.clamd import Clamd
from services.platform.settings import Settings
from services.platform.signing import former_public_keys, signing_key
from services.vouchers.domain.notes import Notes
from services.vouchers.domain.programme import Rules, Version, compile_rules
from services.vouchers.store import programmes
from services.vouchers.webhooks import Deliverer

NOTES = "voucher-notes.key"
QR = "voucher-qr.pem"
CHECKPOINT = "ledger-checkpoint.pem"
# Requests that carry a note, and so do their answers.
NOTED = frozenset(
    {
        appeal_pb2.AppealApplicationRequest,
        appeal_pb2.DecideAppealRequest,
        application_pb2.AssignApplicationRequest,
        application_pb2.DecideApplicationRequest,
        inquiry_pb2.AnswerInquiryRequest,
        inquiry_pb2.CreateInquiryRequest,
        inquiry_pb2.WithdrawInquiryRequest,
        alert_pb2.CloseAlertRequest,
        alert_pb2.RaiseAlertRequest,
        alert_pb2.RecordFindingRequest,
        alert_pb2.ReopenAlertRequest,
        application_pb2.DecideApplicationRequest,
        complaint_pb2.FileComplaintRequest,
        hold_pb2.PlaceHoldRequest,
        hold_pb2.ReleaseHoldRequest,
        hold_pb2.RenewHoldRequest,
        payout_batch_pb2.CancelPayoutBatchRequest,
        receivable_pb2.ApproveWriteOffRequest,
        receivable_pb2.ProposeWriteOffRequest,
        redemption_pb2.ClawBackRedemptionRequest,
        redemption_pb2.RefundRedemptionRequest,
        redemption_pb2.RejectRedemptionRequest,
        redemption_pb2.ReturnDeliveryRequest,
        redemption_pb2.VoidRedemptionRequest,
        sanction_pb2.AppealSanctionRequest,
        sanction_pb2.DecideSanctionAppealRequest,
        sanction_pb2.ImposeSanctionRequest,
        sanction_pb2.ProposeSanctionRequest,
        voucher_pb2.RevokeVoucherRequest,
    }
)


class VouchersApp(App):
    """`code_key`: 32 bytes for HMACs of codes; `qr_key` and `checkpoint_key` sign with Ed25519; `qr_keys` and
    `checkpoint_keys`: their public keys by id, former ones too; `notes` seals what people write; `scanner`
    looks for malware in files, where there is one."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.code_key = settings.secret("voucher-code.key", size=32)
        self.qr_key = signing_key(settings, QR)
        self.qr_keys = {self.qr_key.id: self.qr_key.public, **former_public_keys(settings, QR)}
        self.checkpoint_key = signing_key(settings, CHECKPOINT)
        present = {self.checkpoint_key.id: self.checkpoint_key.public}
        self.checkpoint_keys = {**present, **former_public_keys(settings, CHECKPOINT)}
        self.notes = Notes(settings.secret(NOTES, size=32), settings.former_secrets(NOTES, size=32))
        self.scanner = Clamd(settings.clamav) if settings.clamav else None
        self._rules: dict[tuple[str, int], Rules] = {}
        self._lock = threading.Lock()

    @cached_property
    def side_engine(self) -> sqlalchemy.Engine:
        """A small pool for what must be kept although the call fails, and for reading the whole ledger, which
        takes two."""
        return make_engine(self.settings.database_url, 3)

    def rules(self, tx: Transaction, programme_id: str, number: int) -> Rules:
        """Returns the compiled rules of an active version; such a version never changes, so it is kept."""
        key = (programme_id, number)
        found = self._rules.get(key)
        if found is None:
            row = programmes.get_version(tx, programme_id, number)
            version = ParseDict(row.rules, Version())
            found = compile_rules(f"programmes/{programme_id}/versions/{number}", row.currency, version)
            if row.state == programmes.ACTIVE:
                with self._lock:
                    self._rules[key] = found
        return found

    def seal_answer(self, tx: Transaction, request: Message, answer: bytes) -> bytes:  # noqa: ARG002
        """Keeps answers that repeat a note as sealed as the note itself."""
        return self.notes.seal_answer(request, answer) if type(request) in NOTED else answer

    def open_answer(self, tx: Transaction, request: Message, kept: bytes) -> bytes:  # noqa: ARG002
        """Returns the answer that `seal_answer` kept."""
        return self.notes.open_answer(request, kept) if type(request) in NOTED else kept

    @cached_property
    def webhooks(self) -> Deliverer:
        """What is on its way to back offices; only the process that runs jobs has any."""
        return Deliverer(self)

    def close(self) -> None:
        """Gives back every connection."""
        if "webhooks" in self.__dict__:
            self.webhooks.close()
        if "side_engine" in self.__dict__:
            self.side_engine.dispose()
        super().close()
