"""What somebody is shown of a portfolio by a list of its fields."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.platform.db.transaction import Transaction
from services.portfolio.domain import sharing
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.presenting import presented
from services.portfolio.store import holders, pages, pathways
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault


def shown(
    tx: Transaction,
    vault: Vault,
    fields: Sequence[str],
    sources: Sequence[str] = (),
    *,
    anonymous: bool = False,
) -> SharedPortfolio:
    """Returns a portfolio with the listed fields only; the parts they do not touch are not even read.

    `sources`: names of the pages and collections of pages to show; none: all pages. `anonymous`: without what
    tells whose it is.
    """
    roots = sharing.roots(fields)
    stored = int(Evidence.STATE_STORED)
    portfolio = SharedPortfolio(
        holder=holders.get(tx, vault) if anonymous or "holder" in roots else None,
        entries=ENTRIES.newest(tx, vault) if "entries" in roots else (),
        skill_claims=SKILL_CLAIMS.newest(tx, vault) if "skill_claims" in roots else (),
        evidence=EVIDENCE.newest(tx, vault, state=stored) if "evidence" in roots else (),
        pathways=pathways.newest(tx, vault) if "pathways" in roots else (),
        pages=presented(tx, vault, pages.named(tx, vault, sources)) if "pages" in roots else (),
    )
    return sharing.project(anonymised(portfolio) if anonymous else portfolio, fields)
