"""Indicators, forecasts, and numbers of people that must not be made out."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vouchers.api.reports import open_data
from services.vouchers.domain import suppression
from services.vouchers.domain.esf import Entrant, count
from services.vouchers.domain.forecast import Standing, forecast, window
from services.vouchers.domain.suppression import SMALLEST, suppressed

COUNTS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 30), max_size=12)


def possible(published: dict[str, int], hidden: list[str], total: int) -> int:
    """How many values the least protected hidden cell may have, for all that an outsider can subtract."""
    left = total - sum(published.values())
    return left - (len(hidden) - 1)  # each of the others holds at least one person


@given(COUNTS)
def test_no_small_number_is_published_or_follows_from_the_total(cells: dict[str, int]) -> None:
    hidden = suppressed(cells)
    if hidden is None:  # too few people for any table
        assert any(0 < people < SMALLEST for people in cells.values())
        return
    published = {key: people for key, people in cells.items() if key not in hidden}
    assert not any(0 < people < SMALLEST for people in published.values())
    if hidden:
        assert len(hidden) > 1
        assert possible(published, sorted(hidden), sum(cells.values())) >= SMALLEST


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("vwxyz")), max_size=60))
def test_neither_table_gives_away_what_the_other_hides(people: list[tuple[str, str]]) -> None:
    by_programme = Counter(programme for programme, _ in people)
    by_region = Counter(region for _, region in people)
    data = open_data("2026-Q1", by_programme, by_region)
    for cells, counts in ((data.programmes, by_programme), (data.regions, by_region)):
        hidden = [cell.key for cell in cells if cell.suppressed]
        published = {cell.key: cell.participants for cell in cells if not cell.suppressed}
        assert not any(cell.participants for cell in cells if cell.suppressed)
        assert published == {key: counts[key] for key in published}
        assert not any(0 < each < SMALLEST for each in published.values())
        if data.total.suppressed:
            assert not published
        elif hidden:
            assert possible(published, hidden, data.total.participants) >= SMALLEST
    if 0 < len(people) < SMALLEST:
        assert data.total.suppressed


def test_control_without_secondary_suppression_the_total_reveals_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = {"a": 1, "b": 20, "c": 9}
    assert suppressed(cells) == {"a", "c"}
    monkeypatch.setattr(suppression, "_protected", lambda _: True)
    assert suppressed(cells) == {"a"}  # 30 - 29 = 1


def test_participants_are_counted_by_what_was_known_of_them() -> None:
    groups = [
        (Entrant("unemployed", 12, 17, 2), 1),
        (Entrant("unemployed", 11, 18, 3, at_work_later=True), 2),
        (Entrant("unemployed", None, 29, 4), 4),
        (Entrant("inactive", None, 30, 5, disability=True, at_work_later=False), 8),
        (Entrant("employed", None, 54, 8, disability=False, third_country=True, at_work_later=True), 16),
        (Entrant("self_employed", None, 55, 0), 32),
        (Entrant(), 64),
    ]
    found = {each.code: (each.participants, each.unknown) for each in count(groups)}
    assert found == {
        "EECO01": (127, 0),
        "EECO02": (7, 64),
        "EECO03": (1, 4 + 64),
        "EECO04": (8, 64),
        "EECO05": (48, 64),
        "EECO06": (1, 64),
        "EECO07": (6, 64),
        "EECO08": (32, 64),
        "EECO09": (35, 64),
        "EECO10": (4, 64),
        "EECO11": (24, 64),
        "EECO12": (8, 127 - 24),
        "EECO13": (16, 127 - 16),
        **{f"EECO{number}": (0, 127) for number in range(14, 18)},
        "EECR01": (0, 8 + 64),
        "EECR02": (0, 127),
        "EECR03": (0, 127),
        "EECR04": (0, 7 + 8 + 64),
        "EECR05": (2, 1 + 4 + 64),
        "EECR06": (0, 16 + 32 + 64),
    }


@pytest.mark.parametrize(
    ("today", "months", "first", "last"),
    [
        (date(2026, 11, 26), 3, date(2026, 8, 1), date(2026, 10, 31)),
        (date(2026, 1, 1), 1, date(2025, 12, 1), date(2025, 12, 31)),
        (date(2026, 3, 31), 14, date(2025, 1, 1), date(2026, 2, 28)),
    ],
)
def test_the_rate_is_taken_from_full_months(today: date, months: int, first: date, last: date) -> None:
    assert window(today, months) == (first, last)


def test_a_programme_without_a_full_month_has_the_rate_of_its_days() -> None:
    today = date(2026, 11, 26)
    assert window(today, 3, date(2026, 10, 1)) == window(today, 3) == (date(2026, 8, 1), date(2026, 10, 31))
    assert window(today, 3, date(2026, 10, 2)) == (date(2026, 10, 2), date(2026, 11, 25))
    assert window(today, 3, date(2026, 11, 25)) == (date(2026, 11, 25), date(2026, 11, 25))
    assert window(today, 3, today) == (today, today)


def test_a_forecast_adds_what_is_bound_and_what_will_be_granted() -> None:
    now = Standing(funded=1_000_000, available=400_000, spent=250_000, reserved=50_000, open=300_000)
    found = forecast(now, granted=920_000, days=92, today=date(2026, 11, 26), end=date(2026, 12, 31))
    assert (found.days_left, found.expected_grants) == (35, 350_000)
    assert (found.total, found.balance, found.exhausted) == (950_000, 50_000, None)
    short = forecast(now, granted=1_840_000, days=92, today=date(2026, 11, 26), end=date(2026, 12, 31))
    assert (short.expected_grants, short.total, short.balance) == (700_000, 1_300_000, -300_000)
    assert short.exhausted == date(2026, 12, 16)  # 20 000 a day: 400 000 do for twenty days
    over = forecast(now, granted=920_000, days=92, today=date(2027, 1, 5), end=date(2026, 12, 31))
    assert (over.days_left, over.expected_grants, over.exhausted) == (0, 0, None)
    idle = forecast(now, granted=0, days=92, today=date(2026, 11, 26), end=date(2026, 12, 31))
    assert (idle.total, idle.exhausted) == (600_000, None)
