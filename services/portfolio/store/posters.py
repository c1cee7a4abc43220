"""Small pictures of evidence, sealed like what people write."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.store.tables import evidence_posters
from services.portfolio.store.vault import Vault


def write(tx: Transaction, vault: Vault, evidence_id: str, image: bytes) -> None:
    """Keeps the picture of a file in place of the one it had; an empty one takes it away."""
    of = {"holder_id": vault.holder, "evidence_id": evidence_id}
    if not image:
        tx.execute(delete(evidence_posters).filter_by(**of))
        return
    sealed = vault.key.seal(evidence_posters.name, evidence_id, image)
    row = insert(evidence_posters).values(**of, sealed=sealed)
    tx.execute(row.on_conflict_do_update(index_elements=list(of), set_={"sealed": sealed}))


def read(tx: Transaction, vault: Vault, evidence_id: str) -> bytes:
    """Returns the picture of a file; raises Refusal(NOT_FOUND) when it has none."""
    query = select(evidence_posters.c.sealed).filter_by(holder_id=vault.holder, evidence_id=evidence_id)
    sealed = tx.execute(query).scalar_one_or_none()
    if sealed is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return vault.key.open(evidence_posters.name, evidence_id, sealed)
