"""LedgerService: shows and checks where every cent is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from waymark.vouchers.v1 import ledger_pb2 as pb
from waymark.vouchers.v1 import ledger_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction, may_idle
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.store import ledger
from services.vouchers.store.ledger_tables import ledger_checkpoints, ledger_entries
from services.vouchers.verification import PATIENCE, verify

_e = ledger_entries.c


class LedgerApi(ledger_pb2_grpc.LedgerServiceServicer):
    """Shows and checks the ledger."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

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
        sums = ledger.owner_sums(tx, owner) if owner else ledger.sums(tx)
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
        report = verify(self.app.side_engine, self.app.checkpoint_key, request.max_findings or 100)
        return pb.VerifyLedgerResponse(
            intact=not report.findings,
            entry_count=report.entries,
            transaction_count=report.transactions,
            checkpoint_count=report.checkpoints,
            findings=[
                pb.LedgerFinding(
                    shard=finding.shard, sequence=finding.sequence, kind=finding.kind, text=finding.text
                )
                for finding in report.findings
            ],
        )

    @query
    def ListCheckpoints(
        self, tx: Transaction, request: pb.ListCheckpointsRequest
    ) -> pb.ListCheckpointsResponse:
        c = ledger_checkpoints.c
        order = [c.created_at.desc(), c.shard.desc(), c.sequence.desc()]
        found = page(tx, self.app.signer, select(ledger_checkpoints), order_by=order, request=request)
        key = self.app.checkpoint_key
        return pb.ListCheckpointsResponse(
            checkpoints=map(_checkpoint, found.rows),
            next_page_token=found.next_page_token,
            public_keys={key.id: key.public},
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
