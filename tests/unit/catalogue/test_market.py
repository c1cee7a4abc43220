"""What searches keep of organisations and shortages is bounded, and read no more often than it changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

from services.catalogue.domain.accreditation import Accreditation
from services.catalogue.domain.shortage import Entry, Validity
from services.catalogue.domain.shortage_index import Table, pack
from services.catalogue.search.market import KEPT_DAYS, KEPT_SHORTAGES, Market, View

TODAY = date(2030, 1, 15)
GRANTED = Accreditation("a", date(2030, 1, 1), date(2030, 6, 30), "", None)
LISTS = {
    "flanders": [Validity(1, date(2029, 1, 1), None), Validity(2, date(2030, 2, 1), None)],
    "wallonia": [Validity(1, date(2029, 1, 1), date(2029, 6, 30))],
}
VIEW = View((), TODAY, {}, {"harbour": [GRANTED]}, {}, lists=LISTS)


def test_who_may_take_vouchers_is_kept_for_some_days() -> None:
    view = replace(VIEW, eligible={})
    for number in range(3 * KEPT_DAYS):
        view.eligible_on(TODAY + timedelta(days=number))
        assert len(view.eligible) <= KEPT_DAYS
    assert view.eligible_on(TODAY) == {"harbour"}
    assert view.eligible_on(date(2030, 7, 1)) == frozenset()


def test_what_is_short_is_made_once_for_what_is_in_force_together() -> None:
    read = Counter[Any]()
    entries = [
        Entry(1, "", "2512", "all", "BE", 1, 0, 2),
        Entry(2, "", "2512", "here", "BE2", 2, 0, 3),
        Entry(3, "", "25", "there", "BE3", 3, 0, 4),
    ]
    table = Table(pack(entries))

    def read_table(version: Any) -> Table:
        read[version] += 1
        return table

    market = Market(cast(Any, SimpleNamespace(shortages=SimpleNamespace(table=read_table))))
    first = market.shortages(VIEW, TODAY, "")
    assert market.shortages(replace(VIEW), TODAY + timedelta(days=9), "") is first
    assert read == {("flanders", 1): 1}
    name, entry = first.by_isco["2512"]
    assert (name, entry.label) == ("shortageLists/flanders/versions/1/entries/2", "here")
    there = market.shortages(VIEW, date(2030, 2, 1), "BE3")
    assert [name for name, _ in there.by_isco.values()] == [
        f"shortageLists/flanders/versions/2/entries/{seq}" for seq in (1, 3)
    ]
    # Control: another version, another region and another list in force are read for.
    assert set(market.shortages(VIEW, date(2029, 2, 1), "").by_isco) == {"2512", "25"}
    assert read == {("flanders", 1): 2, ("flanders", 2): 1, ("wallonia", 1): 1}
    for number in range(3 * KEPT_SHORTAGES):
        market.shortages(VIEW, TODAY, f"BE{number}")
    assert len(market._shortages) <= KEPT_SHORTAGES
