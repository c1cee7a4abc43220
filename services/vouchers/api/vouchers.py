"""VoucherService: the learner's wallet."""

from __future__ import annotations

from waymark.vouchers.v1 import voucher_pb2 as pb
from waymark.vouchers.v1 import voucher_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.voucher_life import VoucherLifeMethods
from services.vouchers.api.voucher_messages import voucher_message
from services.vouchers.app import VouchersApp
from services.vouchers.desk import never_ones_own
from services.vouchers.domain import qr
from services.vouchers.domain.states import VoucherState
from services.vouchers.ending import end_voucher
from services.vouchers.granting import issue_code
from services.vouchers.store import names, vouchers
from services.vouchers.store.tables import vouchers as table


class VoucherApi(VoucherLifeMethods, voucher_pb2_grpc.VoucherServiceServicer):
    """Keeps the learner's wallet."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetVoucher(self, tx: Transaction, request: pb.GetVoucherRequest) -> pb.Voucher:
        return voucher_message(vouchers.get(tx, names.uuid_in(request.name, "vouchers")), self.app.notes)

    @query
    def ListVouchers(self, tx: Transaction, request: pb.ListVouchersRequest) -> pb.ListVouchersResponse:
        found = page(
            tx,
            self.app.signer,
            vouchers.of_learner(request.learner),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"learner": request.learner},
        )
        return pb.ListVouchersResponse(
            vouchers=[voucher_message(row, self.app.notes) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    @mutation(answer_stored=False)
    def IssueVoucherCode(
        self, tx: Transaction, request: pb.IssueVoucherCodeRequest
    ) -> pb.IssueVoucherCodeResponse:
        code = issue_code(self.app, tx, names.uuid_in(request.name, "vouchers"))
        return pb.IssueVoucherCodeResponse(code=code)

    @query
    def GetVoucherQr(self, tx: Transaction, request: pb.GetVoucherQrRequest) -> pb.GetVoucherQrResponse:
        row = vouchers.get(tx, names.uuid_in(request.name, "vouchers"))
        key = self.app.qr_key
        programme = f"programmes/{row.programme_id}"
        token = qr.voucher_token(key, request.name, programme, row.expires_at, row.issue_number)
        svg, png = qr.pictures(token)
        return pb.GetVoucherQrResponse(token=token, key_id=key.id, public_key=key.public, svg=svg, png=png)

    @mutation
    def CancelVoucher(self, tx: Transaction, request: pb.CancelVoucherRequest) -> pb.Voucher:
        voucher_id = names.uuid_in(request.name, "vouchers")
        end_voucher(tx, voucher_id, VoucherState.CANCELLED)
        return voucher_message(vouchers.get(tx, voucher_id), self.app.notes)

    @mutation
    def RevokeVoucher(self, tx: Transaction, request: pb.RevokeVoucherRequest) -> pb.Voucher:
        voucher_id = names.uuid_in(request.name, "vouchers")
        never_ones_own(tx, vouchers.get(tx, voucher_id).learner)
        end_voucher(tx, voucher_id, VoucherState.REVOKED)
        note = self.app.notes.seal(f"vouchers/{voucher_id}", request.reason)
        vouchers.say_why(tx, voucher_id, request.reason_code, note)
        return voucher_message(vouchers.get(tx, voucher_id), self.app.notes)
