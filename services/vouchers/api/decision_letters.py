"""DecisionLetterService: the letter of a decision, written anew each time it is asked for."""

from __future__ import annotations

from google.api import httpbody_pb2
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import decision_letter_pb2 as pb
from waymark.vouchers.v1 import decision_letter_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query
from services.vouchers.api.letters import written
from services.vouchers.app import VouchersApp
from services.vouchers.letters import telling
from services.vouchers.letters.said import Kind
from services.vouchers.store import applications, budgets, names, programmes, vouchers


class DecisionLetterApi(decision_letter_pb2_grpc.DecisionLetterServiceServicer):
    """Writes letters."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetDecisionLetter(
        self, tx: Transaction, request: pb.GetDecisionLetterRequest
    ) -> httpbody_pb2.HttpBody:
        application = names.uuid_in(request.name, "applications")
        row = dict(applications.get(tx, application)._mapping)
        if request.first_decision:
            row = telling.first_decision(row, applications.earlier(tx, application))
        kind = telling.kind_of(row, first=request.first_decision)
        if kind is None:
            raise Refusal(reason_pb2.REASON_NOT_DECIDED)
        name = f"applications/{application}"
        if kind in (Kind.APPEAL_GRANTED, Kind.APPEAL_REFUSED):
            note = self.app.notes.open(f"{name}/appeal", row["sealed_appeal_note"])
        else:
            note = self.app.notes.open(name, row["sealed_note"])
        rules = self.app.rules(tx, row["programme_id"], row["version_number"])
        called = programmes.get(tx, row["programme_id"]).display_names
        last_day = None
        if row["voucher_id"] and rules.version.window_rule.within_budget_period:
            last_day = budgets.last_day(tx, vouchers.get(tx, row["voucher_id"]).pot_id)
        said = telling.said_of(kind, row, rules, called, note, last_day)
        return written(said, request.format, request.language_code)
