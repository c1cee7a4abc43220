"""What deleting a file of evidence asks of the rest of a portfolio: whether somebody still needs it, and that
nothing of the holder's names it any more."""

from __future__ import annotations

from collections.abc import Set
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

HOLDING: tuple[Collection[Any], ...] = (ENTRIES, SKILL_CLAIMS, JOURNAL)  # what names files


def require_unneeded(tx: Transaction, vault: Vault, name: str) -> None:
    """Raises Refusal(EVIDENCE_HANDED_IN), naming the case or submission, for a file that was handed in."""
    if needed_by := handed_in(tx, vault).get(name):
        raise Refusal(reason_pb2.REASON_EVIDENCE_HANDED_IN, metadata={"resource": needed_by})


def handed_in(tx: Transaction, vault: Vault) -> dict[str, str]:
    """Returns the names of the files that were handed in with what can still be read by a recipient of pages,
    or decided by an awarding body, each with the name of the submission or case."""
    needed = {
        item.evidence.name: frozen.page_submission
        for frozen in page_submissions.readable(tx, vault)
        for page in frozen.pages
        for item in page.items
    }
    for snapshot in validations.undecided(tx, vault):
        needed |= dict.fromkeys((each.name for each in snapshot.evidence), snapshot.validation_case)
    return needed


def unlink(tx: Transaction, vault: Vault, gone: Set[str]) -> None:
    """Takes locked files, by their names, out of entries, which keep what they said before, skills and the
    journal."""
    for collection in HOLDING if gone else ():
        for found in collection.newest(tx, vault, quotas.LIMITS[collection.table.name], gone=True):
            if not gone.isdisjoint(found.evidence):
                _take_out(tx, vault, collection, names.last(found.name), gone)


def _take_out(
    tx: Transaction, vault: Vault, collection: Collection[Any], row_id: str, gone: Set[str]
) -> None:
    before = collection.get(tx, vault, row_id, lock=True)
    after = type(before)()
    after.CopyFrom(before)
    del after.evidence[:]
    after.evidence.extend(each for each in before.evidence if each not in gone)
    if collection is ENTRIES:
        entry_revisions.save(tx, vault, row_id, before, after)
    else:
        collection.replace(tx, vault, row_id, after)
