"""VoucherService: the learner's wallet."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import voucher_pb2 as pb
from waymark.vouchers.v1 import voucher_pb2_grpc

from services.platform.db.etags import etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.api.voucher_life import VoucherLifeMethods
from services.vouchers.app import VouchersApp
from services.vouchers.domain import codes, qr
from services.vouchers.domain.history import Kind
from services.vouchers.domain.money import money
from services.vouchers.domain.notes import Notes
from services.vouchers.domain.states import VoucherState, need
from services.vouchers.domain.voucher import LIVE
from services.vouchers.ending import end_voucher
from services.vouchers.store import names, voucher_changes, vouchers
from services.vouchers.store.tables import vouchers as table


class VoucherApi(VoucherLifeMethods, voucher_pb2_grpc.VoucherServiceServicer):
    """Keeps the learner's wallet."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetVoucher(self, tx: Transaction, request: pb.GetVoucherRequest) -> pb.Voucher:
        return self._message(vouchers.get(tx, names.uuid_in(request.name, "vouchers")))

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
            vouchers=map(self._message, found.rows), next_page_token=found.next_page_token
        )

    @mutation(answer_stored=False)
    def IssueVoucherCode(
        self, tx: Transaction, request: pb.IssueVoucherCodeRequest
    ) -> pb.IssueVoucherCodeResponse:
        code = codes.new_code()
        hmac = codes.code_hmac(self.app.code_key, code)
        row = vouchers.set_code(tx, names.uuid_in(request.name, "vouchers"), hmac)
        need(VoucherState(row.state), LIVE)
        voucher_changes.note(tx, str(row.id), row.shard, Kind.CODE_ISSUED)
        return pb.IssueVoucherCodeResponse(code=code)

    @query
    def GetVoucherQr(self, tx: Transaction, request: pb.GetVoucherQrRequest) -> pb.GetVoucherQrResponse:
        row = vouchers.get(tx, names.uuid_in(request.name, "vouchers"))
        key = self.app.qr_key
        programme = f"programmes/{row.programme_id}"
        token = qr.voucher_token(key, request.name, programme, row.expires_at, row.issue_number)
        return pb.GetVoucherQrResponse(
            token=token, key_id=key.id, public_key=key.public, svg=qr.qr_svg(token), png=qr.qr_png(token)
        )

    @mutation
    def CancelVoucher(self, tx: Transaction, request: pb.CancelVoucherRequest) -> pb.Voucher:
        voucher_id = names.uuid_in(request.name, "vouchers")
        end_voucher(tx, voucher_id, VoucherState.CANCELLED)
        return self._message(vouchers.get(tx, voucher_id))

    @mutation
    def RevokeVoucher(self, tx: Transaction, request: pb.RevokeVoucherRequest) -> pb.Voucher:
        voucher_id = names.uuid_in(request.name, "vouchers")
        end_voucher(tx, voucher_id, VoucherState.REVOKED)
        note = self.app.notes.seal(f"vouchers/{voucher_id}", request.reason)
        vouchers.say_why(tx, voucher_id, request.reason_code, note)
        return self._message(vouchers.get(tx, voucher_id))

    def _message(self, row: Row[Any]) -> pb.Voucher:
        return voucher_message(row, self.app.notes)


def voucher_message(row: Row[Any], notes: Notes) -> pb.Voucher:
    """Returns a row as message."""
    name = f"vouchers/{row.id}"
    programme = f"programmes/{row.programme_id}"
    return pb.Voucher(
        name=name,
        learner=row.learner,
        programme=programme,
        programme_version=f"{programme}/versions/{row.version_number}",
        application=f"applications/{row.application_id}",
        course=row.course,
        state=row.state,
        value=money(row.value_cents, row.currency),
        available=money(row.available_cents, row.currency),
        reserved=money(row.reserved_cents, row.currency),
        order_time_limit=moment(row.order_until),
        expire_time=moment(row.expires_at),
        create_time=moment(row.created_at),
        code_issued=row.code_hmac is not None,
        end_reason=row.end_reason,
        end_note=notes.open(name, row.sealed_note),
        issue_number=row.issue_number,
        proposed_expire_time=moment(row.proposed_expires_at),
        etag=etag_of(row.version),
    )
