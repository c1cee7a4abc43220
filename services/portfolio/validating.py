"""What a validation case takes from the portfolio when it is handed in, and gives to it once decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from waymark.portfolio.v1 import validation_pb2 as pb
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.issued_credential_pb2 import Achievement, IssuedCredential
from waymark.portfolio.v1.pathway_pb2 import Pathway, Step
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_ASSESSOR

from services.platform.db.transaction import Transaction
from services.portfolio.app import PortfolioApp
from services.portfolio.awarding import issue
from services.portfolio.domain import names, quotas
from services.portfolio.domain.pathways import LIVE
from services.portfolio.domain.validation import missing
from services.portfolio.store import issuers, pathway_words, pathways, steps
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault
from services.portfolio.vouching import take_back, vouch

Case = pb.ValidationCase
_MOST_SKILLS = 50  # of one achievement


def snapshot_of(tx: Transaction, vault: Vault, case: Case) -> pb.ValidationSnapshot:
    """Returns what a case documents as it is now; what is gone or not uploaded is left out."""
    documents = [element.document for element in case.elements]

    def named(collection: Collection[Any], field: str) -> list[Any]:
        every: Iterable[str] = (name for document in documents for name in getattr(document, field))
        return collection.some(tx, vault, set(map(names.last, every)))

    files = [each for each in named(EVIDENCE, "evidence") if each.state == Evidence.STATE_STORED]
    snapshot = pb.ValidationSnapshot(
        validation_case=case.name,
        elements=case.elements,
        entries=named(ENTRIES, "entries"),
        skill_claims=named(SKILL_CLAIMS, "skill_claims"),
        evidence=files,
    )
    snapshot.freeze_time.FromDatetime(tx.now)
    return snapshot


def print_of(snapshot: pb.ValidationSnapshot) -> str:
    """Returns the SHA-256 of a snapshot, hexadecimal."""
    return hashlib.sha256(snapshot.SerializeToString(deterministic=True)).hexdigest()


def take_effect(app: PortfolioApp, tx: Transaction, vault: Vault, case: Case) -> None:
    """Does what the outcome of a case brings: the assessor's word for skills that are shown, a credential for
    the whole, steps for what is missing.

    Notes the last two in `case`. No quota of the holder's is in the way: a decision stands, and what all
    bring is bounded by how many cases somebody may have.
    """
    _vouch_for_shown(tx, vault, case)
    if case.outcome == Case.OUTCOME_CERTIFIED:
        issuer = issuers.get(tx, app.origin, names.last(case.awarding_body))
        wanted = IssuedCredential(achievement=_achievement(case))
        wanted.valid_from.FromDatetime(tx.now)
        case.credential = issue(tx, vault, issuer, app.keys, wanted, refusable=False).credential
    elif case.outcome == Case.OUTCOME_PARTIAL:
        _add_missing_steps(tx, vault, case)


def _vouch_for_shown(tx: Transaction, vault: Vault, case: Case) -> None:
    """Claims the skills of the elements that are shown, and no more those that an appeal did not find."""
    named, shown = set[str](), set[str]()
    for element in case.elements:
        named |= set(element.skill_uris)
        if element.assessment.rating == pb.ELEMENT_RATING_SHOWN:
            shown |= set(element.skill_uris)
    take_back(tx, vault, SKILL_SOURCE_ASSESSOR, sorted(named - shown), case.name)
    for uri in sorted(shown):
        vouch(tx, vault, SKILL_SOURCE_ASSESSOR, uri, case.name, refusable=False)


def _add_missing_steps(tx: Transaction, vault: Vault, case: Case) -> None:
    """Adds a step for each element that is not recognised, to which holder and counsellor then agree.

    They go into the pathway of the case, or into a new one when that has ended or has no room.
    """
    wanted = missing(case.elements)
    pathway = pathways.load(tx, vault, names.last(case.pathway), lock=True)
    if pathway.standing.state not in LIVE or not _has_room(pathway, len(wanted)):
        fresh = Pathway(title=pathway.message.title, target=case.qualification)
        pathway = pathways.create(tx, vault, fresh, refusable=False)
    for element in wanted:
        partly = element.assessment.rating == pb.ELEMENT_RATING_PARTLY_SHOWN
        step = Step(kind=Step.KIND_PRACTICE if partly else Step.KIND_COURSE, title=element.title)
        step_id = steps.add(tx, vault, pathway, step)
        element.step = f"{pathway.message.name}/steps/{step_id}"
    if wanted:
        standing = pathway.standing.revise()
        pathway_words.propose(tx, vault, pathway.id, standing.revision, "awarding_body")
        pathways.save(tx, vault, pathway, standing)


def _has_room(pathway: pathways.Loaded, steps: int) -> bool:
    """True where a pathway can take so many more steps, and one more change of them."""
    full = len(pathway.message.steps) + steps > quotas.LIMITS["pathway_steps"]
    return not full and pathway.standing.revision < quotas.LIMITS["pathway_revisions"]


def _achievement(case: Case) -> Achievement:
    """Returns what is achieved, in words that name nobody: the same for all who achieve it."""
    target, credit = case.qualification, sum(element.credit_points for element in case.elements)
    facts = (
        f"EQF level {target.eqf_level}" if target.eqf_level else "",
        f"national level {case.nqf_level}" if case.nqf_level else "",
        f"{credit} credit points" if credit else "",
    )
    said = ("Recognised by validation of non-formal and informal learning", *filter(None, facts))
    skills = dict.fromkeys(uri for element in case.elements for uri in element.skill_uris)
    return Achievement(
        id=target.qualification_uri,
        title=target.title or target.qualification_uri[:300],
        description="; ".join(said),
        criteria=("Shown: " + "; ".join(element.title for element in case.elements))[:5000],
        achievement_type="Certificate",
        skill_uris=list(skills)[:_MOST_SKILLS],
    )
