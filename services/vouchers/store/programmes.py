"""Statements of programmes, their versions and funding sources."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, Date, Row, Select, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.sandbox import CURRENCY, keep_apart
from services.vouchers.store.columns import apart, one_of
from services.vouchers.store.tables import funding_sources, programme_versions, programmes

DRAFT, ACTIVE = 1, 2
UNTOLD = 100  # versions told of at once
SANDBOX_KIND = 6  # of a funding source, as in the contract
_versions = programme_versions.c


def add_funding_source(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts a funding source; raises Refusal(ALREADY_EXISTS)."""
    _insert_new(tx, funding_sources, values)


def get_funding_source(tx: Transaction, source_id: str) -> Row[Any]:
    """Returns a funding source's row; raises Refusal(NOT_FOUND), which names it."""
    row = tx.execute(select(funding_sources).where(funding_sources.c.id == source_id)).one_or_none()
    if row is None:
        raise _missing([source_id])
    return row


def _missing(source_ids: Iterable[str]) -> Refusal:
    """Requests name several resources, and files more: it says which of them there are not."""
    named = ", ".join(f"fundingSources/{each}" for each in sorted(source_ids))
    return Refusal(reason_pb2.REASON_NOT_FOUND, metadata={"missing": named})


def extend_retention(tx: Transaction, source_id: str, years: int) -> bool:
    """Keeps what a funding source pays for longer; False when it is kept for so many years already."""
    longer = update(funding_sources).values(retention_years=years)
    shorter = funding_sources.c.retention_years < years
    return tx.execute(longer.where(funding_sources.c.id == source_id, shorter)).rowcount == 1


def need_sources(tx: Transaction, source_ids: Iterable[str]) -> None:
    """Raises Refusal unless all of these funding sources are there for real money: NOT_FOUND,
    SANDBOX_APART."""
    wanted = set(source_ids)
    missing = wanted - known_sources(tx, wanted)
    if missing and missing == known_sources(tx, missing, sandbox=True):
        keep_apart(CURRENCY)
    if missing:
        raise _missing(missing)


def known_sources(tx: Transaction, source_ids: Iterable[str], *, sandbox: bool = False) -> set[str]:
    """Returns those of some funding sources that are there, either of the sandbox or of real money."""
    wanted = list(source_ids)
    statement = select(funding_sources.c.id).where(
        funding_sources.c.id.in_(wanted), (funding_sources.c.kind == SANDBOX_KIND) == sandbox
    )
    return set(tx.execute(statement).scalars()) if wanted else set()


def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts a programme; raises Refusal(ALREADY_EXISTS)."""
    _insert_new(tx, programmes, values)


def with_active_version(today: date | BindParameter[date]) -> Select[Any]:
    """Returns the statement for programmes with the number of the version in force on `today`."""
    active = (
        select(_versions.number)
        .where(
            _versions.programme_id == programmes.c.id,
            _versions.state == ACTIVE,
            _versions.effective_date <= today,
        )
        .order_by(_versions.effective_date.desc(), _versions.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(programmes, active.label("active_number"))


def listed(today: date, *, sandbox: bool) -> Select[Any]:
    """Returns that statement for programmes of either the sandbox or real money."""
    return with_active_version(today).where(apart(programmes.c.currency, sandbox=sandbox))


_GET = with_active_version(bindparam("today", type_=Date)).where(programmes.c.id == bindparam("programme"))


def get(tx: Transaction, programme_id: str) -> Row[Any]:
    """Returns a programme's row with `active_number`; raises Refusal(NOT_FOUND)."""
    return tx.one(_GET, {"today": tx.today, "programme": programme_id})


def in_force(tx: Transaction) -> list[Row[Any]]:
    """Returns the programmes with a version in force, by id, with `active_number`."""
    each = with_active_version(tx.today).subquery()
    return list(tx.execute(select(each).where(each.c.active_number.is_not(None)).order_by(each.c.id)))


def money_told(tx: Transaction, programme_id: str, left: int) -> int:
    """Notes how far others are told that a programme's money reaches; returns how often they were told."""
    told = {"money_told": left, "money_changes": programmes.c.money_changes + 1}
    changed = update(programmes).where(programmes.c.id == programme_id).values(told)
    return int(tx.execute(changed.returning(programmes.c.money_changes)).scalar_one())


def currencies(tx: Transaction, programme_ids: Iterable[str]) -> dict[str, str]:
    """Returns the currencies of programmes by id."""
    found = select(programmes.c.id, programmes.c.currency).where(
        programmes.c.id == one_of(list(programme_ids))
    )
    return {row.id: row.currency for row in tx.execute(found)}


def lock(tx: Transaction, programme_id: str) -> Row[Any]:
    """Locks a programme; raises Refusal(NOT_FOUND)."""
    statement = select(programmes).where(programmes.c.id == programme_id).with_for_update(key_share=True)
    return tx.one(statement)


def add_version(tx: Transaction, programme_id: str, values: dict[str, Any]) -> Row[Any]:
    """Inserts a draft under the next number of a locked programme; returns its row."""
    number = (
        update(programmes)
        .where(programmes.c.id == programme_id)
        .values(last_version=programmes.c.last_version + 1)
        .returning(programmes.c.last_version)
    )
    row = {
        "programme_id": programme_id,
        "number": tx.execute(number).scalar_one(),
        "state": DRAFT,
        "drafted_by": [tx.principal.subject],
        **values,
    }
    return tx.execute(insert(programme_versions).values(row).returning(programme_versions)).one()


def get_version(tx: Transaction, programme_id: str, number: int, *, locked: bool = False) -> Row[Any]:
    """Returns a version's row with its programme's currency; raises Refusal(NOT_FOUND)."""
    statement = (
        select(programme_versions, programmes.c.currency)
        .join(programmes, programmes.c.id == _versions.programme_id)
        .where(_versions.programme_id == programme_id, _versions.number == number)
    )
    if locked:
        statement = statement.with_for_update(of=programme_versions)
    return tx.one(statement)


def versions_of(programme_id: str) -> Select[Any]:
    """Returns the statement for a programme's versions."""
    return select(programme_versions).where(_versions.programme_id == programme_id)


def target_groups(tx: Transaction, programme_id: str) -> list[str]:
    """Returns the codes of the target groups in any version of a programme."""
    rules = tx.execute(versions_of(programme_id).with_only_columns(_versions.rules)).scalars()
    return sorted({group["code"] for each in rules for group in each.get("target_groups", [])})


def change_draft(tx: Transaction, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Writes a changed draft; whoever changed it cannot activate it. Returns the new row."""
    drafted_by = sorted({*row.drafted_by, tx.principal.subject})
    return _change(tx, row, {**values, "drafted_by": drafted_by})


def activate(tx: Transaction, row: Row[Any]) -> Row[Any]:
    """Puts a version in force. The database refuses somebody who drafted it."""
    activated = {"activated_by": tx.principal.subject, "activated_at": tx.now, "terms_told": True}
    return _change(tx, row, {"state": ACTIVE, **activated})


def untold(tx: Transaction) -> list[Row[Any]]:
    """Returns some active versions whose terms nobody was told, with currency and names of their programmes,
    and counts them as told."""
    waiting = (
        select(programme_versions, programmes.c.currency, programmes.c.display_names)
        .join(programmes, programmes.c.id == _versions.programme_id)
        .where(_versions.state == ACTIVE, ~_versions.terms_told)
        .limit(UNTOLD)
        .with_for_update(of=programme_versions, skip_locked=True)
    )
    rows = list(tx.execute(waiting))
    for row in rows:
        same = (_versions.programme_id == row.programme_id) & (_versions.number == row.number)
        tx.execute(update(programme_versions).where(same).values(terms_told=True))
    return rows


def _change(tx: Transaction, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    statement = (
        update(programme_versions)
        .where(_versions.programme_id == row.programme_id, _versions.number == row.number)
        .values(**values, version=_versions.version + 1)
        .returning(programme_versions)
    )
    return tx.execute(statement).one()


def _insert_new(tx: Transaction, table: Any, values: dict[str, Any]) -> None:
    statement = upsert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
    if tx.execute(statement).one_or_none() is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
