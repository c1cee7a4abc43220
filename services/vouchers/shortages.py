"""Whether a course meets a programme's shortage rule, by the lists that the catalogue told."""

from __future__ import annotations

from datetime import date

from services.platform.db.transaction import Transaction
from services.vouchers.domain import shortage
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.shortage import Entry
from services.vouchers.store import offers


def shortage_match(tx: Transaction, rules: Rules, offer: Offer, today: date) -> tuple[str, Entry | None]:
    """Returns the list version in force and the entry that the course meets; empty without a rule."""
    if not rules.version.HasField("shortage_rule"):
        return "", None
    version = offers.version_in_force(tx, rules.version.shortage_rule.shortage_list, today)
    return version, matching_entry(tx, rules, offer, version)


def matching_entry(tx: Transaction, rules: Rules, offer: Offer, version: str) -> Entry | None:
    """Returns the entry of this list version that the course meets; None without a rule or a version."""
    if not version or not rules.version.HasField("shortage_rule"):
        return None
    rule = rules.version.shortage_rule
    return shortage.best_entry(
        offers.entries_for(tx, version, offer.occupations),
        offer.occupations,
        place=offer.nuts,
        region=rule.nuts_code,
        min_severity=rule.min_severity,
    )
