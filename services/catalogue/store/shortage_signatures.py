"""Signatures of published versions of shortage lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.shortage_proof import Signed
from services.catalogue.store.shortage_tables import shortage_signatures
from services.catalogue.store.tables import shortage_versions
from services.platform.db.transaction import Transaction
from services.platform.signing import SigningKey


def add(tx: Transaction, list_id: str, number: int, signed: Signed, key: SigningKey) -> None:
    """Signs a version and keeps that; a signature that is there already stays."""
    values = {
        "list_id": list_id,
        "number": number,
        "root": signed.root,
        "key_id": key.id,
        "signature": key.private.sign(signed.text()),
    }
    tx.execute(insert(shortage_signatures).values(values).on_conflict_do_nothing())


def read(tx: Transaction, list_id: str, number: int) -> Row[Any] | None:
    """Returns the signature of a version, or None."""
    table = shortage_signatures.c
    statement = select(shortage_signatures).where(table.list_id == list_id, table.number == number)
    return tx.execute(statement).first()


def unsigned(tx: Transaction) -> list[Row[Any]]:
    """Returns the published versions without a signature."""
    version, table = shortage_versions.c, shortage_signatures.c
    joined = shortage_versions.outerjoin(
        shortage_signatures, (table.list_id == version.list_id) & (table.number == version.number)
    )
    statement = select(shortage_versions).select_from(joined)
    return list(tx.execute(statement.where(version.publish_time.is_not(None), table.root.is_(None))))
