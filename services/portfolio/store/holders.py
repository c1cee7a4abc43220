"""Holders."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.holder_pb2 import Holder

from services.platform.db.etags import check_etag
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store.collection import bare, fill
from services.portfolio.store.tables import holders
from services.portfolio.store.vault import Vault, create_vault


def create(tx: Transaction, keys: KeyRing, holder_id: str, holder: Holder) -> Holder:
    """Creates a holder with a key of their own; raises Refusal(ALREADY_EXISTS)."""
    made = tx.execute(
        insert(holders)
        .values(id=holder_id, sealed=b"", created_at=tx.now, updated_at=tx.now)
        .on_conflict_do_nothing()
        .returning(holders.c.id)
    ).one_or_none()
    if made is None:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    vault = create_vault(tx, keys, holder_id)
    return _write(tx, vault, holder, version=1)


def get(tx: Transaction, vault: Vault, *, etag: str = "", lock: bool = False) -> Holder:
    """Returns the holder of an open vault; raises Refusal(ETAG_STALE) when `etag` is given and not theirs."""
    query = select(holders).where(holders.c.id == vault.holder)
    row = tx.execute(query.with_for_update() if lock else query).one()
    check_etag(etag, row.version)
    return _shown(vault, row)


def replace(tx: Transaction, vault: Vault, holder: Holder) -> Holder:
    """Writes a new version of the locked holder."""
    return _write(tx, vault, holder, version=holders.c.version + 1)


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
    return holder
