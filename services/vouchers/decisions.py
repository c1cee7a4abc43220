"""What is kept of a decision."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from google.protobuf.json_format import MessageToDict

from services.platform.db.copying import Json, encode
from services.vouchers.api.convert import clause
from services.vouchers.assessment import Assessment
from services.vouchers.domain.eligibility import History
from services.vouchers.domain.facts import canonical, snapshot
from services.vouchers.domain.offers import Offer, document
from services.vouchers.domain.outcomes import Result
from services.vouchers.domain.replay import pins
from services.vouchers.domain.states import ApplicationState


def decision_values(found: Assessment, learner: str) -> dict[str, Any]:
    """Returns the columns that a decision rests on: all that is needed to replay it."""
    decision = found.decision
    facts = canonical(snapshot(decision.facts))
    offer, history = _kept_offer(found.offer, found.price), _kept_history(found.history)
    pinned = pins(found.rules, facts, offer, history, found.entry, found.today)
    return {
        "learner": learner,
        "programme_id": found.programme_id,
        "version_number": found.number,
        "session": found.offer.session if found.offer else found.allocation,
        "course": found.offer.course if found.offer else "",
        "organisation": found.offer.organisation if found.offer else "",
        "shortage_version": found.shortage_version,
        "shortage_entry": found.entry.name if found.entry else "",
        "facts": Json(facts),
        "fact_hash": pinned["facts"],
        "offer": Json(offer),
        "history": Json(history),
        "pins": pinned,
        "pot_held": found.pot_held,
        "decided_on": found.today,
        "clauses": Json(f"[{','.join([_clause_text(each, found.today) for each in decision.results])}]"),
        "automatic": decision.automatic,
        "amount_cents": decision.worth.amount if decision.worth else 0,
        "share_cents": decision.worth.share if decision.worth else 0,
        "face_cents": decision.worth.face if decision.worth else 0,
        "cover_percent": decision.cover,
        "currency": found.rules.currency,
        "target_group": decision.group,
    }


def outcome_values(found: Assessment, now: datetime) -> dict[str, Any]:
    """Returns the columns that say what was decided by rules at `now`, or that a person has to decide."""
    state, codes = found.decision.state
    decided = None if state is ApplicationState.SUBMITTED else now
    said = {"state": int(state), "reason_codes": codes, "decided_at": decided}
    if state is ApplicationState.REFUSED:
        said["appeal_until"] = found.rules.appeal_until(now)
    return said


@lru_cache(4096)
def kept_clause(result: Result, today: date) -> dict[str, Any]:
    """Returns a clause in the form that is kept, not to be changed: most come out as they did for others."""
    return MessageToDict(clause(result, today), preserving_proto_field_name=True)


@lru_cache(4096)
def _clause_text(result: Result, today: date) -> str:
    return encode(kept_clause(result, today))


@lru_cache(1024)
def _kept_offer(offer: Offer | None, price: int | None) -> str:
    return canonical(document(offer, price))


@lru_cache(1024)
def _kept_history(history: History) -> str:
    return canonical(history._asdict())
