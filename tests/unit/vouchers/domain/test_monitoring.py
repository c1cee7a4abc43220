"""What rules measure, at their edges; how a sample is drawn; when learners are asked; which sums are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from waymark.vouchers.v1 import monitoring_rule_pb2 as pb

from services.vouchers.domain.monitoring import Accepted, Hit, Median, Rule, sampled, seed_hash
from services.vouchers.domain.results import due, hidden
from services.vouchers.domain.sanctions import Kind, State, effective
from tests.support.vouchers import eur

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
IT = Accepted("redemptions/r", "p", "courses/c", "organisations/o", "EUR", 10_000)


def rule(**condition: object) -> Rule:
    return Rule("r", 1, pb.MonitoringRule(**condition))  # type: ignore[arg-type]


def test_an_amount_in_another_currency_is_not_compared() -> None:
    above = rule(amount=pb.AmountCondition(above=eur(5_000)))
    assert above.look(IT) == Hit(10_000, 5_000)
    assert above.look(replace(IT, currency="PLN")) is None


@pytest.mark.parametrize(("count", "hits"), [(4, False), (5, True)])
def test_a_median_of_few_means_nothing(count: int, hits: bool) -> None:
    twice = rule(amount=pb.AmountCondition(above_median_percent=200))
    assert bool(twice.look(replace(IT, median=Median(4_999, count)))) == hits


def test_a_median_is_compared_to_the_cent() -> None:
    twice = rule(amount=pb.AmountCondition(above_median_percent=200))
    assert twice.look(replace(IT, median=Median(5_000, 9))) is None
    assert twice.look(replace(IT, median=Median(4_999, 9))) == Hit(10_000, 9_998)


@pytest.mark.parametrize(("minutes", "hits"), [(59, True), (60, False)])
def test_speed_is_measured_in_minutes(minutes: int, hits: bool) -> None:
    fast = rule(speed=pb.SpeedCondition(sooner_than_hours=1))
    it = replace(IT, started=NOW, delivered=NOW + timedelta(minutes=minutes))
    assert bool(fast.look(it)) == hits
    assert fast.look(replace(it, started=None)) is None


@pytest.mark.parametrize(
    ("home", "place", "level", "expected"),
    [
        ("BE211", "BE212", 3, Hit(3, 3)),
        ("BE211", "BE212", 2, None),
        ("BE", "BE21", 2, None),
        ("NL", "BE21", 2, Hit(0, 2)),
        ("", "BE21", 0, None),
        ("BE21", "", 0, None),
    ],
)
def test_regions_differ_only_where_both_are_known(
    home: str, place: str, level: int, expected: Hit | None
) -> None:
    far = rule(distance=pb.DistanceCondition(nuts_level=level))
    assert far.look(replace(IT, residence=home, nuts=place)) == expected


@pytest.mark.parametrize(("hours", "hits"), [(23, True), (24, False)])
def test_a_provider_is_new_for_so_many_days(hours: int, hits: bool) -> None:
    cap = rule(new_provider=pb.NewProviderCondition(within_days=1, more_than=2))
    it = replace(IT, first=NOW, accepted=NOW + timedelta(hours=hours), count=3)
    assert cap.look(it) == (Hit(3, 2) if hits else None)
    assert cap.look(replace(it, count=2)) is None
    assert cap.look(replace(it, first=None)) is None


def test_what_a_new_provider_takes_is_compared_in_one_currency() -> None:
    cap = rule(new_provider=pb.NewProviderCondition(within_days=30, above=eur(50_000)))
    it = replace(IT, first=NOW, accepted=NOW, taken=50_001, count=9)
    assert cap.look(it) == Hit(50_001, 50_000)
    assert cap.look(replace(it, taken=50_000)) is None
    assert cap.look(replace(it, currency="PLN")) is None


def test_a_sample_is_the_share_and_always_the_same() -> None:
    seed = bytes(range(32))
    drawn = [sampled(seed, f"redemptions/{n}", 500) for n in range(20_000)]
    assert 900 < sum(drawn) < 1_100  # 5 % of them
    assert drawn[:100] == [sampled(seed, f"redemptions/{n}", 500) for n in range(100)]
    assert all(sampled(seed, f"redemptions/{n}", 10_000) for n in range(1_000))
    assert len(seed_hash(seed)) == 64


def test_a_target_is_what_the_rule_holds() -> None:
    names = ("redemptions/r", "courses/c", "organisations/o")
    holds = pb.MonitoringRule.HoldOn
    targets = {holds.HOLD_ON_COURSE: names[1], holds.HOLD_ON_PROVIDER: names[2]}
    for hold_on in (1, 2, 3, 4):
        found = rule(hold_on=hold_on, sample=pb.SampleCondition()).target(*names)
        assert found == targets.get(hold_on, names[0])  # type: ignore[call-overload]


def test_six_months_end_on_a_day_that_there_is() -> None:
    assert due(NOW).date().isoformat() == "2026-09-30"
    assert due(datetime(2027, 8, 31, tzinfo=UTC)).date().isoformat() == "2028-02-29"
    assert due(datetime(2026, 7, 1, tzinfo=UTC)).date().isoformat() == "2027-01-01"


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"a": 5, "b": 9}, set()),
        ({"a": 4, "b": 9, "c": 7}, {"a", "c"}),
        ({"a": 4, "b": 3, "c": 7}, {"a", "b"}),
        ({"a": 4}, {"a"}),
        ({"a": 1, "b": 1, "c": 9, "d": 7}, {"a", "b", "d"}),  # or the sum less c and d would tell of two
        ({"a": 1, "b": 2}, {"a", "b"}),
        ({"a": 0, "b": 5}, set()),
    ],
)
def test_small_groups_are_hidden_and_never_just_one(sizes: dict[str, int], expected: set[str]) -> None:
    assert hidden(sizes.items()) == expected


def test_a_sanction_counts_until_its_end_unless_lifted() -> None:
    assert effective(State.APPEALED, None, NOW)
    assert not effective(State.IN_FORCE, NOW, NOW)
    assert not effective(State.LIFTED, None, NOW)
    assert not effective(State.PROPOSED, None, NOW)
    assert [kind for kind in Kind if kind.ends] == [Kind.NO_NEW_RESERVATIONS, Kind.SUSPENDED]
