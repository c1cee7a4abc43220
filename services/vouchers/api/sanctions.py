"""SanctionService: proposed by one person, imposed by another, an appeal decided by a third; or lifted by
two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, sanction_pb2_grpc
from waymark.vouchers.v1 import sanction_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import sanctions as domain
from services.vouchers.domain.sanctions import Kind, State
from services.vouchers.domain.states import need
from services.vouchers.relationships import is_staff
from services.vouchers.store import alerts, holds, names, offers, sanctions
from services.vouchers.store.quality_tables import sanctions as table


class SanctionApi(sanction_pb2_grpc.SanctionServiceServicer):
    """Sanctions on providers."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def ProposeSanction(self, tx: Transaction, request: pb.ProposeSanctionRequest) -> pb.Sanction:
        wanted, sanction = request.sanction, new_id()
        ends = wanted.end_time.ToDatetime(tzinfo=tx.now.tzinfo) if wanted.HasField("end_time") else None
        domain.check_end(Kind(wanted.kind), ends, tx.now)
        if not offers.known(tx, wanted.organisation):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        values = {
            "id": sanction,
            "organisation": wanted.organisation,
            "kind": wanted.kind,
            "state": int(State.PROPOSED),
            "ends_at": ends,
            "alert_id": self._confirmed(tx, wanted) if wanted.alert else None,
            "appeal_days": wanted.appeal_days or domain.APPEAL_DAYS,
            "sealed_reason": self.app.notes.seal(f"sanctions/{sanction}", wanted.reason),
            "proposed_by": tx.principal.subject,
        }
        return self._message(tx, sanctions.add(tx, values))

    @mutation
    def ImposeSanction(self, tx: Transaction, request: pb.ImposeSanctionRequest) -> pb.Sanction:
        row = self._step(tx, request.name, State.PROPOSED)
        domain.check_another(tx.principal.subject, (row.proposed_by,))
        domain.check_end(Kind(row.kind), row.ends_at, tx.now)
        values = {
            "state": int(State.IN_FORCE),
            "imposed_by": tx.principal.subject,
            "imposed_at": tx.now,
            "hold_id": self._stop(tx, row) if row.kind == Kind.SUSPENDED else None,
        }
        row = sanctions.change(tx, row.id, values)
        message = self._message(tx, row)
        event = events_pb2.SanctionImposed(
            sanction=message.name,
            organisation=row.organisation,
            kind=Kind(row.kind).name,
            end_time=moment(row.ends_at),
            appeal_time_limit=message.appeal_time_limit,
        )
        tx.publish(event)
        return message

    @mutation
    def DeclineSanction(self, tx: Transaction, request: pb.DeclineSanctionRequest) -> pb.Sanction:
        row = self._step(tx, request.name, State.PROPOSED)
        values = {"state": int(State.DECLINED), "declined_by": tx.principal.subject}
        return self._message(tx, sanctions.change(tx, row.id, values))

    @mutation
    def AppealSanction(self, tx: Transaction, request: pb.AppealSanctionRequest) -> pb.Sanction:
        row = self._step(tx, request.name, State.IN_FORCE)
        domain.check_appeal(row.imposed_at, row.appeal_days, tx.now)
        values = {
            "state": int(State.APPEALED),
            "sealed_appeal": self.app.notes.seal(f"sanctions/{row.id}/appeal", request.appeal),
            "appealed_at": tx.now,
        }
        return self._message(tx, sanctions.change(tx, row.id, values))

    @mutation
    def DecideSanctionAppeal(self, tx: Transaction, request: pb.DecideSanctionAppealRequest) -> pb.Sanction:
        row = self._step(tx, request.name, State.APPEALED)
        domain.check_another(tx.principal.subject, (row.proposed_by, row.imposed_by))
        values = {
            "state": int(State.LIFTED if request.lift else State.UPHELD),
            "sealed_decision": self.app.notes.seal(f"sanctions/{row.id}/decision", request.decision),
            "decided_by": tx.principal.subject,
            "decided_at": tx.now,
            "lift_proposed_by": "",  # what was proposed before the provider was heard
            "sealed_lift_reason": None,
        }
        if request.lift and row.hold_id:
            sanctions.end_hold(tx, row.hold_id)
        row = sanctions.change(tx, row.id, values)
        event = events_pb2.SanctionAppealDecided(
            sanction=f"sanctions/{row.id}", organisation=row.organisation, lifted=request.lift
        )
        tx.publish(event)
        return self._message(tx, row)

    @mutation
    def ProposeSanctionLift(self, tx: Transaction, request: pb.ProposeSanctionLiftRequest) -> pb.Sanction:
        row = self._step(tx, request.name, *domain.LIFTABLE)
        values = {
            "lift_proposed_by": tx.principal.subject,
            "sealed_lift_reason": self.app.notes.seal(f"sanctions/{row.id}/lift", request.reason),
        }
        return self._message(tx, sanctions.change(tx, row.id, values))

    @mutation
    def LiftSanction(self, tx: Transaction, request: pb.LiftSanctionRequest) -> pb.Sanction:
        row = self._step(tx, request.name, *domain.LIFTABLE)
        if not row.lift_proposed_by:
            metadata = {"state": State(row.state).name, "needed": "a proposal to lift it"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        domain.check_another(tx.principal.subject, (row.lift_proposed_by,))
        if row.hold_id:
            sanctions.end_hold(tx, row.hold_id)
        values = {"state": int(State.LIFTED), "lifted_by": tx.principal.subject, "lifted_at": tx.now}
        row = sanctions.change(tx, row.id, values)
        tx.publish(events_pb2.SanctionLifted(sanction=f"sanctions/{row.id}", organisation=row.organisation))
        return self._message(tx, row)

    @query
    def GetSanction(self, tx: Transaction, request: pb.GetSanctionRequest) -> pb.Sanction:
        return self._message(tx, sanctions.get(tx, names.uuid_in(request.name, "sanctions")))

    @query
    def ListSanctions(self, tx: Transaction, request: pb.ListSanctionsRequest) -> pb.ListSanctionsResponse:
        found = page(
            tx,
            self.app.signer,
            sanctions.listed(request.organisation, proposed=is_staff(tx.principal)),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"organisation": request.organisation},
        )
        return pb.ListSanctionsResponse(
            sanctions=[self._message(tx, row) for row in found.rows], next_page_token=found.next_page_token
        )

    def _step(self, tx: Transaction, name: str, *needed: State) -> Row[Any]:
        row = sanctions.get(tx, names.uuid_in(name, "sanctions"), locked=True)
        need(State(row.state), needed)
        return row

    def _confirmed(self, tx: Transaction, wanted: pb.Sanction) -> str:
        """Returns the id of the alert that a sanction follows. Raises Refusal: WRONG_STATE unless a verified
        finding confirmed it, INVALID_ARGUMENT when it is about another provider."""
        row = alerts.get(tx, names.uuid_in(wanted.alert, "alerts"))
        if wanted.organisation not in (row.organisation, *row.linked):
            raise invalid("sanction.alert", f"must be about {wanted.organisation}")
        if row.state != alerts.CLOSED or row.outcome != alerts.CONFIRMED:
            metadata = {"state": "NOT_CONFIRMED", "needed": "CLOSED as CONFIRMED"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        return str(row.id)

    def _stop(self, tx: Transaction, row: Row[Any]) -> str:
        """Stops payment to a suspended provider until the sanction ends; returns the hold's id."""
        hold = new_id()
        values = {
            "id": hold,
            "target": row.organisation,
            "sealed_reason": self.app.notes.seal(f"holds/{hold}", f"sanctions/{row.id}"),
            "ends_at": row.ends_at,
            "placed_by": f"sanctions/{row.id}",
        }
        holds.add(tx, values)
        return hold

    def _message(self, tx: Transaction, row: Row[Any]) -> pb.Sanction:
        name, notes = f"sanctions/{row.id}", self.app.notes
        limit = domain.appeal_limit(row.imposed_at, row.appeal_days) if row.imposed_at else None
        staff, lifted = is_staff(tx.principal), row.lifted_at is not None
        return pb.Sanction(
            name=name,
            organisation=row.organisation,
            kind=row.kind,
            end_time=moment(row.ends_at),
            alert=f"alerts/{row.alert_id}" if row.alert_id and staff else "",
            reason=notes.open(name, row.sealed_reason),
            appeal_days=row.appeal_days,
            state=row.state,
            effective=domain.effective(State(row.state), row.ends_at, tx.now),
            appeal=notes.open(f"{name}/appeal", row.sealed_appeal),
            decision=notes.open(f"{name}/decision", row.sealed_decision),
            create_time=moment(row.created_at),
            impose_time=moment(row.imposed_at),
            appeal_time_limit=moment(limit),
            decide_time=moment(row.decided_at),
            lift_proposed=staff and bool(row.lift_proposed_by) and not lifted,
            lift_reason=notes.open(f"{name}/lift", row.sealed_lift_reason) if staff or lifted else "",
            lift_time=moment(row.lifted_at),
        )
