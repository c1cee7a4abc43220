"""SandboxService: a provider plays the learner, the caseworker and the bank, without anybody's money."""

from __future__ import annotations

from typing import Any

from waymark.vouchers.v1 import redemption_pb2, sandbox_pb2_grpc
from waymark.vouchers.v1 import sandbox_pb2 as pb

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation
from services.vouchers.api.convert import moment
from services.vouchers.api.redemption_messages import changed, redemption_messages
from services.vouchers.api.redemptions import (
    accept,
    asked,
    authorise,
    end,
    settling,
    stepping,
    take_back,
)
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.granting import issue_code
from services.vouchers.sandbox import make_voucher, pay_out
from services.vouchers.store import names, receivables, redemptions


class SandboxApi(sandbox_pb2_grpc.SandboxServiceServicer):
    """Lets providers test their integration."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation(answer_stored=False)
    def CreateSandboxVoucher(
        self, tx: Transaction, request: pb.CreateSandboxVoucherRequest
    ) -> pb.CreateSandboxVoucherResponse:
        row = make_voucher(self.app, tx, request.parent, request.programme, request.session)
        return pb.CreateSandboxVoucherResponse(
            learner=row.learner,
            code=issue_code(self.app, tx, str(row.id)),
            value=money(row.value_cents, row.currency),
            expire_time=moment(row.expires_at),
        )

    @mutation(ahead=stepping)
    def AuthoriseSandboxRedemption(
        self, tx: Transaction, request: pb.AuthoriseSandboxRedemptionRequest
    ) -> redemption_pb2.Redemption:
        return authorise(self.app, tx, _locked(tx, request))

    @mutation(ahead=settling)
    def AcceptSandboxRedemption(
        self, tx: Transaction, request: pb.AcceptSandboxRedemptionRequest
    ) -> redemption_pb2.Redemption:
        row = _locked_with_money(tx, request)
        return changed(self.app, tx, row, accept(self.app, tx, row, asked(request, row.currency)))

    @mutation(ahead=settling)
    def RejectSandboxRedemption(
        self, tx: Transaction, request: pb.RejectSandboxRedemptionRequest
    ) -> redemption_pb2.Redemption:
        row = _locked_with_money(tx, request)
        return end(self.app, tx, row, redemptions.redemption_of(row).reject(), request.reason_code)

    @mutation(ahead=stepping)
    def PaySandboxRedemption(
        self, tx: Transaction, request: pb.PaySandboxRedemptionRequest
    ) -> redemption_pb2.Redemption:
        row = _locked(tx, request)
        pay_out(tx, row, request.return_code)
        return redemption_messages(self.app, tx, [redemptions.get(tx, str(row.id))])[0]

    @mutation
    def ClawBackSandboxRedemption(
        self, tx: Transaction, request: pb.ClawBackSandboxRedemptionRequest
    ) -> redemption_pb2.Redemption:
        row = receivables.lock_redemption(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency, sandbox=True)
        return take_back(self.app, tx, row, request)


def _locked(tx: Transaction, request: Any) -> Any:
    row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
    keep_apart(row.currency, sandbox=True)
    return row


def _locked_with_money(tx: Transaction, request: Any) -> Any:
    row = redemptions.lock_with_money(tx, names.uuid_in(request.name, "redemptions"))
    keep_apart(row.currency, sandbox=True)
    return row
