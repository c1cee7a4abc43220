"""StatementService: what a provider was owed, was paid and owes back, over a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from google.api import httpbody_pb2
from google.type import money_pb2
from waymark.vouchers.v1 import statement_pb2 as pb
from waymark.vouchers.v1 import statement_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query, query_stream
from services.vouchers.api.convert import date_of, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.money import money
from services.vouchers.domain.statements import HEADER, LINES, Line, LineKind, csv_lines, csv_row, period
from services.vouchers.store import statements, turnover

Asked = pb.GetStatementRequest | pb.ListStatementLinesRequest | pb.GetStatementFileRequest
CLAWED = (LineKind.CLAWED_BACK, LineKind.CLAWED_BACK_AFTER_PAYMENT)


class Period(NamedTuple):
    """What is asked for: of whom, in which currency, from when to before when."""

    organisation: str
    currency: str
    start: datetime
    end: datetime


class StatementApi(statement_pb2_grpc.StatementServiceServicer):
    """Tells providers what they were owed and paid."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetStatement(self, tx: Transaction, request: pb.GetStatementRequest) -> pb.Statement:
        asked = _period(request)
        opening, closing, moved = dict[int, int](), dict[int, int](), dict[LineKind, int]()
        for row in turnover.sums(tx, *asked):
            cents = int(row.cents)
            closing[row.kind] = closing.get(row.kind, 0) + cents
            if row.earlier:
                opening[row.kind] = opening.get(row.kind, 0) + cents
            elif (row.operation, row.kind) in LINES:
                kind = LINES[row.operation, Kind(row.kind)]
                moved[kind] = moved.get(kind, 0) + abs(cents)

        def amount(cents: int) -> money_pb2.Money:
            return money(cents, asked.currency)

        return pb.Statement(
            organisation=request.parent,
            start_date=request.start_date,
            end_date=request.end_date,
            opening_held=amount(opening.get(Kind.PROVIDER_HELD, 0)),
            opening_cleared=amount(opening.get(Kind.PROVIDER_CLEARED, 0)),
            opening_receivable=amount(-opening.get(Kind.PROVIDER_RECEIVABLE, 0)),
            accepted=amount(moved.get(LineKind.ACCEPTED, 0)),
            released=amount(moved.get(LineKind.RELEASED, 0)),
            paid=amount(moved.get(LineKind.PAID, 0)),
            returned=amount(moved.get(LineKind.RETURNED, 0)),
            set_off=amount(moved.get(LineKind.SET_OFF, 0)),
            clawed_back=amount(sum(moved.get(kind, 0) for kind in CLAWED)),
            written_off=amount(moved.get(LineKind.WRITTEN_OFF, 0)),
            paid_back=amount(moved.get(LineKind.PAID_BACK, 0)),
            paid_back_undone=amount(moved.get(LineKind.PAID_BACK_UNDONE, 0)),
            approved=amount(moved.get(LineKind.APPROVED, 0)),
            closing_held=amount(closing.get(Kind.PROVIDER_HELD, 0)),
            closing_cleared=amount(closing.get(Kind.PROVIDER_CLEARED, 0)),
            closing_receivable=amount(-closing.get(Kind.PROVIDER_RECEIVABLE, 0)),
        )

    @query
    def ListStatementLines(
        self, tx: Transaction, request: pb.ListStatementLinesRequest
    ) -> pb.ListStatementLinesResponse:
        asked = _period(request)
        statement = statements.lines(*asked)
        found = page(
            tx,
            self.app.signer,
            statement,
            order_by=statements.order(statement),
            request=request,
            filters=asked._asdict(),
        )
        return pb.ListStatementLinesResponse(
            lines=[_message(statements.line_of(row)) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    @query_stream
    def GetStatementFile(
        self, tx: Transaction, request: pb.GetStatementFileRequest
    ) -> Iterator[httpbody_pb2.HttpBody]:
        statement = statements.lines(*_period(request))
        yield _chunk([HEADER])
        for lines in statements.stream(tx, statement):
            yield _chunk(map(csv_row, lines))


def _period(request: Asked) -> Period:
    first = date_of(request.start_date, "start_date")
    last = date_of(request.end_date, "end_date")
    return Period(request.parent, request.currency_code or "EUR", *period(first, last))


def _chunk(rows: Iterable[Iterable[str]]) -> httpbody_pb2.HttpBody:
    return httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8", data=csv_lines(rows))


def _message(line: Line) -> pb.StatementLine:
    return pb.StatementLine(
        time=moment(line.time),
        kind=pb.StatementLine.Kind.ValueType(int(line.kind)),
        amount=money(line.cents, line.currency),
        redemption=line.redemption,
        payout_batch=line.payout_batch,
        receivable=line.receivable,
        subject=line.subject,
    )
