"""ProgrammeService: the money of a programme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.store import budgets, ledger, names, programmes
from services.vouchers.store.tables import budgets as budget_table


class BudgetMethods:
    """The part of ProgrammeService about budgets."""

    app: VouchersApp

    @mutation
    def FundProgramme(self, tx: Transaction, request: pb.FundProgrammeRequest) -> pb.Budget:
        programme = programmes.lock(tx, names.last(request.name))
        source = programmes.get_funding_source(tx, names.last(request.funding_source))
        keep_apart(programme.currency, sandbox=source.kind == programmes.SANDBOX_KIND)
        start = date_of(request.start_date, "start_date")
        end = date_of(request.end_date, "end_date")
        if end < start:
            violation = Violation("end_date", "must not be before start_date")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        _check_groups(tx, programme.id, request.target_groups)
        cents = checked_cents("amount", request.amount, programme.currency)
        budget = budgets.for_period(tx, programme.id, start, end)
        code = request.pot or "general"
        pot = f"{request.name}/budgets/{budget}/pots/{code}"
        budgets.fund_pot(tx, budget, code, source.id, sorted(set(request.target_groups)), cents, pot)
        head = ledger.lock_head_of(tx, programme.currency, pot)
        ledger.post(tx, head, bookings.fund(new_id(), request.funding_source, pot, cents))
        row = budgets.get(tx, budget, programme.id)
        return _messages(tx, [row], programme.currency)[0]

    @query
    def GetBudget(self, tx: Transaction, request: pb.GetBudgetRequest) -> pb.Budget:
        programme = programmes.get(tx, request.name.split("/")[1])
        row = budgets.get(tx, names.uuid_in(request.name, "budgets"), programme.id)
        return _messages(tx, [row], programme.currency)[0]

    @query
    def ListBudgets(self, tx: Transaction, request: pb.ListBudgetsRequest) -> pb.ListBudgetsResponse:
        programme = programmes.get(tx, names.last(request.parent))
        found = page(
            tx,
            self.app.signer,
            budgets.of_programme(programme.id),
            order_by=[budget_table.c.start_date, budget_table.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListBudgetsResponse(
            budgets=_messages(tx, found.rows, programme.currency), next_page_token=found.next_page_token
        )


def _check_groups(tx: Transaction, programme_id: str, wanted: Sequence[str]) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for target groups that no version has: a pot for them would be for
    nobody. Before there is any version nobody can tell."""
    known = programmes.target_groups(tx, programme_id)
    said = f"is no target group of any version; there are {', '.join(known)}"
    wrong = [Violation(f"target_groups[{at}]", said) for at, code in enumerate(wanted) if code not in known]
    if known and wrong:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)


def _messages(tx: Transaction, rows: Sequence[Row[Any]], currency: str) -> list[pb.Budget]:
    pots = budgets.pots_of(tx, [str(row.id) for row in rows])
    return [
        pb.Budget(
            name=f"programmes/{row.programme_id}/budgets/{row.id}",
            start_date=day(row.start_date),
            end_date=day(row.end_date),
            pots=[_pot(pot, currency) for pot in pots.get(str(row.id), [])],
        )
        for row in rows
    ]


def _pot(row: Row[Any], currency: str) -> pb.Pot:
    return pb.Pot(
        code=row.code,
        target_groups=row.target_groups,
        funding_source=f"fundingSources/{row.funding_source_id}",
        funded=money(row.funded_cents, currency),
        available=money(row.available_cents, currency),
    )
