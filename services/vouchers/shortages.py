"""Whether a course meets a programme's shortage rule, by the lists that the catalogue told."""

from __future__ import annotations

from datetime import date

from services.platform.db.transaction import Transaction
from services.vouchers.domain import shortage
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.shortage import Entry, Occupation
from services.vouchers.store import offers


def shortage_match(tx: Transaction, rules: Rules, offer: Offer, today: date) -> tuple[str, Entry | None]:
    """Returns the list version in force and the entry that the course meets; empty without a rule."""
    if not rules.version.HasField("shortage_rule"):
        return "", None
    version = offers.version_in_force(tx, rules.version.shortage_rule.shortage_list, today)
    return version, Lists(tx).matching_entry(rules, offer, version)


class Lists:
    """The lists in one transaction, for many courses: what was read once is not asked for again."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._entries: dict[tuple[str, tuple[Occupation, ...]], list[Entry]] = {}
        self._in_force: dict[tuple[str, date], str] = {}

    def in_force(self, shortage_list: str, day: date) -> str:
        """Returns the version in force on `day`; empty when there is none."""
        key = shortage_list, day
        if key not in self._in_force:
            self._in_force[key] = offers.version_in_force(self._tx, *key)
        return self._in_force[key]

    def matching_entry(self, rules: Rules, offer: Offer | None, version: str) -> Entry | None:
        """Returns the entry of this list version that the course meets; None without a rule or a version."""
        if not version or offer is None or not rules.version.HasField("shortage_rule"):
            return None
        key = version, offer.occupations
        if key not in self._entries:
            self._entries[key] = offers.entries_for(self._tx, *key)
        rule = rules.version.shortage_rule
        return shortage.best_entry(
            self._entries[key],
            offer.occupations,
            place=offer.nuts,
            region=rule.nuts_code,
            min_severity=rule.min_severity,
            concept_only=rule.concept_only,
        )
