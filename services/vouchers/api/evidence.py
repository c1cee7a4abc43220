"""RedemptionService: evidence of delivery, uploaded straight to the object store."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.vouchers.api.convert import set_ticket
from services.vouchers.api.redemption_messages import changed, ref
from services.vouchers.app import VouchersApp
from services.vouchers.domain import payment
from services.vouchers.domain.states import RedemptionState, need
from services.vouchers.store import evidence, names, redemptions


class EvidenceMethods:
    """The part of RedemptionService about evidence."""

    app: VouchersApp

    @mutation
    def CreateDeliveryEvidence(
        self, tx: Transaction, request: pb.CreateDeliveryEvidenceRequest
    ) -> pb.DeliveryEvidence:
        redemption = names.uuid_in(request.parent, "redemptions")
        row = redemptions.lock(tx, redemption)
        need(RedemptionState(row.state), (RedemptionState.STARTED,))
        wanted, key = request.evidence, new_id()
        kind = wanted.kind or pb.DeliveryEvidence.KIND_ATTENDANCE
        values = {
            "id": key,
            "redemption_id": redemption,
            "size_bytes": wanted.size_bytes,
            "content_type": wanted.content_type,
            "sha256": wanted.sha256,
            "kind": kind,
        }
        evidence.add(tx, values)
        answer = pb.DeliveryEvidence(
            name=f"{request.parent}/evidence/{key}",
            size_bytes=wanted.size_bytes,
            content_type=wanted.content_type,
            sha256=wanted.sha256,
            kind=kind,
        )
        set_ticket(answer, self.app.objects, evidence.BUCKET, key, wanted.content_type)
        return answer

    @mutation
    def DeliverRedemption(self, tx: Transaction, request: pb.DeliverRedemptionRequest) -> pb.Redemption:
        redemption = names.uuid_in(request.name, "redemptions")
        ids = [names.uuid_in(name, "evidence") for name in request.evidence]
        row = redemptions.lock(tx, redemption)
        before = redemptions.redemption_of(row)
        due = self.app.rules(tx, row.programme_id, row.version_number).due(before)
        pieces = evidence.of_redemption(tx, redemption, ids) if ids else []
        count = payment.counting(due, (piece.kind for piece in pieces))
        moved = before.deliver(count, due.evidence_count)
        for piece in pieces:
            if piece.verified_at is not None:
                metadata = {"evidence": f"redemptions/{redemption}/evidence/{piece.id}"}
                raise Refusal(reason_pb2.REASON_EVIDENCE_USED, metadata=metadata)
            told = (piece.size_bytes, piece.content_type, piece.sha256)
            self.app.objects.verify(evidence.BUCKET, str(piece.id), *told)
        if pieces:
            evidence.mark_verified(tx, ids)
        if payment.took_place(due):
            tx.publish(events_pb2.RedemptionDelivered(ref=ref(row)))
        kept = [f"redemptions/{redemption}/evidence/{key}" for key in ids]
        return changed(self.app, tx, row, redemptions.move(tx, row, moved, evidence=kept))
