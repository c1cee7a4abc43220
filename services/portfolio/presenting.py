"""Pages as others see them: with what is on them now, and what was said to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.page_pb2 import Page, PageBlock, SharedItem, SharedPage

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store import holders, page_comments
from services.portfolio.store.collection import Collection
from services.portfolio.store.credentials import CREDENTIALS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault

# Where what a block names is, by the block's field.
THINGS: dict[str, Collection[Any]] = {
    "entry": ENTRIES,
    "skill_claim": SKILL_CLAIMS,
    "evidence": EVIDENCE,
    "credential": CREDENTIALS,
}


def presented(tx: Transaction, vault: Vault, pages: Sequence[Page]) -> list[SharedPage]:
    """Returns pages as others see them, in as many statements for many pages as for one. What is gone, and
    files that are not there yet, are left out."""
    things = _things(tx, vault, pages)
    comments = page_comments.published(tx, vault, {names.last(page.name) for page in pages})
    languages = holders.get(tx, vault).languages
    return [
        SharedPage(
            title=page.title,
            template=page.template,
            language_code=page.language_code or next(iter(languages), ""),
            items=[item for block in page.blocks if (item := _item(block, things))],
            comments=comments.get(names.last(page.name), ()),
        )
        for page in pages
    ]


def _things(tx: Transaction, vault: Vault, pages: Sequence[Page]) -> dict[str, Any]:
    """Returns what blocks name, by name."""
    found: dict[str, Any] = {}
    for field, collection in THINGS.items():
        blocks = (block for page in pages for block in page.blocks)
        wanted = (getattr(block, field) for block in blocks if block.WhichOneof("content") == field)
        for thing in collection.some(tx, vault, set(map(names.last, wanted))):
            if field != "evidence" or thing.state == Evidence.STATE_STORED:
                found[thing.name] = thing
    return found


def _item(block: PageBlock, things: dict[str, Any]) -> SharedItem | None:
    field = block.WhichOneof("content")
    if field is None:
        return None
    said = getattr(block, field)
    shown = said if field == "text" else things.get(said)
    return None if shown is None else SharedItem(**{field: shown})
