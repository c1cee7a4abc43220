"""Levy accounts: rounding, which money may pay for which day, files of wages, statements."""

from __future__ import annotations

from datetime import date

import pytest

from services.platform.errors import Refusal
from services.vouchers.domain.levies import (
    MOST_ROWS,
    Line,
    LineKind,
    Statement,
    Year,
    available,
    check_rates,
    contribution,
    draw,
    last_day,
    rate_of,
    read_wages,
)
from services.vouchers.domain.shares import split

TODAY = date(2026, 11, 26)
HEADER = b"employer,month,gross_payroll_cents\n"
LAEC = 450  # parts of 100 000: 0.45 %


@pytest.mark.parametrize(
    ("gross", "parts", "cents"),
    [
        (0, LAEC, 0),
        (100_000, LAEC, 450),
        (111, LAEC, 0),  # 0.4995
        (112, LAEC, 1),  # 0.504
        (1_000, 50, 1),  # 0.5: half counts as a cent
        (3_000, 50, 2),  # 1.5
        (999, 50, 0),  # 0.4995
        (123_456_789, LAEC, 555_556),  # 555 555.55
        (10**14, 100_000, 10**14),
    ],
)
def test_a_contribution_is_rounded_half_up_to_the_cent(gross: int, parts: int, cents: int) -> None:
    assert contribution(gross, parts) == cents


def test_a_month_has_the_rate_in_force_on_its_first_day() -> None:
    rates = {date(2020, 1, 1): 450, date(2026, 7, 1): 240}
    assert rate_of(rates, date(2019, 12, 1)) is None
    assert rate_of(rates, date(2020, 1, 1)) == 450
    assert rate_of(rates, date(2026, 6, 1)) == 450
    assert rate_of(rates, date(2026, 7, 1)) == 240


@pytest.mark.parametrize(
    "days", [[date(2026, 1, 2)], [date(2026, 2, 1), date(2026, 2, 1)], [date(2026, 2, 1), date(2026, 1, 1)]]
)
def test_rates_begin_with_a_month_and_follow_each_other(days: list[date]) -> None:
    check_rates([date(2026, 1, 1), date(2026, 2, 1)], "rates")
    with pytest.raises(Refusal):
        check_rates(days, "rates")


def year(number: int, contributed: int, carry_over: int = 1, **moved: int) -> Year:
    parts = {"reserved": 0, "claimed": 0, "expired": 0, **moved}
    return Year(number, contributed, expires=last_day(number, carry_over), **parts)


YEARS = [year(2024, 10_000), year(2025, 20_000, claimed=5_000), year(2026, 30_000, reserved=1_000)]


def test_what_lapses_first_is_taken_first_and_nothing_that_has_lapsed() -> None:
    assert available(YEARS, TODAY, TODAY) == 15_000 + 29_000
    assert draw(YEARS, 15_001, TODAY, TODAY) == [(2025, 15_000), (2026, 1)]
    assert draw(YEARS, 44_000, TODAY, TODAY) == [(2025, 15_000), (2026, 29_000)]
    with pytest.raises(Refusal) as refused:
        draw(YEARS, 44_001, TODAY, TODAY)
    assert refused.value.metadata == {"available_cents": "44000"}


@pytest.mark.parametrize(
    ("trained", "claimed_on", "cents"),
    [
        (date(2025, 12, 31), TODAY, 15_000),  # 2026 was not paid for training of 2025
        (date(2025, 12, 31), date(2025, 12, 31), 25_000),  # 2024 is there on its last day
        (date(2025, 12, 31), date(2026, 1, 1), 15_000),  # and not a day longer
        (date(2026, 1, 1), date(2026, 12, 31), 44_000),
        (date(2026, 1, 1), date(2027, 1, 1), 29_000),
        (date(2023, 6, 1), TODAY, 0),
    ],
)
def test_edge_days(trained: date, claimed_on: date, cents: int) -> None:
    assert available(YEARS, trained, claimed_on) == cents


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (b"yard,2026-01,1", "employer"),
        (b"organisations/yard,2026-13,1", "month"),
        (b"organisations/yard,2026-12,1", "month"),
        (b"organisations/yard,0000-01,1", "month"),
        (b"organisations/yard,2026-01,1.50", "gross_payroll_cents"),
        (b"organisations/yard,2026-01,-1", "gross_payroll_cents"),
        (b"organisations/yard,2026-01", ""),
        (b'organisations/yard,2026-01,"1', ""),
    ],
)
def test_a_wrong_row_is_a_finding_with_its_line_and_column(row: bytes, column: str) -> None:
    rows, findings = read_wages(HEADER + b"organisations/yard,2026-02,5\n\n" + row + b"\n", TODAY)
    assert [each.gross for each in rows] == [5]
    ((line, wrong, text),) = findings
    assert (line, wrong) == (4, column)
    assert text


def test_a_file_as_a_spreadsheet_writes_it_is_read() -> None:
    content = "\ufeff" + HEADER.decode().replace("\n", "\r\n") + "organisations/yard, 2026-11 ,12\r\n"
    assert read_wages(content.encode(), TODAY)[0][0][1:] == ("organisations/yard", date(2026, 11, 1), 12)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a,b\n1,2\n", b" "])
def test_what_is_no_such_file_is_one_finding(content: bytes) -> None:
    rows, findings = read_wages(content, TODAY)
    assert (rows, [finding.line for finding in findings]) == ([], [1])


def test_a_month_twice_and_too_many_rows_are_findings() -> None:
    row = b"organisations/yard,2026-01,1\n"
    _, findings = read_wages(HEADER + row + row, TODAY)
    assert [(each.line, each.column) for each in findings] == [(3, "month")]
    many = b"".join(b"organisations/e%d,2026-01,1\n" % number for number in range(MOST_ROWS + 1))
    rows, findings = read_wages(HEADER + many, TODAY)
    assert (len(rows), findings[-1].line) == (MOST_ROWS, MOST_ROWS + 2)


def test_rows_are_counted_and_not_what_is_wrong_with_them() -> None:
    wrong = b"".join(b"e%d,soon,much\n" % number for number in range(MOST_ROWS))
    rows, findings = read_wages(HEADER + wrong, TODAY)
    assert (rows, len(findings)) == ([], 3 * MOST_ROWS)
    assert read_wages(HEADER + wrong + b"e,soon,much\n", TODAY)[1][-1].line == MOST_ROWS + 2


def test_a_statement_adds_up_and_its_csv_says_the_same() -> None:
    lines = (
        Line(date(2026, 1, 1), LineKind.CONTRIBUTION, 450, 100_000, ""),
        Line(date(2026, 3, 2), LineKind.CLAIM, -300, None, "levyAccounts/a/claims/c"),
        Line(date(2026, 12, 31), LineKind.EXPIRY, -100, None, ""),
        Line(date(2026, 12, 31), LineKind.CORRECTION, -50, 90_000, ""),
        Line(date(2026, 12, 31), LineKind.CORRECTION, 10, 92_000, ""),
    )
    statement = Statement(1_000, lines)
    assert statement.balances() == [1_450, 1_150, 1_050, 1_000, 1_010]
    assert statement.closing == 1_010
    assert [statement.sum_of(kind) for kind in LineKind] == [450, 300, 100, -40]
    assert statement.csv(2026, "EUR").decode().splitlines() == [
        "date,kind,amount,currency,gross_payroll,claim,balance",
        "2026-01-01,opening,,EUR,,,10.00",
        "2026-01-01,contribution,4.50,EUR,1000.00,,14.50",
        "2026-03-02,claim,-3.00,EUR,,levyAccounts/a/claims/c,11.50",
        "2026-12-31,expiry,-1.00,EUR,,,10.50",
        "2026-12-31,correction,-0.50,EUR,900.00,,10.00",
        "2026-12-31,correction,0.10,EUR,920.00,,10.10",
        "2026-12-31,closing,,EUR,,,10.10",
    ]


@pytest.mark.parametrize(
    ("cents", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (208_345_000, [5000, 3000, 2000], [104_172_500, 62_503_500, 41_669_000]),
        (1, [3333, 3333, 3334], [0, 0, 1]),
        (0, [1, 2], [0, 0]),
        (5, [0, 1], [0, 5]),
    ],
)
def test_parts_add_up_by_largest_remainder(cents: int, weights: list[int], parts: list[int]) -> None:
    assert split(cents, weights) == parts
    assert sum(parts) == cents
