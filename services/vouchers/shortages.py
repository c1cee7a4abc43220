"""Whether a course meets a programme's rules on courses, by the shortage lists that the catalogue told."""

from __future__ import annotations

from datetime import date

from waymark.vouchers.v1.programme_pb2 import ProgrammeVersion

from services.platform.db.transaction import Transaction
from services.vouchers.domain import shortage
from services.vouchers.domain.builtin import course_allowed
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.shortage import Entry, Occupation
from services.vouchers.store import offers


def shortage_match(lists: Lists, rules: Rules, offer: Offer, today: date) -> tuple[str, Entry | None]:
    """Returns the list version in force and the entry that the course meets; empty without a rule."""
    if not rules.version.HasField("shortage_rule"):
        return "", None
    version = lists.in_force(rules.version.shortage_rule.shortage_list, today)
    return version, lists.matching_entry(rules, offer, version)


def pays(lists: Lists, rules: Rules, offer: Offer, today: date) -> bool:
    """True when a version lets its vouchers be spent on a course that they were not granted for: by its
    course rule and, where that is asked at reservation, its shortage rule. The provider is not looked at."""
    version, rule = rules.version, rules.version.shortage_rule
    asked = version.scope != ProgrammeVersion.SCOPE_COURSE or rule.check_at_reservation
    if asked and version.HasField("shortage_rule") and shortage_match(lists, rules, offer, today)[1] is None:
        return False
    return course_allowed(rules, offer)


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
