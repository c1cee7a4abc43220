"""What a statement begins with is what all entries before it come to, however many of them are counted."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from services.platform.db.transaction import Transaction, transaction
from services.vouchers import jobs
from services.vouchers.domain.ledger import Kind
from services.vouchers.store import statements, turnover
from tests.integration.vouchers.test_claw_back import owed, paid
from tests.integration.vouchers.test_statement import asking, busy, pb
from tests.support.databases import WAITING, sessions
from tests.support.history import entered
from tests.support.vouchers import World
from tests.support.waiting import eventually

__all__ = ["busy", "owed", "paid"]
FIRST, DAYS = date(2025, 10, 20), 130
DAY = st.integers(-40, DAYS + 40).map(lambda days: FIRST + timedelta(days=days))
Key = TypeVar("Key")
MEANS = (Kind.PROVIDER_HELD, Kind.PROVIDER_CLEARED, Kind.PROVIDER_RECEIVABLE)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def said(rows: Any) -> tuple[dict[int, int], dict[int, int], dict[tuple[str, int], int]]:
    """Returns what stands before and after by kind, and what moved between."""
    opening, closing, moved = dict[int, int](), dict[int, int](), dict[tuple[str, int], int]()
    for row in rows:
        cents = int(row.cents)
        if row.kind in MEANS:
            closing[row.kind] = closing.get(row.kind, 0) + cents
        if row.earlier and row.kind in MEANS:
            opening[row.kind] = opening.get(row.kind, 0) + cents
        if not row.earlier:
            moved[row.operation, row.kind] = moved.get((row.operation, row.kind), 0) + cents
    return _filled(opening), _filled(closing), _filled(moved)


def _filled(found: dict[Key, int]) -> dict[Key, int]:
    return {key: cents for key, cents in found.items() if cents}


def from_the_first_day(tx: Transaction, organisation: str, start: datetime, end: datetime) -> Any:
    """What statements used to read: every entry of the provider, ever."""
    kinds = [*map(int, MEANS), int(Kind.BANK_CLEARING)]
    before = statements.ledger_entries.c
    entries = statements._of(organisation, "EUR", before.created_at < end, before.kind.in_(kinds)).c
    columns = (entries.operation, entries.kind, (entries.created_at < start).label("earlier"))
    return tx.execute(select(*columns, func.sum(entries.cents).label("cents")).group_by(*columns)).all()


def same(world: World, start: datetime, end: datetime) -> bool:
    with transaction(world.app, read_only=True) as tx:
        for organisation in (world.organisation, "organisations/other"):
            new = said(turnover.sums(tx, organisation, "EUR", start, end))
            if new != said(from_the_first_day(tx, organisation, start, end)):
                return False
    return True


def test_any_period_begins_and_ends_as_if_all_entries_were_read(owed: World) -> None:
    organisations = (owed.organisation, "organisations/other")
    entered(owed.app.engine, organisations, redemptions=60, first=FIRST, days=DAYS)

    @settings(max_examples=25, deadline=None)
    @given(DAY, st.integers(0, 70))
    def holds(first: date, days: int) -> None:
        assert same(owed, midnight(first), midnight(first + timedelta(days=days + 1)))

    holds()  # nothing is counted
    with transaction(owed.app) as tx:
        assert turnover.count(tx, 2)  # two of each chain
    holds()
    jobs.count_turnover(owed.app)
    holds()
    with transaction(owed.app) as tx:
        assert turnover.count(tx, 10) == 0
        tx.execute(text("UPDATE provider_months SET cents = cents + 1"))  # control: one cent would show
    assert not same(owed, midnight(FIRST + timedelta(days=60)), midnight(FIRST + timedelta(days=61)))


def test_a_statement_says_the_same_before_and_after_counting(busy: World) -> None:
    def statement(days: int) -> Any:
        return busy.provider.statements.GetStatement(asking(busy, pb.GetStatementRequest, days))

    before = [statement(days) for days in (-1, 0, 1, 40)]
    jobs.count_turnover(busy.app)
    assert [statement(days) for days in (-1, 0, 1, 40)] == before
    with transaction(busy.app, read_only=True) as tx:
        assert tx.execute(text("SELECT count(*) FROM provider_days")).scalar_one() > 0


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "control"])
def test_nothing_counts_twice(paid: World, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    if not alone:
        monkeypatch.setattr(turnover, "_ALONE", text("SELECT 1"))
    start, end = midnight(paid.today), midnight(paid.today + timedelta(days=1))
    also = threading.Thread(target=jobs.count_turnover, args=(paid.app,))
    with transaction(paid.app) as tx:
        assert turnover.count(tx, 1000)
        also.start()
        eventually(lambda: sessions(paid.app.engine, WAITING), 60)
    also.join()
    assert same(paid, start, end) is alone


class Undone(Exception):
    """What was changed is rolled back."""


CHANGED = (
    "UPDATE provider_days SET cents = cents + 1 WHERE kind = 5",
    "UPDATE provider_days SET day = day + 1",
    "DELETE FROM provider_days WHERE kind = 6",
    "INSERT INTO provider_days VALUES ('organisations/other', 'EUR', '2026-01-01', 'accept', 5, 1)",
    "UPDATE provider_months SET cents = cents - 1 WHERE kind = 6",
    "UPDATE turnover_marks SET sequence = sequence - 1",
)


@pytest.mark.parametrize("looked_at", [True, False], ids=["looked at", "control"])
def test_verification_names_the_first_count_that_is_not_what_its_entries_say(
    busy: World, monkeypatch: pytest.MonkeyPatch, looked_at: bool
) -> None:
    assert busy.verify().intact  # nothing is counted
    jobs.count_turnover(busy.app)
    assert busy.verify().intact
    if not looked_at:
        monkeypatch.setattr(turnover, "different", lambda *_: [])
    for changed in CHANGED:
        with contextlib.suppress(Undone), transaction(busy.app) as tx:
            tx.execute(text(changed))
            assert len(turnover.different(tx, 1)) == looked_at, changed
            raise Undone
    with transaction(busy.app) as tx:
        tx.execute(text(CHANGED[0]))
    found = busy.verify().findings
    assert [each.kind for each in found] == ["TURNOVER"] * len(found)
    assert bool(found) is looked_at
    if looked_at:
        assert found[0].text.startswith("provider_days of organisations/")
        assert "PROVIDER_HELD" in found[0].text


def test_in_another_zone_all_is_counted_anew_by_its_days(busy: World) -> None:
    with transaction(busy.app) as tx:
        turnover.count(tx, 1)
        tx.execute(text("SET LOCAL TIME ZONE 'Pacific/Kiritimati'"))
        while turnover.count(tx, 1000):
            pass
        assert turnover.different(tx, 1) == []
        zones = tx.execute(text("SELECT DISTINCT zone FROM turnover_marks")).scalars().all()
        assert zones == ["Pacific/Kiritimati"]
        days = text("SELECT DISTINCT CAST(created_at AS date) FROM ledger_entries WHERE kind = 5")
        counted = text("SELECT DISTINCT day FROM provider_days WHERE kind = 5")
        assert set(tx.execute(counted).scalars()) == set(tx.execute(days).scalars())
    assert busy.verify().intact
