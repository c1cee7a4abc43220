"""Rows of drafts of shortage lists whose occupation a person decides."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, Select, and_, delete, func, insert, or_, select, text, update
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.shortage import Entry, Match, Occupation
from services.catalogue.store.shortage_tables import shortage_matches
from services.catalogue.store.tables import shortage_entries, shortage_findings, shortage_versions
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


class State(IntEnum):
    """As in `ShortageMatch.State`."""

    OPEN = 1
    ACCEPTED = 2
    REPLACED = 3
    REJECTED = 4


_m = shortage_matches.c


def add(tx: Transaction, list_id: str, number: int, matches: Iterable[Match]) -> None:
    """Adds the matches of a draft, open."""
    columns = ", ".join(("list_id", "number", *Match._fields))
    copy(tx.connection, f"shortage_matches ({columns})", ((list_id, number, *match) for match in matches))


def listing(list_id: str, number: int, state: int) -> Select[Any]:
    """Selects the matches of a version, in one state or (0) all."""
    statement = select(shortage_matches).where(_m.list_id == list_id, _m.number == number)
    return statement.where(_m.state == state) if state else statement


def read(tx: Transaction, list_id: str, number: int, line: int) -> Row[Any]:
    """Returns the match; raises Refusal(NOT_FOUND)."""
    row = tx.execute(listing(list_id, number, 0).where(_m.line == line)).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"No match of this version is of line {line}.")
    return row


def count_open(tx: Transaction, list_id: str, number: int) -> int:
    """Returns how many matches of a version nobody has decided."""
    found = listing(list_id, number, State.OPEN).with_only_columns(func.count())
    return int(tx.execute(found).scalar_one())


def deciders(tx: Transaction, list_id: str, number: int) -> set[str]:
    """Returns who has decided matches of a version."""
    found = listing(list_id, number, 0).where(_m.decided_by.is_not(None)).with_only_columns(_m.decided_by)
    return set(tx.execute(found.distinct()).scalars())


def decided(tx: Transaction, list_id: str) -> dict[str, Occupation]:
    """Returns name → occupation as persons decided in a published version of a list, or the caller in any,
    the newest decision of each: at what others decided in drafts no second person has looked yet."""
    v = shortage_versions.c
    counts = or_(v.publish_time.is_not(None), _m.decided_by == tx.principal.subject)
    statement = (
        select(_m.normal, _m.uri, _m.isco_code)
        .join(shortage_versions, and_(v.list_id == _m.list_id, v.number == _m.number))
        .where(_m.list_id == list_id, _m.state.in_((State.ACCEPTED, State.REPLACED)), counts)
        .order_by(_m.decide_time, _m.number, _m.line)
    )
    return {row.normal: Occupation(row.uri, row.isco_code) for row in tx.execute(statement)}


def decide(tx: Transaction, row: Row[Any], state: State, occupation: Occupation) -> Row[Any]:
    """Writes a decision in the caller's name and makes or takes back the entry; returns the match."""
    key = row.list_id, row.number, row.line
    statement = (
        update(shortage_matches)
        .where(_m.list_id == row.list_id, _m.number == row.number, _m.line == row.line)
        .values(
            state=int(state),
            uri=occupation.uri,
            isco_code=occupation.isco_code,
            decided_by=tx.principal.subject,
            decide_time=func.now(),
        )
        .returning(shortage_matches)
    )
    changed = tx.execute(statement).one()
    e, f = shortage_entries.c, shortage_findings.c
    tx.execute(delete(shortage_entries).where(e.list_id == key[0], e.number == key[1], e.line == key[2]))
    tx.execute(delete(shortage_findings).where(f.list_id == key[0], f.number == key[1], f.line == key[2]))
    if state != State.REJECTED:
        tx.execute(insert(shortage_entries).from_select(_ENTRY, _entry(*key)))
    tx.execute(_COUNT, {"list": key[0], "number": key[1]})
    return changed


_ENTRY = ["list_id", "number", *Entry._fields]
# Rows that a person left out are rejected for no error.
_COUNT = text(
    """
    UPDATE shortage_versions v SET revision = revision + 1,
      entry_count = (SELECT count(*) FROM shortage_entries e WHERE (e.list_id, e.number) = (:list, :number)),
      error_count = (SELECT count(*) FROM shortage_findings f
        WHERE (f.list_id, f.number) = (:list, :number) AND f.severity = 3),
      rejected_row_count = (SELECT count(DISTINCT f.line) FROM shortage_findings f
        WHERE (f.list_id, f.number) = (:list, :number) AND f.severity = 3)
        + (SELECT count(*) FROM shortage_matches m
        WHERE (m.list_id, m.number) = (:list, :number) AND m.state = 4)
    WHERE (v.list_id, v.number) = (:list, :number)
    """
)


def _entry(list_id: str, number: int, line: int) -> Select[Any]:
    e = shortage_entries.c
    highest = select(func.coalesce(func.max(e.seq), 0)).where(e.list_id == list_id, e.number == number)
    columns = [_m[name] for name in _ENTRY if name != "seq"]
    columns.insert(2, (highest.scalar_subquery() + 1).label("seq"))  # type: ignore[arg-type]
    return select(*columns).where(_m.list_id == list_id, _m.number == number, _m.line == line)


def renumber(tx: Transaction, list_id: str, number: int) -> None:
    """Numbers the entries of a draft from 1 in the order of the file, once some have come or gone."""
    key = {"list": list_id, "number": number}
    made = listing(list_id, number, 0).where(_m.state != State.OPEN).limit(1)
    if tx.execute(made).first() is None:
        return
    for statement in _RENUMBER:  # away from the numbers in use, then where they belong
        tx.execute(text(statement), key)


_RENUMBER = (
    """UPDATE shortage_entries SET seq = -seq WHERE list_id = :list AND number = :number""",
    """UPDATE shortage_entries e SET seq = place FROM (
         SELECT seq, row_number() OVER (ORDER BY line, seq DESC) AS place FROM shortage_entries
         WHERE list_id = :list AND number = :number) placed
       WHERE e.list_id = :list AND e.number = :number AND e.seq = placed.seq""",
)
