"""Rows for exports, read by a cursor of the server, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, case, cast, func, literal, select
from sqlalchemy.types import Text

from services.platform.db.transaction import Transaction
from services.vouchers.domain.exports import Column, Type
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.states import RedemptionState
from services.vouchers.store.columns import apart
from services.vouchers.store.ledger_tables import ledger_entries
from services.vouchers.store.payment_share_tables import payment_shares
from services.vouchers.store.tables import redemptions

AT_ONCE = 5_000  # rows in memory at a time
_r, _s, _e = redemptions.c, payment_shares.c, ledger_entries.c
MOVEMENTS = {1: "PAYOUT", 2: "RETURN", 3: "RECOVERY"}


class Dataset(IntEnum):
    """What is exported; the same numbers as `ExportDataset` in the contract."""

    REDEMPTIONS = 1
    PAYMENT_SHARES = 2
    LEDGER_ENTRIES = 3


class Source(NamedTuple):
    """Columns of a dataset, its statement, when a row counts (`time`), its currency, and whose programme it
    is, if any."""

    columns: tuple[Column, ...]
    statement: Select[Any]
    time: Any
    order: tuple[Any, ...]
    currency: Any
    programme: Any = None


def _named(prefix: str, column: Any) -> Any:
    return literal(prefix) + cast(column, Text)


def _word(column: Any, words: dict[int, str]) -> Any:
    return case(words, value=column, else_=cast(column, Text))


_STATES = {int(state): state.name for state in RedemptionState}
SOURCES = {
    Dataset.REDEMPTIONS: Source(
        (
            Column("redemption"),
            Column("voucher"),
            Column("programme_version"),
            Column("course"),
            Column("session"),
            Column("organisation"),
            Column("state"),
            Column("currency"),
            Column("price_cents", Type.CENTS),
            Column("reserved_cents", Type.CENTS),
            Column("accepted_cents", Type.CENTS),
            Column("clawed_back_cents", Type.CENTS),
            Column("paid_cents", Type.CENTS),
            Column("create_time", Type.TIME),
            Column("accept_time", Type.TIME),
            Column("no_show_time", Type.TIME),
            Column("part_of"),
        ),
        select(
            _named("redemptions/", _r.id),
            _named("vouchers/", _r.voucher_id),
            func.concat("programmes/", _r.programme_id, "/versions/", _r.version_number),
            _r.course,
            _r.session,
            _r.organisation,
            _word(_r.state, _STATES),
            _r.currency,
            _r.price_cents,
            _r.amount_cents,
            _r.accepted_cents,
            _r.clawed_cents,
            _r.paid_cents,
            _r.created_at,
            _r.accepted_at,
            _r.no_show_at,
            _named("redemptions/", _r.part_of),
        ),
        _r.created_at,
        (_r.created_at, _r.id),
        _r.currency,
        _r.programme_id,
    ),
    Dataset.PAYMENT_SHARES: Source(
        (
            Column("transaction"),
            Column("movement"),
            Column("funding_source"),
            Column("currency"),
            Column("cents", Type.CENTS),
            Column("redemption"),
            Column("voucher"),
            Column("programme_version"),
            Column("payout_batch"),
            Column("create_time", Type.TIME),
        ),
        select(
            cast(_s.transaction, Text),
            _word(_s.movement, MOVEMENTS),
            _named("fundingSources/", _s.funding_source_id),
            _s.currency,
            _s.cents,
            _named("redemptions/", _s.redemption_id),
            _named("vouchers/", _s.voucher_id),
            func.concat("programmes/", _s.programme_id, "/versions/", _s.version_number),
            _named("payoutBatches/", _s.batch_id),
            _s.created_at,
        ),
        _s.created_at,
        (_s.created_at, _s.id),
        _s.currency,
        _s.programme_id,
    ),
    Dataset.LEDGER_ENTRIES: Source(
        (
            Column("chain", Type.CENTS),
            Column("entry", Type.CENTS),
            Column("transaction"),
            Column("operation"),
            Column("account_kind"),
            Column("account_owner"),
            Column("currency"),
            Column("cents", Type.CENTS),
            Column("reference"),
            Column("create_time", Type.TIME),
        ),
        select(
            _e.shard,
            _e.sequence,
            cast(_e.transaction, Text),
            _e.operation,
            _word(_e.kind, {int(kind): kind.name for kind in Kind}),
            _e.owner,
            _e.currency,
            _e.cents,
            _e.reference,
            _e.created_at,
        ),
        _e.created_at,
        (_e.shard, _e.sequence),
        _e.currency,
    ),
}


def stream(
    tx: Transaction, source: Source, start: datetime, end: datetime, programme: str
) -> Iterator[Sequence[Row[Any]]]:
    """Yields rows of a dataset from `start` up to, not including, `end`, AT_ONCE at a time; an empty
    programme means any. The sandbox is left out."""
    period = (source.time >= start, source.time < end, apart(source.currency))
    statement = source.statement.where(*period).order_by(*source.order)
    if programme:
        statement = statement.where(source.programme == programme)
    yield from tx.parts(statement, AT_ONCE)
