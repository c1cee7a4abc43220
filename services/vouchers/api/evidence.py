"""RedemptionService: evidence of delivery, uploaded straight to the object store and downloaded from there.
Nothing waits for the store while a transaction is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.platform.rpc.handlers import mark, mutation, query
from services.vouchers import handing_in
from services.vouchers.api.convert import moment, set_ticket
from services.vouchers.api.redemption_messages import changed, ref
from services.vouchers.app import VouchersApp
from services.vouchers.domain import payment
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.states import RedemptionState, need
from services.vouchers.relationships import is_staff
from services.vouchers.store import evidence, names, redemptions
from services.vouchers.store.evidence_tables import evidence as table

DOWNLOAD = timedelta(minutes=5)  # how long an address works


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
        values = {
            "id": key,
            "redemption_id": redemption,
            "size_bytes": wanted.size_bytes,
            "content_type": wanted.content_type,
            "sha256": wanted.sha256,
            "kind": wanted.kind or pb.DeliveryEvidence.KIND_ATTENDANCE,
        }
        answer = _message(evidence.add(tx, values))
        set_ticket(answer, self.app.objects, evidence.BUCKET, key, wanted.content_type)
        return answer

    @query
    def ListDeliveryEvidence(
        self, tx: Transaction, request: pb.ListDeliveryEvidenceRequest
    ) -> pb.ListDeliveryEvidenceResponse:
        row = redemptions.get(tx, names.uuid_in(request.parent, "redemptions"))
        sees_all = _sees_all(tx.principal, row)
        found = page(
            tx,
            self.app.signer,
            evidence.handed_in(row, others=sees_all),
            order_by=[table.c.id],
            request=request,
            filters={"parent": request.parent, "others": sees_all},
        )
        return pb.ListDeliveryEvidenceResponse(
            evidence=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mark
    def GetDeliveryEvidenceDownload(
        self, request: pb.GetDeliveryEvidenceDownloadRequest, call: Any
    ) -> pb.DeliveryEvidenceDownload:
        piece = self._wanted(request, call)
        return pb.DeliveryEvidenceDownload(
            url=handing_in.download(self.app, piece, call, DOWNLOAD),
            lifetime=Duration(seconds=DOWNLOAD.seconds),
            sha256=piece.sha256,
        )

    @query
    def _wanted(self, tx: Transaction, request: pb.GetDeliveryEvidenceDownloadRequest) -> Any:
        row = redemptions.get(tx, names.uuid_above(request.name.rpartition("/")[0], "redemptions"))
        wanted = table.c.id == names.uuid_in(request.name, "evidence"), table.c.let_go_at.is_(None)
        return tx.one(evidence.handed_in(row, others=_sees_all(tx.principal, row)).where(*wanted))

    @mark
    def DeliverRedemption(self, request: pb.DeliverRedemptionRequest, call: Any) -> pb.Redemption:
        handing_in.check(self.app, self._unchecked(request, call), call)
        return self._deliver(request, call)

    @query
    def _unchecked(self, tx: Transaction, request: pb.DeliverRedemptionRequest) -> Any:
        """Returns what a delivery names and nobody has checked; nothing unless it would count with that."""
        row = redemptions.get(tx, names.uuid_in(request.name, "redemptions"))
        if row.state != RedemptionState.STARTED:  # a repeat, or refused below
            return []
        _, pieces, _ = self._moved(tx, row, request)
        return [piece for piece in pieces if piece.checked_at is None]

    @mutation
    def _deliver(self, tx: Transaction, request: pb.DeliverRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
        moved, pieces, took_place = self._moved(tx, row, request)
        _need_checked(pieces)
        if pieces:
            evidence.mark_verified(tx, [str(piece.id) for piece in pieces])
        if took_place:
            tx.publish(events_pb2.RedemptionDelivered(ref=ref(row)))
        kept = {"evidence": list(request.evidence)}
        return changed(self.app, tx, row, redemptions.move(tx, row, moved, **kept))

    def _moved(
        self, tx: Transaction, row: Any, request: pb.DeliverRedemptionRequest
    ) -> tuple[Redemption, Sequence[Row[Any]], bool]:
        """Returns the redemption as delivered, the pieces named, and whether the training has taken place by
        that. Raises Refusal: NOT_FOUND, WRONG_STATE,
        EVIDENCE_MISSING, EVIDENCE_USED."""
        before = redemptions.redemption_of(row)
        due = self.app.rules(tx, row.programme_id, row.version_number).due(before)
        ids = [names.uuid_in(name, "evidence") for name in request.evidence]
        pieces = evidence.of_redemption(tx, str(row.id), ids) if ids else []
        count = payment.counting(due, (piece.kind for piece in pieces))
        moved = before.deliver(count, due.evidence_count)
        for piece in pieces:
            if piece.verified_at is not None and piece.returned_at is None:
                metadata = {"evidence": _name(piece)}
                raise Refusal(reason_pb2.REASON_EVIDENCE_USED, metadata=metadata)
        return moved, pieces, payment.took_place(due)


def _need_checked(pieces: Sequence[Row[Any]]) -> None:
    """Raises Refusal(UPLOAD_MISSING) when nobody has looked at a piece: the training was started, or its next
    instalment, after `_unchecked` was asked."""
    if any(piece.checked_at is None for piece in pieces):
        raise Refusal(reason_pb2.REASON_UPLOAD_MISSING)


def _sees_all(caller: Principal, row: Row[Any]) -> bool:
    """False for the learner: what shows attendance names others."""
    provides = options_pb2.ROLE_PROVIDER in caller.roles and caller.organisation == row.organisation
    return provides or is_staff(caller)


def _name(row: Row[Any]) -> str:
    return f"redemptions/{row.redemption_id}/evidence/{row.id}"


def _message(row: Row[Any]) -> pb.DeliveryEvidence:
    return pb.DeliveryEvidence(
        name=_name(row),
        size_bytes=row.size_bytes,
        content_type=row.content_type,
        sha256=row.sha256,
        kind=row.kind,
        deliver_time=moment(row.verified_at),
        return_time=moment(row.returned_at),
        delete_time=moment(row.let_go_at),
    )
