"""Pages and collections of pages."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.portfolio.v1.page_collection_pb2 import PageCollection
from waymark.portfolio.v1.page_pb2 import Page

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.quotas import LIMITS
from services.portfolio.store import page_tables
from services.portfolio.store.collection import Collection
from services.portfolio.store.vault import Vault

PAGES = Collection(page_tables.pages, "pages", Page)
PAGE_COLLECTIONS = Collection(page_tables.page_collections, "pageCollections", PageCollection)


def named(tx: Transaction, vault: Vault, sources: Sequence[str]) -> list[Page]:
    """Returns the pages that names of pages and collections stand for, in their order, each once; what is
    gone is left out. No names: all pages, newest first."""
    if not sources:
        return PAGES.newest(tx, vault, LIMITS["pages"])
    segment = f"/{PAGE_COLLECTIONS.segment}/"
    ids = {names.last(source) for source in sources if segment in source}
    collections = {each.name: each.pages for each in PAGE_COLLECTIONS.some(tx, vault, ids)}
    wanted = [
        page
        for source in sources
        for page in (collections.get(source, ()) if segment in source else (source,))
    ]
    pages = {each.name: each for each in PAGES.some(tx, vault, set(map(names.last, wanted)))}
    return [pages[name] for name in dict.fromkeys(wanted) if name in pages]
