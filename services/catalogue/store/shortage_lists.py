"""Statements on shortage lists, their versions, entries and findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import Finding
from services.catalogue.domain.shortage import Entry, Validity
from services.catalogue.store.shortage_tables import shortage_matches
from services.catalogue.store.tables import (
    shortage_entries,
    shortage_findings,
    shortage_lists,
    shortage_versions,
)
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

PART = 10_000  # rows
_ENTRY = [shortage_entries.c[name] for name in Entry._fields]


def add(tx: Transaction, list_id: str, display_names: dict[str, str], nuts_code: str) -> None:
    """Adds a list; raises Refusal(ALREADY_EXISTS)."""
    try:
        with tx.connection.begin_nested():
            tx.execute(
                insert(shortage_lists).values(id=list_id, display_names=display_names, nuts_code=nuts_code)
            )
    except IntegrityError as error:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from error


def read(connection: Connection, list_id: str, *, lock: bool = False) -> Row[Any]:
    """Returns the list, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(shortage_lists).where(shortage_lists.c.id == list_id)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no shortage list {list_id}.")
    return row


def listing() -> Select[Any]:
    """Selects the lists."""
    return select(shortage_lists)


def territories(connection: Connection) -> dict[str, str]:
    """Returns of every list the region that it speaks for: list id → NUTS code."""
    rows = connection.execute(select(shortage_lists.c.id, shortage_lists.c.nuts_code))
    return {row.id: row.nuts_code for row in rows}


def add_version(tx: Transaction, list_id: str, **values: Any) -> int:
    """Adds a draft by the caller under the next number, which it returns; the list must be locked."""
    highest = tx.execute(
        select(func.coalesce(func.max(shortage_versions.c.number), 0)).where(
            shortage_versions.c.list_id == list_id
        )
    ).scalar_one()
    number = int(highest) + 1
    tx.execute(
        insert(shortage_versions).values(
            list_id=list_id, number=number, created_by=tx.principal.subject, **values
        )
    )
    return number


def add_rows(
    tx: Transaction, list_id: str, number: int, entries: Iterable[Entry], findings: Iterable[Finding]
) -> None:
    """Adds entries and findings of a draft."""
    columns = ", ".join(("list_id", "number", *Entry._fields))
    rows = ((list_id, number, *entry._replace(evidence=list(entry.evidence))) for entry in entries)
    copy(tx.connection, f"shortage_entries ({columns})", rows)
    copy(
        tx.connection,
        "shortage_findings "
        "(list_id, number, seq, code, severity, record, line, path, value, message, remedy)",
        ((list_id, number, seq, *finding) for seq, finding in enumerate(findings)),
    )


def read_version(connection: Connection, list_id: str, number: int, *, lock: bool = False) -> Row[Any]:
    """Returns the version, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(shortage_versions).where(
        shortage_versions.c.list_id == list_id, shortage_versions.c.number == number
    )
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"Shortage list {list_id} has no version {number}.")
    return row


def drop(tx: Transaction, list_id: str, number: int) -> None:
    """Removes a locked draft with all that belongs to it."""
    for table in (shortage_matches, shortage_findings, shortage_entries, shortage_versions):
        tx.execute(delete(table).where(table.c.list_id == list_id, table.c.number == number))


def listing_versions(list_id: str, *, drafts: bool) -> Select[Any]:
    """Selects the versions of a list, drafts only where asked."""
    statement = select(shortage_versions).where(shortage_versions.c.list_id == list_id)
    return statement if drafts else statement.where(shortage_versions.c.publish_time.is_not(None))


def published(connection: Connection, list_id: str = "") -> dict[str, list[Validity]]:
    """Returns list id → its published versions by the day they begin, of one list or all; what was withdrawn
    is not among them."""
    c = shortage_versions.c
    statement = select(shortage_versions).where(c.publish_time.is_not(None), c.withdraw_time.is_(None))
    if list_id:
        statement = statement.where(shortage_versions.c.list_id == list_id)
    found: dict[str, list[Validity]] = {}
    for row in connection.execute(
        statement.order_by(shortage_versions.c.list_id, shortage_versions.c.valid_from)
    ):
        found.setdefault(row.list_id, []).append(Validity(row.number, row.valid_from, row.valid_to))
    return found


def publish(tx: Transaction, list_id: str, number: int, digest: str) -> Row[Any]:
    """Publishes a draft in the caller's name and returns it."""
    values = {"published_by": tx.principal.subject, "publish_time": func.now(), "digest": digest}
    return _change(tx, list_id, number, values)


def withdraw(tx: Transaction, list_id: str, number: int, reason: str) -> Row[Any]:
    """Withdraws a published version in the caller's name and returns it."""
    values = {"withdrawn_by": tx.principal.subject, "withdraw_time": func.now(), "withdraw_reason": reason}
    return _change(tx, list_id, number, values)


def _change(tx: Transaction, list_id: str, number: int, values: dict[str, Any]) -> Row[Any]:
    row = shortage_versions.c
    statement = update(shortage_versions).where(row.list_id == list_id, row.number == number)
    return tx.execute(
        statement.values(revision=row.revision + 1, **values).returning(shortage_versions)
    ).one()


def listing_entries(list_id: str, number: int) -> Select[Any]:
    """Selects the entries of a version."""
    return select(shortage_entries).where(
        shortage_entries.c.list_id == list_id, shortage_entries.c.number == number
    )


def listing_findings(list_id: str, number: int) -> Select[Any]:
    """Selects the findings of a version."""
    return select(shortage_findings).where(
        shortage_findings.c.list_id == list_id, shortage_findings.c.number == number
    )


def entries(connection: Connection, list_id: str, number: int) -> list[Entry]:
    """Returns the entries of a version in order."""
    statement = listing_entries(list_id, number).with_only_columns(*_ENTRY).order_by(shortage_entries.c.seq)
    return list(map(Entry._make, connection.execute(statement)))


def entry(connection: Connection, list_id: str, number: int, seq: int) -> Entry:
    """Returns an entry of a version by its number, with its evidence."""
    statement = listing_entries(list_id, number).with_only_columns(*_ENTRY)
    return Entry._make(connection.execute(statement.where(shortage_entries.c.seq == seq)).one())


def each_entry(tx: Transaction, list_id: str, number: int) -> Iterator[Entry]:
    """Yields the entries of a version in order, with flat memory."""
    statement = listing_entries(list_id, number).with_only_columns(*_ENTRY).order_by(shortage_entries.c.seq)
    for rows in tx.parts(statement, PART):
        yield from map(Entry._make, rows)


def everywhere(
    connection: Connection, uri: str, isco_codes: Sequence[str]
) -> dict[tuple[str, int], list[Entry]]:
    """Returns (list, number) → entries for a concept or one of the given codes, of all versions."""
    statement = select(shortage_entries).where(
        (shortage_entries.c.uri == uri) & (shortage_entries.c.uri != "")
        | shortage_entries.c.isco_code.in_(isco_codes)
    )
    found: dict[tuple[str, int], list[Entry]] = {}
    for row in connection.execute(statement):
        found.setdefault((row.list_id, row.number), []).append(entry_of(row))
    return found


def entry_of(row: Row[Any]) -> Entry:
    """Returns the domain's entry."""
    return Entry(*(getattr(row, name) for name in Entry._fields))
