"""What deleting a file of evidence asks of the rest of a portfolio: whether somebody still needs it, and that
nothing of the holder's names it any more."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names, quotas
from services.portfolio.store import entry_revisions, page_submissions, validations
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.planning import JOURNAL
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault


def require_unneeded(tx: Transaction, vault: Vault, name: str) -> None:
    """Raises Refusal(EVIDENCE_HANDED_IN), naming the case or submission, while one that a file was handed in
    with can still be read by a recipient of pages, or decided by an awarding body."""
    for snapshot in validations.undecided(tx, vault):
        if any(each.name == name for each in snapshot.evidence):
            _refuse(snapshot.validation_case)
    for frozen in page_submissions.readable(tx, vault):
        if any(item.evidence.name == name for page in frozen.pages for item in page.items):
            _refuse(frozen.page_submission)


def unlink(tx: Transaction, vault: Vault, name: str) -> None:
    """Takes a locked file out of entries, which keep what they said before, skills and the journal."""
    holding: tuple[Collection[Any], ...] = (ENTRIES, SKILL_CLAIMS, JOURNAL)
    for collection in holding:
        for found in collection.newest(tx, vault, quotas.LIMITS[collection.table.name], gone=True):
            if name in found.evidence:
                _take_out(tx, vault, collection, names.last(found.name), name)


def _take_out(tx: Transaction, vault: Vault, collection: Collection[Any], row_id: str, name: str) -> None:
    before = collection.get(tx, vault, row_id, lock=True)
    after = type(before)()
    after.CopyFrom(before)
    del after.evidence[:]
    after.evidence.extend(each for each in before.evidence if each != name)
    if collection is ENTRIES:
        entry_revisions.save(tx, vault, row_id, before, after)
    else:
        collection.replace(tx, vault, row_id, after)


def _refuse(needed_by: str) -> None:
    raise Refusal(reason_pb2.REASON_EVIDENCE_HANDED_IN, metadata={"resource": needed_by})
