"""Steps that tests of quality share: rules, alerts, sanctions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from sqlalchemy import text
from waymark.vouchers.v1 import alert_pb2, monitoring_rule_pb2, sanction_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.app import VouchersApp
from tests.support.vouchers import NO_EVIDENCE, World

Rule = monitoring_rule_pb2.MonitoringRule
Alert = alert_pb2.Alert
Sanction = sanction_pb2.Sanction


@pytest.fixture
def school(world: World) -> Any:
    """A world with a programme that any session of a shortage occupation may be booked in."""
    made: Any = world
    made.plan = made.programme(fund=10_000_000, **NO_EVIDENCE)
    made.person_, made.voucher_ = world.voucher(made.plan)
    world.bank_account()
    return made


def draft(world: World, code: str = "rule", **fields: Any) -> Any:
    """Drafts a version of a rule; returns it."""
    rule = Rule(**{"hold_on": Rule.HOLD_ON_REDEMPTION, **fields})
    request = monitoring_rule_pb2.DraftMonitoringRuleRequest(monitoring_rule_id=code, monitoring_rule=rule)
    return world.maker.rules.DraftMonitoringRule(request)


def rule(world: World, code: str = "rule", **fields: Any) -> Any:
    """Puts a version of a rule into force; returns it."""
    drafted = draft(world, code, **fields)
    return world.checker.rules.ActivateMonitoringRule(
        monitoring_rule_pb2.ActivateMonitoringRuleRequest(name=drafted.name)
    )


def look(world: World) -> list[Any]:
    """Lets the rules look at what was accepted; returns all alerts, newest first."""
    jobs.look_at_accepted(cast("VouchersApp", world.app))
    return alerts(world)


def alerts(world: World, **filters: Any) -> list[Any]:
    """Returns alerts, newest first."""
    return list(world.auditor.alerts.ListAlerts(alert_pb2.ListAlertsRequest(**filters)).alerts)


def find(world: World, alert: str, outcome: Any, evidence: str = "case 2026/17") -> Any:
    """Records a finding, as the caseworker."""
    request = alert_pb2.RecordFindingRequest(name=alert, outcome=outcome, evidence=evidence)
    return world.caseworker.alerts.RecordFinding(request)


def close(world: World, alert: str) -> Any:
    """Verifies a finding, as the approver."""
    return world.approver.alerts.CloseAlert(alert_pb2.CloseAlertRequest(name=alert))


def propose(world: World, kind: int, **fields: Any) -> Any:
    """Proposes a sanction on the school, as the payer."""
    sanction = Sanction(
        **{"organisation": world.organisation, "kind": kind, "reason": "lists were forged", **fields}
    )
    if kind in (Sanction.KIND_NO_NEW_RESERVATIONS, Sanction.KIND_SUSPENDED):
        sanction.end_time.FromDatetime(datetime.now(UTC) + timedelta(days=60))
    return world.payer.sanctions.ProposeSanction(sanction_pb2.ProposeSanctionRequest(sanction=sanction))


def sanction(world: World, kind: int, **fields: Any) -> Any:
    """Puts a sanction on the school into force."""
    name = propose(world, kind, **fields).name
    return world.approver.sanctions.ImposeSanction(sanction_pb2.ImposeSanctionRequest(name=name))


def run(world: World, statement: str, **values: Any) -> int:
    """Runs a statement past the code, such as turning back a clock; returns how many rows it changed."""
    with transaction(world.app) as tx:
        return int(tx.execute(text(statement), values).rowcount)


def told(world: World, kind: type[Message]) -> list[Any]:
    """Returns the events of a kind that wait in the outbox, in order."""
    with transaction(world.app, read_only=True) as tx:
        rows = tx.execute(
            text("SELECT payload FROM outbox WHERE type = :type ORDER BY seq"),
            {"type": kind.DESCRIPTOR.full_name},
        )
        return [kind.FromString(row.payload) for row in rows]
