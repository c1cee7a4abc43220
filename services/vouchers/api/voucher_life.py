"""VoucherService: what happens to a voucher without money moving, and the history of it all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import voucher_pb2 as pb

from services.platform.db.paging import page_size
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.call import Call
from services.platform.rpc.handlers import mark, mutation, query
from services.platform.signing import jwk
from services.vouchers.api.convert import moment
from services.vouchers.api.voucher_messages import voucher_message
from services.vouchers.app import VouchersApp
from services.vouchers.desk import never_ones_own
from services.vouchers.domain import codes, qr
from services.vouchers.domain.history import Item, Kind, told
from services.vouchers.domain.money import money
from services.vouchers.domain.qr import NotGenuineError
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.states import VoucherState, need
from services.vouchers.domain.voucher import LIVE
from services.vouchers.relationships import is_learner
from services.vouchers.store import names, voucher_changes, vouchers

CACHED = (("cache-control", "public, max-age=3600"),)


def _list_keys(self: Any, _: pb.ListVoucherKeysRequest, call: Call) -> pb.ListVoucherKeysResponse:
    """Answers from memory, for caches to keep."""
    call.context.send_initial_metadata(CACHED)
    keys = [pb.VoucherKey(**jwk(public)) for public in self.app.qr_keys.values()]
    return pb.ListVoucherKeysResponse(keys=keys)


class VoucherLifeMethods:
    """The part of VoucherService about validity, loss, QRs shown and history."""

    app: VouchersApp
    ListVoucherKeys = mark(_list_keys)

    @query
    def CheckVoucherQr(self, tx: Transaction, request: pb.CheckVoucherQrRequest) -> pb.CheckVoucherQrResponse:
        try:
            claims = qr.read_token(request.token, self.app.qr_keys)
        except NotGenuineError as error:
            raise Refusal(reason_pb2.REASON_VOUCHER_QR_INVALID, str(error)) from None
        row = vouchers.get(tx, names.uuid_in(claims.voucher, "vouchers"))
        return pb.CheckVoucherQrResponse(
            standing=_standing(row, claims.issue, tx.now),
            programme=claims.programme,
            expire_time=moment(row.expires_at),
        )

    @query
    def ListVoucherHistory(
        self, tx: Transaction, request: pb.ListVoucherHistoryRequest
    ) -> pb.ListVoucherHistoryResponse:
        voucher_id = names.uuid_in(request.parent, "vouchers")
        row = vouchers.get(tx, voucher_id)
        size = page_size(request.page_size)
        binding = json.dumps([tx.principal.subject, request.DESCRIPTOR.full_name, request.parent])
        # Nothing is ever put in between, so a place in the list stays what it is.
        start = int(self.app.signer.read(binding, request.page_token)[0]) if request.page_token else 0  # type: ignore[arg-type]
        items = told(voucher_changes.happenings(tx, voucher_id))
        following = start + size
        return pb.ListVoucherHistoryResponse(
            items=[_item(item, row.currency) for item in items[start:following]],
            next_page_token=self.app.signer.sign(binding, [following]) if len(items) > following else "",
        )

    @mutation(answer_stored=False)
    def ReissueVoucher(self, tx: Transaction, request: pb.ReissueVoucherRequest) -> pb.ReissueVoucherResponse:
        row = voucher_changes.lock(tx, names.uuid_in(request.name, "vouchers"))
        if not is_learner(tx.principal, row.learner):
            never_ones_own(tx, row.learner)
        need(VoucherState(row.voucher_state), LIVE)
        code, number = codes.new_code(), row.issue_number + 1
        values = {"code_hmac": codes.code_hmac(self.app.code_key, code), "issue_number": number}
        voucher_changes.change(tx, row, Kind.REISSUED, values, reason=int(request.reason_code))
        tx.publish(
            events_pb2.VoucherReissued(
                voucher=request.name,
                learner=row.learner,
                issue_number=number,
                sandbox=is_sandbox(row.currency),
            )
        )
        return pb.ReissueVoucherResponse(code=code, issue_number=number)

    @mutation
    def ExtendVoucher(self, tx: Transaction, request: pb.ExtendVoucherRequest) -> pb.Voucher:
        row = voucher_changes.lock(tx, names.uuid_in(request.name, "vouchers"))
        never_ones_own(tx, row.learner)
        until = request.expire_time.ToDatetime(UTC)
        before = vouchers.voucher_of(row)
        after = before.extend(until)
        rules = self.app.rules(tx, row.programme_id, row.version_number)
        limit = rules.period_limit(row.last_day)
        if limit is not None and until > limit:
            metadata = {"limit": f"{limit:%Y-%m-%dT%H:%M:%SZ}"}
            raise Refusal(reason_pb2.REASON_EXTENSION_TOO_LONG, metadata=metadata)
        said = {"reason": int(request.reason_code), "expires_at": until}
        if until > rules.extension_limit(row.created_at):
            said["beyond_rule"] = True
            values: dict[str, Any] = {"proposed_expires_at": until}
            return voucher_message(
                voucher_changes.change(tx, row, Kind.EXTENSION_PROPOSED, values, **said), self.app.notes
            )
        values = {**voucher_changes.limits(after), "proposed_expires_at": None}
        extended = voucher_changes.change(tx, row, Kind.EXTENDED, values, **said)
        _tell_extended(tx, row, request.name, until)
        return voucher_message(extended, self.app.notes)

    @mutation
    def ApproveVoucherExtension(
        self, tx: Transaction, request: pb.ApproveVoucherExtensionRequest
    ) -> pb.Voucher:
        voucher_id = names.uuid_in(request.name, "vouchers")
        row = voucher_changes.lock(tx, voucher_id)
        never_ones_own(tx, row.learner)
        proposal = voucher_changes.proposed(tx, voucher_id)
        if row.proposed_expires_at is None or proposal is None:
            metadata = {"state": "NOTHING_PROPOSED", "needed": "PROPOSED"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        until = row.proposed_expires_at
        if request.expire_time.ToDatetime(UTC) != until:
            violation = Violation("expire_time", f"is not what was proposed: {until:%Y-%m-%dT%H:%M:%S.%fZ}")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        if proposal.asked_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        after = vouchers.voucher_of(row).extend(until)
        values = {**voucher_changes.limits(after), "proposed_expires_at": None}
        extended = voucher_changes.change(
            tx,
            row,
            Kind.EXTENDED,
            values,
            reason=proposal.reason,
            expires_at=until,
            beyond_rule=True,
            asked_by=proposal.asked_by,
            approved_by=tx.principal.subject,
        )
        _tell_extended(tx, row, request.name, until)
        return voucher_message(extended, self.app.notes)


def _tell_extended(tx: Transaction, row: Row[Any], name: str, until: datetime) -> None:
    sandbox = is_sandbox(row.currency)
    event = events_pb2.VoucherExtended(voucher=name, learner=row.learner, sandbox=sandbox)
    event.expire_time.FromDatetime(until)
    tx.publish(event)


def _standing(row: Row[Any], issue: int, now: datetime) -> pb.CheckVoucherQrResponse.Standing.ValueType:
    standing = pb.CheckVoucherQrResponse
    if issue != row.issue_number:
        return standing.STANDING_REPLACED
    if row.state == VoucherState.EXPIRED or (row.state in LIVE and now >= row.expires_at):
        return standing.STANDING_EXPIRED
    return standing.STANDING_GOOD if row.state in LIVE else standing.STANDING_ENDED


def _item(item: Item, currency: str) -> pb.VoucherHistoryItem:
    happening = item.happening
    reason: dict[str, Any] = {}
    if happening.kind is Kind.REISSUED:
        reason["reissue_reason"] = happening.reason
    elif happening.kind in (Kind.EXTENSION_PROPOSED, Kind.EXTENDED):
        reason["extension_reason"] = happening.reason
    return pb.VoucherHistoryItem(
        kind=pb.VoucherHistoryItem.Kind.ValueType(int(happening.kind)),
        create_time=moment(happening.at),
        state=pb.Voucher.State.ValueType(int(item.state)),
        available_change=money(happening.available, currency),
        reserved_change=money(happening.reserved, currency),
        available=money(item.available, currency),
        reserved=money(item.reserved, currency),
        redemption=happening.redemption,
        expire_time=moment(happening.expires),
        **reason,
    )
