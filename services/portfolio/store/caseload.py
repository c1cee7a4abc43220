"""Whom a counsellor guides, the next due contact first: read along one index, whatever the caseload holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, exists, func, select
from waymark.portfolio.v1.guidance_case_pb2 import (
    SUPPORT_TIER_SELF_HELP,
    CaseloadEntry,
    ListCaseloadRequest,
)
from waymark.portfolio.v1.mandate_pb2 import MANDATE_PART_CASE

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged
from services.portfolio.store.guidance_tables import guidance_cases
from services.portfolio.store.mandates import covering
from services.portfolio.store.tables import mandates
from services.portfolio.store.vault import is_restricted


def listed(
    tx: Transaction,
    signer: PageTokenSigner,
    request: ListCaseloadRequest,
    purposes: Collection[int],
) -> Paged[CaseloadEntry]:
    """Returns a page of the caller's caseload: whose mandate for one of `purposes` opens the case, without
    those whom nobody else reads."""
    cases = mandates.outerjoin(guidance_cases, guidance_cases.c.holder_id == mandates.c.holder_id)
    found = page(
        tx,
        signer,
        select(
            mandates.c.holder_id,
            mandates.c.id,
            mandates.c.next_contact_at,
            func.coalesce(guidance_cases.c.tier, SUPPORT_TIER_SELF_HELP).label("tier"),
            guidance_cases.c.human_asked_at,
            guidance_cases.c.last_contact_at,
        )
        .select_from(cases)
        .where(
            covering(tx.principal, purposes, MANDATE_PART_CASE),
            ~exists().where(is_restricted(mandates.c.holder_id)),
        ),
        order_by=[mandates.c.next_contact_at, mandates.c.holder_id, mandates.c.id],
        request=request,
        filters={"organisation": tx.principal.organisation},
    )
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def _shown(row: Row[Any]) -> CaseloadEntry:
    entry = CaseloadEntry(
        holder=names.holder(row.holder_id),
        mandate=names.child(row.holder_id, "mandates", row.id),
        tier=row.tier,
    )
    entry.next_contact_time.FromDatetime(row.next_contact_at)
    if row.human_asked_at:
        entry.human_ask_time.FromDatetime(row.human_asked_at)
    if row.last_contact_at:
        entry.last_contact_time.FromDatetime(row.last_contact_at)
    return entry
