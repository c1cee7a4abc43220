"""LedgerService: shows and checks where every cent is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import Row, select
from waymark.vouchers.v1 import ledger_pb2 as pb
from waymark.vouchers.v1 import ledger_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction, may_idle
from services.platform.rpc.call import Call
from services.platform.rpc.handlers import mark, query, query_stream
from services.platform.rpc.interceptors.deadline import LONGEST_STREAM
from services.platform.signing import jwk
from services.vouchers.api.convert import moment
from services.vouchers.api.voucher_life import CACHED
from services.vouchers.app import VouchersApp
from services.vouchers.domain.findings import Report
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.money import money
from services.vouchers.store import budgets, ledger, rounds
from services.vouchers.store.ledger_tables import ledger_checkpoints, ledger_entries, ledger_rounds
from services.vouchers.verification import PATIENCE, verify, verifying

_e = ledger_entries.c
PACE = 1.0  # seconds between two answers that say how far a verification has come


def _list_keys(self: Any, _: pb.ListLedgerKeysRequest, call: Call) -> pb.ListLedgerKeysResponse:
    """Answers from memory, for caches to keep."""
    call.context.send_initial_metadata(CACHED)
    keys = [pb.LedgerKey(**jwk(public)) for public in self.app.checkpoint_keys.values()]
    return pb.ListLedgerKeysResponse(keys=keys)


def _of_owner(tx: Transaction, owner: str) -> list[tuple[Kind, str, int]]:
    """Returns an owner's balances. A pot has an entry for each grant ever made: what is kept of it says the
    same, which verifying the ledger compares."""
    return budgets.pot_balance(tx, owner) or ledger.owner_sums(tx, owner)


class LedgerApi(ledger_pb2_grpc.LedgerServiceServicer):
    """Shows and checks the ledger."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    ListLedgerKeys = mark(_list_keys)

    @query
    def ListLedgerEntries(
        self, tx: Transaction, request: pb.ListLedgerEntriesRequest
    ) -> pb.ListLedgerEntriesResponse:
        statement = select(ledger_entries)
        if request.account_kind:
            statement = statement.where(_e.kind == int(request.account_kind))
        if request.account_owner:
            statement = statement.where(_e.owner == request.account_owner)
        if request.reference:
            statement = statement.where(_e.reference == request.reference)
        filters: dict[str, str | int] = {
            "kind": int(request.account_kind),
            "owner": request.account_owner,
            "reference": request.reference,
        }
        order = [_e.shard, _e.sequence]
        found = page(tx, self.app.signer, statement, order_by=order, request=request, filters=filters)
        return pb.ListLedgerEntriesResponse(
            entries=map(entry_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetBalances(self, tx: Transaction, request: pb.GetBalancesRequest) -> pb.GetBalancesResponse:
        owner = request.account_owner
        sums = _of_owner(tx, owner) if owner else ledger.sums(tx)
        wanted = int(request.account_kind)
        return pb.GetBalancesResponse(
            balances=[
                pb.Balance(
                    account_kind=pb.AccountKind.ValueType(int(kind)),
                    account_owner=owner,
                    amount=money(cents, currency),
                )
                for kind, currency, cents in sums
                if wanted in (0, int(kind))
            ]
        )

    @query
    def VerifyLedger(self, tx: Transaction, request: pb.VerifyLedgerRequest) -> pb.VerifyLedgerResponse:
        may_idle(tx, PATIENCE)  # while others read
        return _result(verify(self.app.side_engine, self.app.checkpoint_keys, request.max_findings or 100))

    @query_stream
    def VerifyWholeLedger(
        self,
        tx: Transaction,  # noqa: ARG002 - others read
        request: pb.VerifyWholeLedgerRequest,
    ) -> Iterator[pb.VerifyWholeLedgerResponse]:
        known = {each.number: each.digest for each in request.known_rounds}
        limit = request.max_findings or 100
        report, told = Report(limit), time.monotonic() - PACE
        reports = verifying(self.app.side_engine, self.app.checkpoint_keys, LONGEST_STREAM, limit, known)
        with closing(reports):
            for report in reports:
                if time.monotonic() - told >= PACE:
                    yield _progress(report)
                    told = time.monotonic()
        answer = _progress(report)
        answer.result.CopyFrom(_result(report))
        yield answer

    @query
    def ListLedgerRounds(
        self, tx: Transaction, request: pb.ListLedgerRoundsRequest
    ) -> pb.ListLedgerRoundsResponse:
        found = page(
            tx,
            self.app.signer,
            select(ledger_rounds),
            order_by=[ledger_rounds.c.number.desc()],
            request=request,
            maximum=50 if request.with_marks else 500,
        )
        return pb.ListLedgerRoundsResponse(
            rounds=(_round(row, request.with_marks) for row in found.rows),
            next_page_token=found.next_page_token,
        )

    @query
    def ListCheckpoints(
        self, tx: Transaction, request: pb.ListCheckpointsRequest
    ) -> pb.ListCheckpointsResponse:
        c = ledger_checkpoints.c
        order = [c.created_at.desc(), c.shard.desc(), c.sequence.desc()]
        found = page(tx, self.app.signer, select(ledger_checkpoints), order_by=order, request=request)
        return pb.ListCheckpointsResponse(
            checkpoints=map(_checkpoint, found.rows),
            next_page_token=found.next_page_token,
            public_keys=self.app.checkpoint_keys,
        )


def _progress(report: Report) -> pb.VerifyWholeLedgerResponse:
    return pb.VerifyWholeLedgerResponse(
        entry_count=report.entries,
        expected_entry_count=report.expected,
        checkpoint_count=report.checkpoints,
    )


def _result(report: Report) -> pb.VerifyLedgerResponse:
    return pb.VerifyLedgerResponse(
        intact=not report.findings,
        entry_count=report.entries,
        transaction_count=report.transactions,
        checkpoint_count=report.checkpoints,
        findings=[
            pb.LedgerFinding(
                shard=each.shard, sequence=each.sequence, kind=each.kind, text=each.text, round=each.round
            )
            for each in report.findings
        ],
    )


def _round(row: Row[Any], with_marks: bool) -> pb.LedgerRound:
    made = rounds.round_of(row)
    marks = made.marks if with_marks else ()
    return pb.LedgerRound(
        number=made.number,
        previous=made.previous.hex(),
        mark_count=len(made.marks),
        marks_digest=made.marks_digest.hex(),
        create_time=moment(made.moment),
        digest=made.digest.hex(),
        key_id=row.key_id,
        signature=bytes(row.signature),
        marks=[pb.LedgerMark(shard=m.shard, sequence=m.sequence, hash=m.hash.hex()) for m in marks],
    )


def entry_message(row: Row[Any]) -> pb.LedgerEntry:
    """Returns a row as message."""
    return pb.LedgerEntry(
        shard=row.shard,
        sequence=row.sequence,
        transaction=row.transaction,
        operation=row.operation,
        account_kind=row.kind,
        account_owner=row.owner,
        amount=money(row.cents, row.currency),
        reference=row.reference,
        hash=bytes(row.hash).hex(),
        create_time=moment(row.created_at),
    )


def _checkpoint(row: Row[Any]) -> pb.Checkpoint:
    return pb.Checkpoint(
        shard=row.shard,
        sequence=row.sequence,
        hash=bytes(row.hash).hex(),
        key_id=row.key_id,
        signature=bytes(row.signature),
        create_time=moment(row.created_at),
    )
