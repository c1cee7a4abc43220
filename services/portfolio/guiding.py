"""What moves a case of guidance, by whichever call: a word for a human, and the tiers of support."""

from __future__ import annotations

from waymark.portfolio.v1 import guidance_case_pb2 as pb
from waymark.portfolio.v1.events_pb2 import HumanAsked, SupportTierMoved

from services.platform.db.transaction import Transaction
from services.portfolio.domain import guidance
from services.portfolio.store import guidance_cases, mandates
from services.portfolio.store.guidance_cases import TIER_MOVES
from services.portfolio.store.vault import Vault


def ask_for_human(
    tx: Transaction, vault: Vault, channel: pb.ContactChannel.ValueType = pb.CONTACT_CHANNEL_UNSPECIFIED
) -> pb.GuidanceCase:
    """Notes that the holder wants a human, due at once for whoever guides them; told once while they wait."""
    case = guidance_cases.lock(tx, vault)
    before, waiting = case.tier, case.HasField("human_ask_time")
    if guidance.ask_for_human(case, channel, tx.now):
        keep_move(tx, vault, before, case)
    mandates.due_now(tx, vault.holder)
    if not waiting:
        tx.publish(HumanAsked(guidance_case=case.name, ask_time=case.human_ask_time))
    return guidance_cases.save(tx, vault, case)


def keep_move(
    tx: Transaction, vault: Vault, before: pb.SupportTier.ValueType, case: pb.GuidanceCase, reason: str = ""
) -> None:
    """Writes down and tells that the caller moved a case from the tier `before`."""
    TIER_MOVES.append(
        tx,
        vault,
        pb.TierMove(reason=reason),
        from_tier=before,
        to_tier=case.tier,
        subject=tx.principal.subject,
        organisation=tx.principal.organisation,
    )
    tx.publish(SupportTierMoved(guidance_case=case.name, to_tier=guidance.label(case.tier)))
