"""What undoing an import takes out of a portfolio again, and what stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from sqlalchemy import Table, select
from waymark.portfolio.v1.document_import_pb2 import DocumentImport, ImportedThing
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.page_pb2 import Page

from services.platform.db.etags import etag_of
from services.platform.db.transaction import Transaction
from services.portfolio import unlinking
from services.portfolio.domain import deadlines, names, quotas
from services.portfolio.domain.states import wrong_state
from services.portfolio.erasing import File
from services.portfolio.shelves import remind
from services.portfolio.store import holders, keeping, remainders, skill_claims
from services.portfolio.store.collection import Collection
from services.portfolio.store.document_imports import IMPORTS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import BUCKET, EVIDENCE
from services.portfolio.store.page_tables import page_invitations
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.tables import attestation_requests, share_links
from services.portfolio.store.trash import Trashed
from services.portfolio.store.vault import Vault

UNTOUCHED = etag_of(1)  # of what nobody changed since it was added
KINDS: tuple[Collection[Any], ...] = (ENTRIES, SKILL_CLAIMS, JOURNAL, GOALS, PLANS, PAGES, EVIDENCE)
IN_TRASH: tuple[Trashed[Any], ...] = (ENTRIES, JOURNAL, GOALS, PLANS)
_DUE: Mapping[str, Any] = {GOALS.segment: deadlines.of_goal, PLANS.segment: deadlines.of_plan}
Found = dict[str, Any]  # messages by name


def take_back(tx: Transaction, vault: Vault, row_id: str) -> tuple[DocumentImport, list[File]]:
    """Undoes an import; returns it with what became of each thing, and the files that are to go once the
    transaction has committed. Raises Refusal(NOT_FOUND, WRONG_STATE, ERASURE_HELD)."""
    holder = holders.get(tx, vault, lock=True)  # also, so that nobody brings in the same meanwhile
    keeping.require_none(tx, vault.holder)  # before anything else is locked, as everybody does
    made = IMPORTS.get(tx, vault, row_id, lock=True)
    if made.HasField("undo_time"):
        raise wrong_state("UNDONE", "BROUGHT_IN")
    there = _there(tx, vault, made.things)
    going = {name: each for name, each in there.items() if each.etag == UNTOUCHED}
    for needed_of in (_pages_needed, _skills_needed, _files_needed):  # in this order: what stays needs others
        needed = needed_of(tx, vault, going)
        going = {name: each for name, each in going.items() if name not in needed}
    for each in (each for each in made.things if not each.field):
        each.outcome = _outcome(each.resource, there, going)
    files = _let_go(tx, vault, going)
    remainders.take_back(tx, vault.holder, row_id)
    _empty(tx, vault, holder, made)
    return IMPORTS.replace(tx, vault, row_id, made, undone_at=tx.now), files


def _there(tx: Transaction, vault: Vault, things: Iterable[ImportedThing]) -> Found:
    """Locks and returns what is still there, and not in the trash."""
    ids: dict[str, set[str]] = {kind.segment: set() for kind in KINDS}
    for each in things:
        if not each.field:
            ids[each.resource.split("/")[2]].add(names.last(each.resource))
    found = (each for kind in KINDS for each in kind.some(tx, vault, ids[kind.segment], lock=True))
    return {each.name: each for each in found}


def _outcome(name: str, there: Found, going: Found) -> ImportedThing.Outcome.ValueType:
    if name in going:
        return ImportedThing.OUTCOME_TAKEN_BACK
    if name not in there:
        return ImportedThing.OUTCOME_GONE_BEFORE
    changed = there[name].etag != UNTOUCHED
    return ImportedThing.OUTCOME_CHANGED if changed else ImportedThing.OUTCOME_NEEDED


def _pages_needed(tx: Transaction, vault: Vault, _going: Found) -> set[str]:
    """Returns pages in collections or in links that open, and those that others were invited to."""
    collections = PAGE_COLLECTIONS.newest(tx, vault, quotas.LIMITS["page_collections"])
    columns = share_links.c
    opens = (columns.holder_id == vault.holder, columns.revoked_at.is_(None), columns.expires_at > tx.now)
    linked = tx.execute(select(columns.pages).where(*opens)).scalars()
    invited = _named_by(tx, vault, page_invitations, "page_id", PAGES)
    return {page for pages in (*(each.pages for each in collections), *linked, invited) for page in pages}


def _skills_needed(tx: Transaction, vault: Vault, going: Found) -> set[str]:
    """Returns what pages that stay show, and skills that somebody was asked to attest."""
    asked = _named_by(tx, vault, attestation_requests, "skill_claim_id", SKILL_CLAIMS)
    return {name for name in _shown(tx, vault, going) if f"/{ENTRIES.segment}/" not in name} | asked


def _files_needed(tx: Transaction, vault: Vault, going: Found) -> set[str]:
    """Returns files that were handed in, or that something that stays names."""
    staying = (
        each.evidence
        for kind in unlinking.HOLDING
        for each in kind.newest(tx, vault, quotas.LIMITS[kind.table.name])
        if each.name not in going
    )
    return {name for files in (*staying, unlinking.handed_in(tx, vault)) for name in files}


def _shown(tx: Transaction, vault: Vault, going: Found) -> set[str]:
    """Returns what pages that stay show."""
    pages: list[Page] = PAGES.newest(tx, vault, quotas.LIMITS["pages"])
    blocks = (block for page in pages if page.name not in going for block in page.blocks)
    return {getattr(block, block.WhichOneof("content") or "text") for block in blocks}


def _named_by(tx: Transaction, vault: Vault, table: Table, column: str, kind: Collection[Any]) -> set[str]:
    ids = tx.execute(select(table.c[column]).where(table.c.holder_id == vault.holder).distinct()).scalars()
    return {names.child(vault.holder, kind.segment, row_id) for row_id in ids}


def _let_go(tx: Transaction, vault: Vault, going: Found) -> list[File]:
    """Puts into the trash what has one, and removes the rest; returns files that are to go."""
    of = {kind.segment: _ids(going, kind) for kind in KINDS}
    for kind in IN_TRASH:
        for each in kind.trash_all(tx, vault, of[kind.segment]):
            if due := _DUE.get(kind.segment):
                remind(tx, kind.segment, each, due)
    skill_claims.take_back(tx, vault.holder, sorted(of[SKILL_CLAIMS.segment]))
    PAGES.remove_all(tx, vault.holder, of[PAGES.segment])
    files: list[Evidence] = [going[name] for name in going if f"/{EVIDENCE.segment}/" in name]
    EVIDENCE.remove_all(tx, vault.holder, of[EVIDENCE.segment])
    unlinking.unlink(tx, vault, {each.name for each in files})
    return [File(BUCKET, names.last(each.name), each.size_bytes) for each in files]


def _ids(found: Iterable[str], kind: Collection[Any]) -> Set[str]:
    return {names.last(name) for name in found if f"/{kind.segment}/" in name}


def _empty(tx: Transaction, vault: Vault, holder: Any, made: DocumentImport) -> None:
    """Empties the fields of the holder that still say what the document said."""
    said = {field.name: value for field, value in made.holder.ListFields()}
    now = {field.name: value for field, value in holder.ListFields()}
    for each in (each for each in made.things if each.field):
        if each.field not in now:
            each.outcome = ImportedThing.OUTCOME_GONE_BEFORE
        elif now[each.field] != said[each.field]:
            each.outcome = ImportedThing.OUTCOME_CHANGED
        else:
            each.outcome = ImportedThing.OUTCOME_TAKEN_BACK
            holder.ClearField(each.field)
    if any(each.field and each.outcome == ImportedThing.OUTCOME_TAKEN_BACK for each in made.things):
        holders.replace(tx, vault, holder)
