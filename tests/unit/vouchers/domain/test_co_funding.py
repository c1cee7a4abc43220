"""How a payment is split over funding sources: to the cent, and for partial payments too."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from waymark.vouchers.v1 import programme_pb2

from services.vouchers.domain import co_funding
from services.vouchers.domain.co_funding import WHOLE, Shares, part, problems, shares_of, split


@st.composite
def shares(draw: st.DrawFn, most: int = 6) -> Shares:
    """Shares of up to `most` sources that sum to all."""
    count = draw(st.integers(1, most))
    cuts = draw(st.lists(st.integers(1, WHOLE - 1), min_size=count - 1, max_size=count - 1, unique=True))
    points = [after - before for before, after in pairwise([0, *sorted(cuts), WHOLE])]
    return tuple((f"fundingSources/{index}", each) for index, each in enumerate(points))


def by_largest_remainder(wanted: Shares, cents: int) -> dict[str, int]:
    """The plain method: whole parts, then a cent each to the largest remainders, earlier sources first."""
    exact = {source: Fraction(cents * points, WHOLE) for source, points in wanted}
    parts = {source: int(each) for source, each in exact.items()}
    order = sorted(exact, key=lambda source: parts[source] - exact[source])
    for source in order[: cents - sum(parts.values())]:
        parts[source] += 1
    return parts


@given(shares(), st.integers(-(10**9), 10**9))
@settings(deadline=None)
def test_the_parts_sum_to_the_payment_and_each_is_within_a_cent_of_its_share(
    wanted: Shares, cents: int
) -> None:
    found = split(wanted, cents)
    assert sum(found.values()) == cents
    for source, points in wanted:
        assert abs(found[source] - Fraction(cents * points, WHOLE)) < 1


@given(shares(2), st.integers(0, 10**7))
@settings(deadline=None)
def test_of_two_sources_it_is_the_largest_remainder(wanted: Shares, cents: int) -> None:
    exact = [Fraction(cents * points, WHOLE) for _, points in wanted]
    found = split(wanted, cents)
    if all(each % 1 != Fraction(1, 2) for each in exact):  # a tie may go either way
        assert found == by_largest_remainder(wanted, cents)
    assert all(
        abs(found[name] - each) <= Fraction(1, 2) for (name, _), each in zip(wanted, exact, strict=True)
    )


@given(shares(), st.lists(st.integers(1, 300_000), min_size=1, max_size=12))
@settings(deadline=None)
def test_partial_payments_add_up_to_the_split_of_their_sum_and_none_takes_money_back(
    wanted: Shares, payments: list[int]
) -> None:
    before = [0, *accumulate(payments)]
    parts = [part(wanted, so_far, cents) for so_far, cents in zip(before, payments, strict=False)]
    whole = split(wanted, sum(payments))
    for source, _ in wanted:
        assert sum(each[source] for each in parts) == whole[source]
        assert all(each[source] >= 0 for each in parts)
    back = part(wanted, before[-1], -payments[-1])
    assert back == {source: -cents for source, cents in parts[-1].items()}


def test_control_largest_remainders_anew_would_take_a_cent_back() -> None:
    wanted = (("a", 4300), ("b", 4300), ("c", 1400))  # the Alabama paradox: 3 of 10 cents and 2 of 11 …
    totals = [by_largest_remainder(wanted, cents)["c"] for cents in range(200)]
    assert any(after < before for before, after in pairwise(totals))
    ours = [split(wanted, cents)["c"] for cents in range(200)]
    assert all(after >= before for before, after in pairwise(ours))


def test_a_source_that_bears_little_pays_its_cent_in_time() -> None:
    wanted = (("state", 9_999), ("own", 1))
    assert split(wanted, WHOLE) == {"state": 9_999, "own": 1}
    assert split(wanted, 3 * WHOLE) == {"state": 29_997, "own": 3}


def test_without_declared_shares_the_source_of_the_pot_bears_all() -> None:
    assert shares_of(None, "fundingSources/state") == (("fundingSources/state", WHOLE),)
    kept = [{"funding_source": "fundingSources/esf", "basis_points": WHOLE}]
    assert shares_of(kept, "fundingSources/state") == (("fundingSources/esf", WHOLE),)


def test_what_is_wrong_with_shares_is_said() -> None:
    def share(source: str, points: int) -> programme_pb2.CoFundingShare:
        return programme_pb2.CoFundingShare(funding_source=source, basis_points=points)

    assert problems([]) == []
    assert problems([share("a", 8_500), share("b", 1_500)]) == []
    found = problems([share("a", 8_500), share("a", 500)])
    assert [(each.field, each.description) for each in found] == [
        ("version.co_funding[1].funding_source", "'a' is used before"),
        ("version.co_funding", "sums to 9000 basis points and must sum to 10000"),
    ]
    assert co_funding.WHOLE == 10_000
