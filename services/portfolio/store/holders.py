"""Holders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.holder_pb2 import EraseHolderResponse, Holder

from services.platform.db.etags import check_etag
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store import break_glass, keeping, read_quota, rights_requests, rights_tables
from services.portfolio.store.collection import bare, fill
from services.portfolio.store.company_tables import group_memberships, mentoring_matches
from services.portfolio.store.credential_tables import credentials
from services.portfolio.store.exposure_tables import exposure_consents
from services.portfolio.store.guidance_tables import contact_records, guidance_notes, validation_cases
from services.portfolio.store.instrument_tables import questionnaires
from services.portfolio.store.page_tables import page_submissions, pages
from services.portfolio.store.planning_tables import goals, journal_entries, plans
from services.portfolio.store.tables import (
    access_records,
    cvs,
    document_imports,
    entries,
    evidence,
    holder_keys,
    holders,
    mandates,
    pathways,
    remainders,
    share_links,
    skill_claims,
)
from services.portfolio.store.vault import Vault, create_vault, erase_key


def create(tx: Transaction, keys: KeyRing, holder_id: str, holder: Holder) -> Holder:
    """Creates a holder with a key of their own; raises Refusal(ALREADY_EXISTS).

    Somebody who was erased begins anew, with a new key.
    """
    fresh = {"created_at": tx.now, "updated_at": tx.now, "erased_at": None}
    made = tx.execute(
        insert(holders)
        .values(id=holder_id, sealed=b"", **fresh)
        .on_conflict_do_update(index_elements=["id"], set_=fresh, where=holders.c.erased_at.is_not(None))
        .returning(holders.c.id)
    ).one_or_none()
    if made is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    vault = create_vault(tx, keys, holder_id)
    # Counted on after an erasure, so that an etag from before fits nothing.
    return _write(tx, vault, holder, version=holders.c.version + 1)


def get(tx: Transaction, vault: Vault, *, etag: str = "", lock: bool = False) -> Holder:
    """Returns the holder of an open vault; raises Refusal(ETAG_STALE) when `etag` is given and not theirs."""
    query = select(holders).where(holders.c.id == vault.holder)
    # Not against those who only keep it from going, as two who both did would wait for each other.
    row = tx.execute(query.with_for_update(key_share=True) if lock else query).one()
    check_etag(etag, row.version)
    return _shown(vault, row)


def replace(tx: Transaction, vault: Vault, holder: Holder) -> Holder:
    """Writes a new version of the locked holder."""
    return _write(tx, vault, holder, version=holders.c.version + 1)


def erase(tx: Transaction, holder_id: str, etag: str) -> tuple[bool, datetime]:
    """Erases a holder: key, everything sealed under it, grants. Returns whether there was anything to erase,
    and when it was erased (UTC).

    The row stays, empty, for the access log to belong to. Raises Refusal(NOT_FOUND, ETAG_STALE), and
    ERASURE_HELD while a legal hold is in force.
    """
    row = tx.execute(select(holders).where(holders.c.id == holder_id).with_for_update()).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    if row.erased_at is not None:
        return False, row.erased_at
    check_etag(etag, row.version)
    keeping.require_none(tx, holder_id)
    _end(tx, holder_id)
    return True, tx.now


def end_without_key(tx: Transaction, limit: int) -> int:
    """Erases holders who have no key, at most `limit`; returns how many. They had erased their portfolio, and
    a backup from before it brought back what no key opens any more."""
    has_key = exists().where(holder_keys.c.holder_id == holders.c.id)
    lost = select(holders.c.id).where(holders.c.erased_at.is_(None), ~has_key).limit(limit)
    found = list(tx.execute(lost.with_for_update()).scalars())
    for holder_id in found:
        # What is sealed goes with its key by foreign key, so there has to be one to go with.
        empty = {"master_key_id": "", "wrapped": b"", "created_at": tx.now}
        tx.execute(insert(holder_keys).values(holder_id=holder_id, **empty))
        _end(tx, holder_id)
    return len(found)


def erased_since(since: datetime) -> Select[Any]:
    """Selects who erased their portfolio at a time (UTC) or after, with when they last did, oldest first."""
    last = holders.c.last_erased_at
    return select(holders.c.id, last).where(last >= since).order_by(last, holders.c.id)


def _end(tx: Transaction, holder_id: str) -> None:
    for kept in (rights_requests, break_glass, read_quota):
        kept.close_with(tx, holder_id)
    erase_key(tx, holder_id)
    times = dict.fromkeys(("updated_at", "erased_at", "last_erased_at"), tx.now)
    gone = update(holders).values(sealed=b"", version=holders.c.version + 1, **times)
    tx.execute(gone.where(holders.c.id == holder_id))


def held(tx: Transaction, holder_id: str) -> EraseHolderResponse:
    """Counts what a holder has, and the access log, which outlives them."""
    counts = {
        table.name: select(func.count())
        .select_from(table)
        .where(table.c.holder_id == holder_id)
        .scalar_subquery()
        for table in (
            entries,
            skill_claims,
            evidence,
            credentials,
            cvs,
            remainders,
            document_imports,
            pathways,
            mandates,
            share_links,
            validation_cases,
            exposure_consents,
            mentoring_matches,
            group_memberships,
            pages,
            page_submissions,
            questionnaires,
            contact_records,
            guidance_notes,
            journal_entries,
            goals,
            plans,
            access_records,
            rights_tables.rights_requests,
        )
    }
    row = tx.execute(select(*(count.label(name) for name, count in counts.items()))).one()
    return EraseHolderResponse(**row._mapping)


def _write(tx: Transaction, vault: Vault, holder: Holder, *, version: Any) -> Holder:
    row = tx.execute(
        update(holders)
        .where(holders.c.id == vault.holder)
        .values(sealed=vault.seal(holders, vault.holder, bare(holder)), version=version, updated_at=tx.now)
        .returning(holders)
    ).one()
    return _shown(vault, row)


def _shown(vault: Vault, row: Row[Any]) -> Holder:
    holder = vault.open(holders, vault.holder, row.sealed, Holder)
    fill(holder, names.holder(vault.holder), row)
    holder.ClearField("restrict_time")
    if vault.restricted_at:
        holder.restrict_time.FromDatetime(vault.restricted_at)
    return holder
