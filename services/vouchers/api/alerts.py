"""AlertService: raised, found out by another person, verified by yet another."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import alert_pb2 as pb
from waymark.vouchers.v1 import alert_pb2_grpc, events_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.desk import never_ones_own
from services.vouchers.monitoring import raise_alert
from services.vouchers.store import alerts, names, offers, redemptions
from services.vouchers.store.quality_tables import alerts as table

Alert = pb.Alert


class AlertApi(alert_pb2_grpc.AlertServiceServicer):
    """Alerts, and what people find out about them."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def RaiseAlert(self, tx: Transaction, request: pb.RaiseAlertRequest) -> pb.Alert:
        target, alert = request.alert.target, new_id()
        if len(request.alert.reason) < 3:
            violation = Violation("alert.reason", "say in a few words what looks wrong")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        values = {
            "id": alert,
            "kind": Alert.KIND_PERSON,
            "target": target,
            "raised_by": tx.principal.subject,
            "sealed_reason": self.app.notes.seal(f"alerts/{alert}", request.alert.reason),
            **_about(tx, target),
        }
        if not raise_alert(self.app, tx, values, held=request.place_hold):
            metadata = {"alert": f"alerts/{alerts.standing(tx, '', target)}"}
            raise Refusal(reason_pb2.REASON_ALERT_OPEN, metadata=metadata)
        return self._read(tx, alert)

    @mutation
    def RecordFinding(self, tx: Transaction, request: pb.RecordFindingRequest) -> pb.Alert:
        row = self._step(tx, request.name, Alert.STATE_OPEN, "raised_by")
        values = {
            "state": alerts.FINDING,
            "outcome": request.outcome,
            "evidence": request.evidence,
            "sealed_finding": self.app.notes.seal(f"alerts/{row.id}/finding", request.finding),
            "found_by": tx.principal.subject,
            "found_at": tx.now,
        }
        alerts.change(tx, row.id, values)
        return self._read(tx, row.id)

    @mutation
    def CloseAlert(self, tx: Transaction, request: pb.CloseAlertRequest) -> pb.Alert:
        row = self._step(tx, request.name, Alert.STATE_FINDING, "found_by", "raised_by")
        values = {"state": alerts.CLOSED, "closed_by": tx.principal.subject, "closed_at": tx.now}
        alerts.change(tx, row.id, values)
        alerts.verify_hold(tx, row.id)
        if row.outcome == alerts.UNFOUNDED:
            alerts.release_hold(tx, row.id)
        outcome = Alert.Outcome.Name(row.outcome).removeprefix("OUTCOME_")
        tx.publish(events_pb2.AlertClosed(alert=f"alerts/{row.id}", target=row.target, outcome=outcome))
        return self._read(tx, row.id)

    @mutation
    def ReopenAlert(self, tx: Transaction, request: pb.ReopenAlertRequest) -> pb.Alert:
        row = self._step(tx, request.name, Alert.STATE_FINDING, "found_by", "raised_by")
        values = {
            "state": alerts.OPEN,
            "outcome": 0,
            "evidence": "",
            "sealed_finding": None,
            "found_by": "",
            "found_at": None,
        }
        alerts.change(tx, row.id, values)
        return self._read(tx, row.id)

    @query
    def GetAlert(self, tx: Transaction, request: pb.GetAlertRequest) -> pb.Alert:
        return self._read(tx, names.uuid_in(request.name, "alerts"))

    @query
    def ListAlerts(self, tx: Transaction, request: pb.ListAlertsRequest) -> pb.ListAlertsResponse:
        redemption = names.uuid_in(request.redemption, "redemptions") if request.redemption else None
        found = page(
            tx,
            self.app.signer,
            alerts.listed(request.state, request.organisation, redemption),
            order_by=[table.c.id.desc()],
            request=request,
            filters={
                "state": int(request.state),
                "organisation": request.organisation,
                "redemption": request.redemption,
            },
        )
        return pb.ListAlertsResponse(
            alerts=[self._message(row) for row in found.rows], next_page_token=found.next_page_token
        )

    def _step(self, tx: Transaction, name: str, needed: Alert.State.ValueType, *before: str) -> Row[Any]:
        """Locks an alert for a step that nobody may do who did one `before`, or whose training it is
        about."""
        row = alerts.get(tx, names.uuid_in(name, "alerts"), locked=True)
        if row.state != needed:
            state, wanted = (Alert.State.Name(each).removeprefix("STATE_") for each in (row.state, needed))
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": wanted})
        if tx.principal.subject in [getattr(row, step) for step in before]:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        if row.redemption_id is not None:
            never_ones_own(tx, redemptions.get(tx, row.redemption_id).learner)
        return row

    def _read(self, tx: Transaction, alert: str) -> pb.Alert:
        return self._message(alerts.get(tx, alert))

    def _message(self, row: Row[Any]) -> pb.Alert:
        name, notes = f"alerts/{row.id}", self.app.notes
        return pb.Alert(
            name=name,
            rule=row.raised_by if row.rule_code else "",
            kind=row.kind,
            target=row.target,
            redemption=f"redemptions/{row.redemption_id}" if row.redemption_id else "",
            organisation=row.organisation,
            hold=f"holds/{row.hold_id}" if row.hold_id else "",
            state=row.state,
            measured=row.measured,
            limit=row.allowed,
            linked=row.linked,
            reason=notes.open(name, row.sealed_reason),
            outcome=row.outcome,
            evidence=row.evidence,
            finding=notes.open(f"{name}/finding", row.sealed_finding),
            follow_ups=_follow_ups(row),
            create_time=moment(row.created_at),
            finding_time=moment(row.found_at),
            close_time=moment(row.closed_at),
        )


def _follow_ups(row: Row[Any]) -> list[Alert.FollowUp.ValueType]:
    """Returns what can follow a verified finding that something is wrong."""
    if row.state != alerts.CLOSED or row.outcome != alerts.CONFIRMED:
        return []
    standing = row.hold_id is not None and row.hold_released_at is None
    return [
        *([Alert.FOLLOW_UP_CLAW_BACK] if row.redemption_id else []),
        *([Alert.FOLLOW_UP_SANCTION] if row.organisation else []),
        *([Alert.FOLLOW_UP_RELEASE_HOLD] if standing else []),
    ]


def _about(tx: Transaction, target: str) -> dict[str, Any]:
    """Returns redemption and provider that a target names; raises Refusal(NOT_FOUND) when it is unknown."""
    collection = target.partition("/")[0]
    if collection == "redemptions":
        row = redemptions.get(tx, names.uuid_in(target, "redemptions"))
        return {"redemption_id": row.id, "organisation": row.organisation}
    owner = offers.provider_of(tx, target) if collection == "courses" else offers.known(tx, target)
    if not owner:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return {"redemption_id": None, "organisation": owner}
