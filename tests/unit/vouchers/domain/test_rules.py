import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st

from services.vouchers.domain.amounts import Funded, spendable, worth
from services.vouchers.domain.eligibility import Decision, History, decide
from services.vouchers.domain.expressions import ExpressionError, compile_condition
from services.vouchers.domain.facts import Fact, Source, choose, digest, restore, snapshot
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.outcomes import Outcome
from services.vouchers.domain.programme import Rules, Version, compile_rules
from services.vouchers.domain.shortage import Entry, Occupation, best_entry

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"
TODAY = date(2026, 6, 1)
ENTRY = Entry("e", Occupation("", "7212"), "BE", 4)


def rules(name: str) -> Rules:
    content = json.loads((SAMPLES / f"{name}.json").read_text())
    return compile_rules("programmes/p/versions/1", "EUR", ParseDict(content["version"], Version()))


FLEMISH = rules("flemish-training-voucher")
DUTCH = rules("dutch-temporary-training-voucher")


def offer(**changes: Any) -> Offer:
    values: dict[str, Any] = {
        "session": "s",
        "course": "c",
        "organisation": "o",
        "kind": "course",
        "eqf_level": 4,
        "occupations": (Occupation("", "7212"),),
        "start": TODAY + timedelta(days=10),
        "end": TODAY + timedelta(days=20),
        "price": 100_000,
        "currency": "EUR",
        "nuts": "BE21",
        "accredited": True,
        "accredited_until": None,
    }
    return Offer(**{**values, **changes})


def facts(source: Source = Source.PES_REGISTER, **values: Any) -> list[Fact]:
    return [Fact(key, value, source, TODAY) for key, value in values.items()]


def flemish(price: int = 100_000, history: History | None = None, **values: Any) -> Decision:
    known = facts(**{"education_level": 4, "employment_status": "employed", **values})
    return decide(FLEMISH, known, offer(price=price), None, history or History(), TODAY)


def dutch(history: History | None = None, entry: Entry | None = ENTRY, **changes: Any) -> Decision:
    known = facts(employment_status="unemployed")
    return decide(DUTCH, known, offer(**changes), entry, history or History(), TODAY)


def amount(decision: Decision) -> int:
    assert decision.worth is not None
    return decision.worth.amount


def test_flemish_voucher_covers_half_of_250_euro_a_year() -> None:
    decision = flemish()
    assert decision.eligible
    assert decision.automatic
    assert amount(decision) == 12_500
    assert amount(flemish(price=10_000)) == 5_000
    assert amount(flemish(history=History(grants=1, face_used=20_000))) == 2_500


def test_flemish_voucher_is_free_below_upper_secondary() -> None:
    assert amount(flemish(education_level=3)) == 25_000


def test_flemish_voucher_refuses_with_reasons() -> None:
    assert flemish(education_level=7).reason_codes == ["EDUCATION_TOO_HIGH"]
    assert flemish(employment_status="inactive", integration_programme=False).reason_codes == ["NOT_IN_WORK"]
    assert flemish(employment_status="inactive", integration_programme=True).eligible
    assert flemish(history=History(face_used=25_000)).reason_codes == ["NOTHING_LEFT"]


def test_dutch_voucher_is_at_most_2500_euro_once_for_jobs_in_demand() -> None:
    assert amount(dutch(price=400_000)) == 250_000
    assert amount(dutch(price=90_000)) == 90_000
    assert dutch(entry=None).reason_codes == ["NOT_A_SHORTAGE_OCCUPATION"]
    assert "GRANTED_BEFORE" in dutch(history=History(grants=1)).reason_codes
    assert dutch(history=History(funded_elsewhere=True)).reason_codes == ["DOUBLE_FUNDING"]


@pytest.mark.parametrize(("days", "codes"), [(14, []), (15, ["APPLIED_TOO_LATE"])])
def test_dutch_voucher_can_be_asked_for_two_weeks_after_the_start(days: int, codes: list[str]) -> None:
    assert dutch(start=TODAY - timedelta(days=days)).reason_codes == codes


def test_a_session_begins_while_the_voucher_is_valid_or_so_many_days_after_it_is_ordered() -> None:
    now, midnight = datetime(2026, 6, 1, 23, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    assert DUTCH.latest_start(now, midnight) == date(2026, 6, 30)
    assert DUTCH.latest_start(now, midnight + timedelta(seconds=1)) == date(2026, 7, 1)
    version = Version()
    version.CopyFrom(DUTCH.version)
    version.window_rule.order_to_start_days = 60
    assert compile_rules("p", "EUR", version).latest_start(now, midnight) == date(2026, 7, 31)


def test_the_provider_must_be_accredited_on_the_day() -> None:
    assert dutch(accredited=False).reason_codes == ["PROVIDER_NOT_ACCREDITED"]
    assert dutch(accredited_until=TODAY).eligible
    assert dutch(accredited_until=TODAY - timedelta(days=1)).reason_codes == ["PROVIDER_NOT_ACCREDITED"]
    assert dutch(price=None).reason_codes == ["PRICE_UNKNOWN"]


def test_missing_facts_leave_a_clause_undecided_and_say_which() -> None:
    decision = decide(FLEMISH, facts(employment_status="employed"), offer(), None, History(), TODAY)
    (result,) = (r for r in decision.results if r.clause == "low-or-medium-skilled")
    assert (result.outcome, result.missing) == (Outcome.UNDECIDED, ("education_level",))
    assert not decision.automatic
    assert not decision.eligible


def test_a_fact_that_does_not_matter_is_not_asked_for() -> None:
    decision = flemish()
    (result,) = (r for r in decision.results if r.clause == "in-work")
    assert (result.outcome, result.missing) == (Outcome.PASSED, ())


def test_declared_facts_pass_but_need_a_person() -> None:
    declared = facts(Source.SELF_DECLARED, employment_status="unemployed")
    decision = decide(DUTCH, declared, offer(), ENTRY, History(), TODAY)
    assert decision.eligible
    assert not decision.automatic


def test_a_certain_refusal_needs_no_person() -> None:
    decision = decide(DUTCH, [], offer(accredited=False), ENTRY, History(), TODAY)
    assert decision.automatic
    assert not decision.eligible


def test_verified_facts_win_and_stale_ones_do_not_count() -> None:
    declared = Fact("education_level", 2, Source.SELF_DECLARED, TODAY)
    old = Fact("education_level", 3, Source.PES_REGISTER, TODAY - timedelta(days=900))
    new = Fact("education_level", 4, Source.PORTFOLIO_VERIFIED, TODAY - timedelta(days=9))
    stale = Fact("birth_year", 1980, Source.PES_REGISTER, TODAY, TODAY - timedelta(days=1))
    future = Fact("works_hours_per_week", 8, Source.PES_REGISTER, TODAY + timedelta(days=1))
    assert choose([declared, old, new, stale, future], TODAY) == {"education_level": new}


def test_a_snapshot_can_be_restored_and_has_one_hash() -> None:
    known = [
        *facts(education_level=3, has_disability=True, residence_nuts="BE21"),
        *facts(unemployed_since=date(2025, 1, 2)),
    ]
    kept = snapshot(choose(known, TODAY))
    assert sorted(restore(kept), key=lambda f: f.key) == sorted(known, key=lambda f: f.key)
    assert digest(kept) == digest(snapshot(choose(reversed(known), TODAY)))
    kept[0]["value"] = 9
    assert digest(kept) != digest(snapshot(choose(known, TODAY)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learner.education_level < 'a'", "no matching overload"),
        ("learner.shoe_size > 1", "undeclared reference"),
        ("learner.education_level +", "Syntax error"),
        ("learner.education_level + 1", "must be a condition"),
    ],
)
def test_expressions_are_checked_when_compiled(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        compile_condition(text)


@pytest.mark.parametrize(
    ("text", "born", "year", "holds"),
    [
        ("learner.birth_year < 1990 && today.year == 2026", 1989, 2026, True),
        ("learner . birth_year < 1990 && today\n.year == 2026", 1989, 2026, True),
        ("learner.birth_year < 1990", 1990, 2026, False),
        ("learner.birth_year < 1990", None, 2026, None),
        ("learner.birth_year < 1990 || today.year == 2026", None, 2026, True),
        ("true", None, None, True),
    ],
)
def test_a_condition_holds_by_what_it_reads_whatever_it_read_before(
    text: str, born: int | None, year: int | None, holds: bool | None
) -> None:
    condition = compile_condition(text)
    said = {"learner.birth_year": born, "today.year": year, "learner.gender": "female"}
    values = {name: value for name, value in said.items() if value is not None}
    others = ({}, {"learner.birth_year": 1950, "today.year": 2026}, {"learner.birth_year": 2000})
    for other in (*others, values, *others, values):
        found = condition.holds(other)
    assert found is holds
    assert [condition.holds(other) for other in others] == [compile_condition(text).holds(o) for o in others]


def test_facts_named_in_a_text_are_not_read() -> None:
    assert compile_condition("learner.residence_nuts == 'learner.birth_year'").keys == ("residence_nuts",)


@given(
    price=st.integers(0, 10**9),
    cover=st.integers(0, 100),
    face=st.integers(0, 10**9),
    cap=st.none() | st.integers(0, 10**9),
)
def test_worth_splits_every_cent_and_keeps_the_limits(
    price: int, cover: int, face: int, cap: int | None
) -> None:
    found = worth(price, cover, face_left=face, cap_left=cap)
    assert found.amount + found.share == price
    assert 0 <= found.amount <= min(price, face)
    assert cap is None or found.amount <= cap


@given(
    price=st.integers(1, 10**6),
    covers=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 10**6), st.booleans()), min_size=1, max_size=6
    ),
)
def test_all_that_programmes_pay_of_a_session_stays_within_its_price(
    price: int, covers: list[tuple[int, int, bool]]
) -> None:
    paid = [0] * len(covers)
    for place in [*range(len(covers)), *range(len(covers))]:  # each twice: a second time it has nothing left
        cover, share, alone = covers[place]
        elsewhere = sum(paid) - paid[place]
        most = spendable(price, cover, share, Funded(paid[place], elsewhere), alone=alone)
        assert most == 0 or not (alone and elsewhere)
        paid[place] += most
        assert paid[place] <= max(0, price - share) * cover // 100
    assert sum(paid) <= price


@pytest.mark.parametrize(
    ("listed", "nuts", "place", "region", "matches"),
    [
        ("7212", "BE", "BE21", "", True),
        ("72", "BE", "BE21", "BE2", True),
        ("7213", "BE", "BE21", "", False),
        ("7212", "BE3", "BE21", "", False),
        ("7212", "BE21", "", "BE2", True),
        ("7212", "NL", "BE21", "BE", False),
        ("7212", "", "BE21", "BE", True),
    ],
)
def test_shortage_by_occupation_and_region(
    listed: str, nuts: str, place: str, region: str, matches: bool
) -> None:
    entry = Entry("e", Occupation("", listed), nuts, 2)
    taught = [Occupation("", "7212")]
    found = best_entry([entry], taught, place=place, region=region, min_severity=0)
    assert (found is not None) == matches
    assert best_entry([entry], taught, place=place, region=region, min_severity=3) is None


@pytest.mark.parametrize(
    ("listed", "of_group", "of_concept"),
    [
        (Occupation("esco/welder", "7212"), True, True),
        (Occupation("esco/solderer", "7212"), True, False),
        (Occupation("", "7212"), True, True),
        (Occupation("esco/solderer", ""), False, False),
    ],
)
def test_a_rule_may_take_an_entry_for_its_concept_alone(
    listed: Occupation, of_group: bool, of_concept: bool
) -> None:
    taught = [Occupation("esco/welder", "7212")]
    for concept_only, expected in ((False, of_group), (True, of_concept)):
        found = best_entry(
            [Entry("e", listed, "BE", 2)],
            taught,
            place="BE",
            region="",
            min_severity=0,
            concept_only=concept_only,
        )
        assert (found is not None) == expected
