"""Clauses that every programme has, set by numbers in its rules instead of by expressions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from services.vouchers.domain.amounts import Worth
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.outcomes import Outcome, Result
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.shortage import Entry

if TYPE_CHECKING:
    from services.vouchers.domain.eligibility import History

TEXTS = {
    "accreditation": "The provider holds an accreditation for voucher-funded training.",
    "course": "The course is of a kind, level and price that the programme funds.",
    "shortage": "The course prepares for an occupation on the shortage list.",
    "apply-window": "The application comes within the time limit before or after the first day.",
    "once": "The programme grants one voucher for a person.",
    "grant-limit": "The person has had fewer vouchers of this programme than one person may have.",
    "sequence": "No earlier voucher of this programme can still be spent.",
    "double-funding": "No other programme funds this session for this person.",
    "price": "The provider has published a price in the currency of the programme.",
    "budget": "A pot of the programme holds enough money.",
    "amount": "Something is left of the person's face value and lifetime cap.",
}

# Which clause a code of ours comes from.
CLAUSE_OF_CODE = {
    "PROVIDER_NOT_ACCREDITED": "accreditation",
    "COURSE_NOT_ALLOWED": "course",
    "NOT_A_SHORTAGE_OCCUPATION": "shortage",
    "APPLIED_TOO_LATE": "apply-window",
    "GRANTED_BEFORE": "once",
    "GRANT_LIMIT_REACHED": "grant-limit",
    "EARLIER_VOUCHER_UNUSED": "sequence",
    "DOUBLE_FUNDING": "double-funding",
    "PRICE_UNKNOWN": "price",
    "NOTHING_LEFT": "amount",
    "BUDGET_EXHAUSTED": "budget",
    "NO_TARGET_GROUP": "target-group",
}


def builtin_clauses(
    rules: Rules,
    offer: Offer | None,
    entry: Entry | None,
    history: History,
    value: Worth | None,
    today: date,
    applied: date,
) -> list[Result]:
    """Returns the built-in clauses that `rules` switch on; the catalogue's and our own data decide them.

    `offer`: None for a voucher that is allocated before a session is chosen; what concerns the session is
    asked when it is reserved. `applied`: the day of the application, which the time limit counts by however
    long the decision takes.
    """
    of_offer = [] if offer is None else list(_of_offer(rules, offer, entry, today, applied))
    of_person = list(_of_person(rules, history, elsewhere=offer is not None))
    price = [] if offer is None else [_clause("price", priced(rules, offer), "PRICE_UNKNOWN")]
    left = [] if value is None else [_clause("amount", value.amount > 0, "NOTHING_LEFT")]
    return [*of_offer, *of_person, *price, *left]


def _of_offer(
    rules: Rules, offer: Offer, entry: Entry | None, today: date, applied: date
) -> Iterator[Result]:
    version = rules.version
    if version.course_rule.accreditation_required:
        yield _clause("accreditation", offer.accredited_on(today), "PROVIDER_NOT_ACCREDITED")
    if version.HasField("course_rule"):
        yield _clause("course", course_allowed(rules, offer), "COURSE_NOT_ALLOWED")
    if version.HasField("shortage_rule"):
        code = version.shortage_rule.reason_code or "NOT_A_SHORTAGE_OCCUPATION"
        yield _clause("shortage", entry is not None, code, version.shortage_rule.legal_reference)
    if offer.start is not None:
        yield _clause("apply-window", offer.start >= rules.earliest_start(applied), "APPLIED_TOO_LATE")


def _of_person(rules: Rules, history: History, *, elsewhere: bool) -> Iterator[Result]:
    amount, sequence = rules.version.amount_rule, rules.version.sequence_rule
    if amount.once_per_person:
        yield _clause("once", history.grants == 0, "GRANTED_BEFORE")
    if sequence.max_grants:
        yield _clause("grant-limit", history.recent < sequence.max_grants, "GRANT_LIMIT_REACHED")
    if sequence.previous_used:
        yield _clause("sequence", history.unused == 0, "EARLIER_VOUCHER_UNUSED")
    # Who minds no other programme has the clause where another one minds it.
    if (amount.no_double_funding or history.funded_alone) and elsewhere:
        yield _clause("double-funding", not history.funded_elsewhere, "DOUBLE_FUNDING")


def budget_clause(*, held: bool) -> Result:
    """Returns the clause that some pot holds the amount; pots are no part of a programme's rules."""
    return _clause("budget", held, "BUDGET_EXHAUSTED")


def course_allowed(rules: Rules, offer: Offer) -> bool:
    """True when kind, EQF level and price are within the course rule; an unknown level fits no limit."""
    rule = rules.version.course_rule
    if rule.kinds and offer.kind not in rule.kinds:
        return False
    if (rule.min_eqf_level or rule.max_eqf_level) and not (
        max(1, rule.min_eqf_level) <= offer.eqf_level <= (rule.max_eqf_level or 8)
    ):
        return False
    return rules.price_cap is None or offer.price is None or offer.price <= rules.price_cap


def priced(rules: Rules, offer: Offer) -> bool:
    """True when there is a price in the programme's currency; for the sandbox any price is, at par."""
    return offer.price is not None and (offer.currency == rules.currency or is_sandbox(rules.currency))


@lru_cache(1024)  # a few codes and articles of law for each programme
def _clause(clause: str, passed: bool, reason_code: str, legal_reference: str = "") -> Result:
    return Result(
        clause=clause,
        outcome=Outcome.of(passed),
        reason_code=reason_code,
        legal_reference=legal_reference,
        texts=(("en", TEXTS[clause]),),
    )
