"""The levy, the bond and the promise to hire of samples/programmes: their edge days and amounts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from waymark.vouchers.v1 import employer_obligation_pb2, levy_pb2, outcome_contract_pb2

from services.vouchers.domain.levies import available, check_rates, contribution, draw, last_day, rate_of
from services.vouchers.domain.money import cents_of
from services.vouchers.domain.obligations import Count, check_payers
from services.vouchers.domain.outcome_contracts import Results, check_draft, repayment
from services.vouchers.domain.shares import split
from tests.unit.vouchers.domain.test_levies import year

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"


def content(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def test_laec_is_0_45_percent_carried_over_for_a_year() -> None:
    scheme = ParseDict(content("greek-laec")["levyScheme"], levy_pb2.LevyScheme())
    days = [date(rate.effective_date.year, rate.effective_date.month, 1) for rate in scheme.rates]
    check_rates(days, "rates")
    rates = {first: rate.parts_per_100000 for first, rate in zip(days, scheme.rates, strict=True)}
    assert rate_of(rates, date(2019, 12, 1)) is None
    assert contribution(1_000_000, rate_of(rates, date(2020, 1, 1)) or 0) == 4_500
    assert contribution(111, rate_of(rates, date(2026, 1, 1)) or 0) == 0
    assert contribution(112, rate_of(rates, date(2026, 1, 1)) or 0) == 1
    assert last_day(2025, scheme.carry_over_years) == date(2026, 12, 31)
    years = [year(2025, 4_500, scheme.carry_over_years), year(2026, 4_500, scheme.carry_over_years)]
    trained = date(2026, 12, 31)
    assert draw(years, 9_000, trained, date(2026, 12, 31)) == [(2025, 4_500), (2026, 4_500)]
    assert available(years, trained, date(2027, 1, 1)) == 4_500


def bond() -> outcome_contract_pb2.OutcomeContract:
    return ParseDict(
        content("brussels-becode-bond")["outcomeContract"], outcome_contract_pb2.OutcomeContract()
    )


def test_the_bond_is_what_its_source_says() -> None:
    contract = bond()
    check_draft(contract, date(2024, 9, 1), date(2026, 9, 1))
    assert sum(cents_of(investor.amount) for investor in contract.investors) == 208_345_000
    assert sum(cents_of(milestone.amount) for milestone in contract.milestones) == 208_345_000
    assert contract.planned_participants == 450
    assert {target.code: target.min_percent for target in contract.mix_targets} == {"non-eu": 25, "women": 30}
    assert contract.milestones[-1].threshold == -(-450 * 63 // 100)  # 63 %, a part of a person counts as one
    assert contract.repay_date.year - contract.start_date.year == 2


@pytest.mark.parametrize(
    ("placed", "repaid", "investors"),
    [
        (0, 0, (0, 0)),
        (1, 734_902, (440_941, 293_961)),
        (283, 207_977_548, (124_786_529, 83_191_019)),
        (284, 208_345_000, (125_007_000, 83_338_000)),
        (450, 208_345_000, (125_007_000, 83_338_000)),
    ],
)
def test_the_bond_is_repaid_in_proportion_up_to_63_percent(
    placed: int, repaid: int, investors: tuple[int, int]
) -> None:
    due = repayment(bond(), 208_345_000, 0, Results(450, 450, placed))
    assert (sum(due.repaid), due.repaid) == (repaid, investors)
    assert sum(due.unspent) == 0


def test_upskill_wants_80_percent_hired_and_splits_each_training_to_the_cent() -> None:
    sample = content("portuguese-upskill")
    promise = ParseDict(sample["employerObligation"], employer_obligation_pb2.EmployerObligation())
    shares = [(payer.funding_source, payer.share_basis_points) for payer in promise.payers]
    check_payers(shares)
    assert [payer.employer for payer in promise.payers] == [False, False, True]
    cost = int(sample["traineeCost"]["units"]) * 100
    assert split(cost, [share for _, share in shares]) == [200_040, 199_980, 199_980]
    assert split(100_001, [share for _, share in shares]) == [33_341, 33_330, 33_330]
    edges = [(10, 8, 0), (10, 7, 1), (11, 8, 1), (11, 9, 0)]
    for trained, hired, missing in edges:
        assert Count(trained, hired).missing(promise.hire_percent) == missing
    assert cents_of(promise.refund_per_trainee) == 360_000
