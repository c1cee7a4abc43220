"""Who proposed the steps of a pathway and who agreed to them, each time; never changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, insert, select
from waymark.portfolio.v1.pathway_pb2 import ListPathwayWordsRequest, Pathway, PathwayWord, Step

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names, quotas
from services.portfolio.store.collection import Paged
from services.portfolio.store.guidance_tables import pathway_words
from services.portfolio.store.vault import Vault


def propose(tx: Transaction, vault: Vault, pathway_id: str, revision: int, actor: str) -> None:
    """Notes that the caller changed the steps, as `actor`; raises Refusal(QUOTA_EXCEEDED)."""
    quotas.check("pathway_revisions", revision - 1)
    _add(tx, vault, pathway_id, PathwayWord.KIND_PROPOSED, revision, actor, [])


def agree(
    tx: Transaction, vault: Vault, pathway_id: str, revision: int, actor: str, steps: Iterable[Step]
) -> None:
    """Notes that the caller agreed to these steps, as `actor`."""
    _add(tx, vault, pathway_id, PathwayWord.KIND_AGREED, revision, actor, steps)


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, pathway_id: str, request: ListPathwayWordsRequest
) -> Paged[PathwayWord]:
    """Returns a page of what was said of a pathway, newest first."""
    found = page(
        tx,
        signer,
        select(pathway_words).where(
            pathway_words.c.holder_id == vault.holder, pathway_words.c.pathway_id == pathway_id
        ),
        order_by=[pathway_words.c.id.desc()],
        request=request,
        filters={"holder": vault.holder, "pathway": pathway_id},
    )
    return Paged([_shown(vault, row) for row in found.rows], found.next_page_token)


def _add(
    tx: Transaction,
    vault: Vault,
    pathway_id: str,
    kind: int,
    revision: int,
    actor: str,
    steps: Iterable[Step],
) -> None:
    row_id = new_id()
    tx.execute(
        insert(pathway_words).values(
            holder_id=vault.holder,
            pathway_id=pathway_id,
            id=row_id,
            kind=kind,
            revision=revision,
            actor=actor,
            subject=tx.principal.subject,
            organisation=tx.principal.organisation,
            sealed=vault.seal(pathway_words, row_id, Pathway(steps=steps)),
            created_at=tx.now,
        )
    )


def _shown(vault: Vault, row: Row[Any]) -> PathwayWord:
    word = PathwayWord(
        pathway=names.child(vault.holder, "pathways", row.pathway_id),
        kind=row.kind,
        revision=row.revision,
        actor=row.actor,
        subject=row.subject,
        organisation=row.organisation,
        steps=vault.open(pathway_words, row.id, row.sealed, Pathway).steps,
    )
    word.create_time.FromDatetime(row.created_at)
    return word
