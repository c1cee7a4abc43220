"""MonitoringRuleService: drafted by one person, put into force by another."""

from __future__ import annotations

import secrets
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import monitoring_rule_pb2 as pb
from waymark.vouchers.v1 import monitoring_rule_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.app import VouchersApp
from services.vouchers.domain.monitoring import check, seed_hash
from services.vouchers.monitoring import rule_of
from services.vouchers.store import monitoring, names, programmes
from services.vouchers.store.quality_tables import monitoring_rules

OURS = ("name", "state", "create_time", "activate_time")  # what no caller writes


class MonitoringRuleApi(monitoring_rule_pb2_grpc.MonitoringRuleServiceServicer):
    """Keeps the rules that look at what was accepted."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def DraftMonitoringRule(
        self, tx: Transaction, request: pb.DraftMonitoringRuleRequest
    ) -> pb.MonitoringRule:
        rule, code = request.monitoring_rule, request.monitoring_rule_id
        check(rule)
        if rule.programme:
            programmes.get(tx, names.last(rule.programme))
        monitoring.lock_rule(tx, code)
        number = monitoring.next_number(tx, code)
        sealed = None
        if rule.HasField("sample"):
            seed = secrets.token_bytes(32)
            sealed = self.app.notes.seal(f"monitoringRules/{code}/versions/{number}", seed.hex())
            rule.sample.seed_sha256 = seed_hash(seed)
        for field in OURS:
            rule.ClearField(field)  # type: ignore[arg-type]
        values = {
            "code": code,
            "number": number,
            "state": monitoring.DRAFT,
            "rule": MessageToDict(rule, preserving_proto_field_name=True),
            "sealed_seed": sealed,
            "drafted_by": tx.principal.subject,
        }
        return rule_message(monitoring.add_version(tx, values))

    @mutation
    def ActivateMonitoringRule(
        self, tx: Transaction, request: pb.ActivateMonitoringRuleRequest
    ) -> pb.MonitoringRule:
        code, number = names.version_parts(request.name)
        monitoring.lock_rule(tx, code)
        row = monitoring.get_version(tx, code, number)
        if row.state != monitoring.DRAFT or number < monitoring.active_number(tx, code):
            state = pb.MonitoringRule.State.Name(row.state).removeprefix("STATE_")
            metadata = {"state": state, "needed": "DRAFT, newer than the version in force"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        if row.drafted_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        return rule_message(monitoring.activate(tx, code, number))

    @query
    def GetMonitoringRule(self, tx: Transaction, request: pb.GetMonitoringRuleRequest) -> pb.MonitoringRule:
        return rule_message(monitoring.get_version(tx, *names.version_parts(request.name)))

    @query
    def ListMonitoringRules(
        self, tx: Transaction, request: pb.ListMonitoringRulesRequest
    ) -> pb.ListMonitoringRulesResponse:
        found = page(
            tx,
            self.app.signer,
            monitoring.versions(superseded=request.show_superseded),
            order_by=[monitoring_rules.c.code, monitoring_rules.c.number.desc()],
            request=request,
            filters={"show_superseded": request.show_superseded},
        )
        return pb.ListMonitoringRulesResponse(
            monitoring_rules=map(rule_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetSamplingSeed(self, tx: Transaction, request: pb.GetSamplingSeedRequest) -> pb.SamplingSeed:
        row = monitoring.get_version(tx, *names.version_parts(request.name))
        if row.sealed_seed is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        seed = rule_of(self.app, row).seed
        return pb.SamplingSeed(seed=seed.hex(), seed_sha256=seed_hash(seed))


def rule_message(row: Row[Any]) -> pb.MonitoringRule:
    """Returns a version's row as message."""
    message = ParseDict(row.rule, pb.MonitoringRule())
    message.name = f"monitoringRules/{row.code}/versions/{row.number}"
    message.state = row.state
    message.create_time.FromDatetime(row.created_at)
    if row.activated_at is not None:
        message.activate_time.FromDatetime(row.activated_at)
    return message
