"""No small count is read or worked out; judged by solving every sum, by another way than the code's."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from services.catalogue.domain import suppression
from services.catalogue.domain.equations import Effort
from services.catalogue.domain.periods import period_of, periods_above
from services.catalogue.domain.suppression import COMPANION, SHOWN, SMALL, Cell, Key, companions, is_small

BELOW = 5
Figures = dict[Key, float]


def cell(value: float) -> Cell:
    return Cell(None, SMALL) if is_small(value, BELOW) else Cell(value)


def hide(figures: Figures) -> set[Key]:
    """Returns everything hidden of these figures."""
    cells = {key: cell(value) for key, value in figures.items()}
    return {key for key, each in cells.items() if each.hidden} | companions(cells, BELOW, {})


def table(rows: dict[str, dict[str, float]], period: str = "2026") -> Figures:
    return {
        (occupation, region, period): value
        for occupation, row in rows.items()
        for region, value in row.items()
    }


def worked_out(sums: list[list[Key]], hidden: set[Key]) -> set[Key]:
    """Solves the sums in fractions, by columns; a judge that shares nothing with the code."""
    unknowns = sorted(hidden)
    rows = [[Fraction((key in each) * (-1 if key == each[0] else 1)) for key in unknowns] for each in sums]
    found, done = set[Key](), 0
    for column in range(len(unknowns)):
        pivot = next((r for r in range(done, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for r, row in enumerate(rows):
            if r != done and row[column]:
                rows[r] = [a - row[column] * b for a, b in zip(row, rows[done], strict=True)]
        done += 1
    for row in rows[:done]:
        used = [column for column, value in enumerate(row) if value]
        if len(used) == 1:
            found.add(unknowns[used[0]])
    return found


def test_a_small_count_is_hidden_and_with_it_what_would_tell_it() -> None:
    figures = table({"2512": {"BE2": 100, "BE21": 3, "BE22": 40, "BE23": 57}})
    assert hide(figures) == {("2512", "BE21", "2026"), ("2512", "BE22", "2026")}


def test_without_a_total_beside_it_nothing_else_is_hidden() -> None:
    assert hide(table({"2512": {"BE21": 3, "BE22": 40}})) == {("2512", "BE21", "2026")}


def test_two_small_counts_that_their_sum_gives_away_get_a_companion() -> None:
    # 2 = 1 + 1 and nothing else.
    assert len(hide(table({"2512": {"BE2": 42, "BE21": 1, "BE22": 1, "BE23": 40}}))) == 3
    # 5 = 1 + 4 = 2 + 3 …: anything is possible.
    assert len(hide(table({"2512": {"BE2": 45, "BE21": 1, "BE22": 4, "BE23": 40}}))) == 2


def test_a_level_that_is_left_out_still_sums_up() -> None:
    assert len(hide(table({"2512": {"BE": 60, "BE211": 2, "BE212": 58}}))) >= 2


def test_a_hidden_total_is_not_told_by_what_it_is_made_of() -> None:
    figures = table(
        {"2512": {"BE": 200, "BE1": 100, "BE2": 100, "BE21": 3, "BE22": 97, "BE11": 60, "BE12": 40}}
    )
    hidden = hide(figures)
    assert not worked_out(sums_of(figures), hidden)


def test_months_quarters_and_years_and_groups_of_occupations_are_sums_too() -> None:
    months = {("2512", "BE2", f"2026-0{month}"): value for month, value in ((1, 2), (2, 20), (3, 30))}
    assert len(hide({**months, ("2512", "BE2", "2026-Q1"): 52})) == 2
    groups = {("251", "BE2", "2026"): 40.0, ("2511", "BE2", "2026"): 2.0, ("2512", "BE2", "2026"): 38.0}
    assert len(hide(groups)) == 2


def test_what_is_new_is_hidden_rather_than_what_has_been_seen() -> None:
    seen = {
        ("2512", region, "2026"): Cell(value, fresh=False) for region, value in (("BE22", 40), ("BE23", 57))
    }
    small = {("2512", "BE21", "2026"): Cell(None, SMALL, fresh=False)}
    total = {("2512", "BE2", "2026"): Cell(100.0, SHOWN)}
    assert companions({**seen, **small, **total}, BELOW, {}) == {("2512", "BE2", "2026")}


def sums_of(figures: Figures) -> list[list[Key]]:
    """Every total with what is right below it, by occupation and by region."""
    sums = []
    for occupation, region, period in figures:
        for place, total in ((1, region), (0, occupation)):
            below = [
                key
                for key in figures
                if key[place] != total
                and key[place].startswith(total)
                and key[2] == period
                and key[1 - place] == (occupation if place else region)
            ]
            nearest = [
                k
                for k in below
                if not any(k[place] != o[place] and k[place].startswith(o[place]) for o in below)
            ]
            if nearest:
                sums.append([(occupation, region, period), *nearest])
    return sums


def random_figures(seed: int) -> Figures:
    chance = random.Random(seed)
    leaves = {
        (occupation, region): chance.choice([0, 1, 2, 3, 4, 6, 9, 20, 55, 130])
        for occupation in ("2511", "2512", "2513", "3511")
        for region in ("BE211", "BE212", "BE221", "BE222", "BE310")
    }
    groups = [group for group in ("2", "25", "251", "3") if chance.random() < 0.8]
    wider = [region for region in ("BE", "BE2", "BE21", "BE22") if chance.random() < 0.8]
    occupations, regions = ({key[place] for key in leaves} for place in (0, 1))
    return {
        (occupation, region, "2026"): sum(
            v for (o, r), v in leaves.items() if o.startswith(occupation) and r.startswith(region)
        )
        for occupation in (*groups, *sorted(occupations))
        for region in (*wider, *sorted(regions))
    }


@pytest.mark.parametrize("seed", range(30))
def test_nothing_hidden_follows_from_all_sums_together(seed: int) -> None:
    figures = random_figures(seed)
    hidden = hide(figures)
    small = {key for key, value in figures.items() if is_small(value, BELOW)}
    assert small <= hidden
    assert not worked_out(sums_of(figures), hidden) & small
    assert len(hidden) < len(figures)


def test_control_without_companions_the_judge_works_counts_out() -> None:
    leaks = 0
    for seed in range(30):
        figures = random_figures(seed)
        small = {key for key, value in figures.items() if is_small(value, BELOW)}
        leaks += bool(worked_out(sums_of(figures), small) & small)
    assert leaks > 20
    assert COMPANION not in {cell(value).hidden for value in (0, 3, 9)}


MOST = 100  # steps; the figures below need some 280


@pytest.mark.parametrize("bounded", [True, False])
def test_what_takes_too_long_is_hidden_as_a_whole(bounded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the bound it goes on."""
    taken = 0

    class Counted(Effort):
        def spend(self, steps: int) -> None:
            nonlocal taken
            super().spend(steps)
            taken += steps

    monkeypatch.setattr(suppression, "Effort", Counted)
    if bounded:
        monkeypatch.setattr(suppression, "MOST_STEPS", MOST)
    figures = random_figures(0)
    alone = {("9999", "BE211", "2025"): 7.0}  # no sum connects it with a small one
    hidden = hide(figures | alone)
    small = {key for key, value in figures.items() if is_small(value, BELOW)}
    assert small <= hidden
    assert not worked_out(sums_of(figures), hidden) & small
    assert (hidden == figures.keys()) is bounded
    assert (taken <= MOST) is bounded


@pytest.mark.parametrize(
    ("text", "first", "last", "above"),
    [
        ("2026", "2026-01-01", "2026-12-31", []),
        ("2026-Q4", "2026-10-01", "2026-12-31", ["2026"]),
        ("2024-02", "2024-02-01", "2024-02-29", ["2024-Q1", "2024"]),
        ("2026-M12", "2026-12-01", "2026-12-31", ["2026-Q4", "2026"]),
    ],
)
def test_periods(text: str, first: str, last: str, above: list[str]) -> None:
    period = period_of(text)
    assert period is not None
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    assert periods_above(period.text) == above


@pytest.mark.parametrize("text", ["", "26", "2026-13", "2026-Q5", "2026-1", "1899", "2026-W01"])
def test_what_is_no_period(text: str) -> None:
    assert period_of(text) is None
