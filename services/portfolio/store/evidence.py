"""Evidence files: what is known of each; the bytes are in the object store under the row's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select, update
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.objects.tickets import key_of
from services.portfolio.domain import names
from services.portfolio.store import keeping, tables
from services.portfolio.store.collection import Collection
from services.portfolio.store.vault import Vault, is_restricted

BUCKET = "waymark-portfolio-evidence"


def _finish(evidence: Evidence, row: Row[Any], _now: datetime) -> None:
    evidence.state = row.state
    if row.state == Evidence.STATE_STORED:
        evidence.store_time.FromDatetime(row.updated_at)
    evidence.scan_state = row.scan_state
    evidence.upload_fault = row.upload_fault
    evidence.has_poster = row.has_poster


EVIDENCE = Collection(tables.evidence, "evidence", Evidence, _finish)


def bytes_held(tx: Transaction, holder: str) -> int:
    """Returns how many bytes a holder's files have, announced ones included."""
    total = select(func.coalesce(func.sum(tables.evidence.c.size_bytes), 0))
    return int(tx.execute(total.where(tables.evidence.c.holder_id == holder)).scalar_one())


def files_of(tx: Transaction, holder: str) -> list[tuple[str, int]]:
    """Returns object key and size of a holder's files, announced ones included."""
    column = tables.evidence.c
    rows = tx.execute(select(column.id, column.size_bytes).where(column.holder_id == holder))
    return [(row.id, row.size_bytes) for row in rows]


def hold(tx: Transaction, vault: Vault, files: Iterable[Evidence]) -> None:
    """Keeps files from going until the transaction is over; raises Refusal(NOT_FOUND) for one just gone."""
    if EVIDENCE.missing(tx, vault.holder, {names.last(each.name) for each in files}):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)


def leave_gone(tx: Transaction, vault: Vault, message: Any) -> None:
    """Takes out of what a holder once said the files that are gone by now."""
    if "evidence" in message.DESCRIPTOR.fields_by_name and message.evidence:
        gone = EVIDENCE.missing(tx, vault.holder, set(map(names.last, message.evidence)))
        kept = [name for name in message.evidence if names.last(name) not in gone]
        del message.evidence[:]
        message.evidence.extend(kept)


def to_check(tx: Transaction, after: str, limit: int = 20) -> list[tuple[str, str]]:
    """Returns holder and id of the next files after `after` whose bytes are to be checked, oldest first."""
    column = tables.evidence.c
    query = select(column.holder_id, column.id).where(tables.UNCHECKED, column.id > after)
    return [(row.holder_id, row.id) for row in tx.execute(query.order_by(column.id).limit(limit))]


def to_preview(tx: Transaction, after: str, *, scanned: bool, limit: int = 20) -> list[tuple[str, str]]:
    """Returns holder and id of the next images after `after` of which a small picture is to be made, oldest
    first, but for those in a restricted portfolio; `scanned`: only what a scanner found clean."""
    column = tables.evidence.c
    sound = [Evidence.SCAN_STATE_CLEAN, *(() if scanned else (Evidence.SCAN_STATE_NOT_SCANNED,))]
    query = select(column.holder_id, column.id).where(
        tables.UNPREVIEWED,
        column.id > after,
        column.scan_state.in_(sound),
        ~exists().where(is_restricted(column.holder_id)),
    )
    return [(row.holder_id, row.id) for row in tx.execute(query.order_by(column.id).limit(limit))]


def end_preview(tx: Transaction, evidence_id: str) -> bool:
    """Notes that no picture of a file is to be made any more; False when none was, or the file is gone."""
    due = (tables.evidence.c.id == evidence_id) & tables.evidence.c.preview_due
    return tx.execute(update(tables.evidence).where(due).values(preview_due=False)).rowcount == 1


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those object keys that rows name, but for malware that no legal hold keeps; and of uploads
    those that are still to be checked."""
    column = tables.evidence.c
    sound = column.scan_state != Evidence.SCAN_STATE_INFECTED
    kept = column.id.in_(keys) & (sound | keeping.is_held(column.holder_id))
    uploads = {key: of for key in keys if (of := key_of(key))}
    waits = column.id.in_(uploads.values()) & (column.state == Evidence.STATE_CHECKING)
    named = set(tx.execute(select(column.id).where(kept)).scalars())
    waiting = set(tx.execute(select(column.id).where(waits)).scalars())
    return named | {key for key, of in uploads.items() if of in waiting}


def unscanned(tx: Transaction, after: str, limit: int = 100) -> list[str]:
    """Returns the next object keys after `after` of stored files that no scanner has looked at."""
    column = tables.evidence.c
    query = select(column.id).where(tables.UNSCANNED, column.id > after)
    return list(tx.execute(query.order_by(column.id).limit(limit)).scalars())


def set_scan_state(tx: Transaction, key: str, state: Evidence.ScanState.ValueType) -> None:
    """Notes what a scan found; nothing happens when the row is gone by now."""
    tx.execute(update(tables.evidence).where(tables.evidence.c.id == key).values(scan_state=state))
