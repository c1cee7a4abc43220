"""Skills of a person by the word of others: one claim for each source and concept, their newest word."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim, SkillLevel, SkillSource

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.dates import from_date
from services.portfolio.store import skill_claims
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault

_VOUCHING = 1886352501  # first key of the advisory locks


def vouch(
    tx: Transaction,
    vault: Vault,
    source: SkillSource.ValueType,
    concept_uri: str,
    basis: str,
    level: SkillLevel.ValueType = SkillLevel.SKILL_LEVEL_UNSPECIFIED,
    *,
    refusable: bool = True,
) -> SkillClaim:
    """Writes down today that `source` says so, called as the holder calls it; returns the claim.

    `basis`: name of the credential or validation case that it rests on. Raises Refusal(QUOTA_EXCEEDED), where
    it is `refusable`.
    """
    concept = vault.key.blind("skill concept", concept_uri)
    one_at_a_time(tx, vault.holder)
    known = SKILL_CLAIMS.newest(tx, vault, gone=True, concept=concept)
    called = next((each for each in known if each.label), SkillClaim())
    claim = SkillClaim(
        concept_uri=concept_uri,
        taxonomy_version=called.taxonomy_version,
        label=called.label,
        level=level,
        assert_date=from_date(tx.today),
        basis=basis,
    )
    before = next((each for each in known if each.source == source), None)
    if before is None:
        put = SKILL_CLAIMS.add if refusable else SKILL_CLAIMS.append
        return put(tx, vault, claim, source=source, concept=concept)
    return SKILL_CLAIMS.replace(tx, vault, names.last(before.name), claim, taken_back_at=None)


def take_back(
    tx: Transaction, vault: Vault, source: SkillSource.ValueType, concept_uris: Iterable[str], basis: str
) -> None:
    """Removes the claims of `source` on some concepts that rest on `basis`; those that a legal hold keeps are
    marked, and go once it is lifted (`emptying`)."""
    concepts = [vault.key.blind("skill concept", uri) for uri in concept_uris]
    found = [SKILL_CLAIMS.newest(tx, vault, source=source, concept=concept) for concept in concepts]
    gone = [names.last(claim.name) for claims in found for claim in claims if claim.basis == basis]
    if gone:
        skill_claims.take_back(tx, vault.holder, gone)


def one_at_a_time(tx: Transaction, holder: str) -> None:
    """Waits for whoever else is speaking of a holder: two who make the first claim of a concept would each
    find none."""
    tx.execute(select(func.pg_advisory_xact_lock(_VOUCHING, func.hashtext(holder))))
