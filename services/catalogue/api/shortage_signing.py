"""Signing versions of shortage lists: when they are published, and those published before that was done."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from services.catalogue.domain import merkle, shortage, shortage_proof
from services.catalogue.domain.shortage import Entry
from services.catalogue.domain.shortage_proof import Signed
from services.catalogue.store import shortage_lists, shortage_signatures
from services.platform.db.transaction import Transaction, transaction
from services.platform.signing import SigningKey

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

log = logging.getLogger(__name__)


def signed_version(version: Any, root: bytes) -> Signed:
    """Returns what is signed of a row of `shortage_versions`. `root`: of its entries."""
    name = f"shortageLists/{version.list_id}/versions/{version.number}"
    return Signed(name, version.valid_from, version.valid_to, version.entry_count, root)


def sign(tx: Transaction, key: SigningKey, version: Any, entries: Iterable[Entry]) -> None:
    """Signs a published version with its entries and keeps the signature."""
    root = merkle.root(merkle.levels(map(shortage_proof.item, entries)))
    shortage_signatures.add(tx, version.list_id, version.number, signed_version(version, root), key)


def sign_unsigned(app: CatalogueApp) -> None:
    """Signs what was published before versions were signed, unless it is not what was published."""
    with transaction(app) as tx:
        for version in shortage_signatures.unsigned(tx):
            entries = shortage_lists.entries(tx.connection, version.list_id, version.number)
            if shortage.digest(entries) == version.digest:
                sign(tx, app.shortage_key, version, entries)
            else:
                name = f"{version.list_id}/{version.number}"
                log.error("shortage list version %s is not what was published: not signed", name)
