"""The ready programmes of samples/programmes: their edge days, amounts and limits, one row each.

A row: programme, changes of facts, of the session, and of what was granted before; then amount and learner's
share in cents, or the reason codes of the refusal.
"""

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from services.platform.errors import Refusal
from services.vouchers.domain import payment
from services.vouchers.domain.differences import differences
from services.vouchers.domain.drafting import check_draft
from services.vouchers.domain.eligibility import History, decide
from services.vouchers.domain.facts import Fact, Source
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import NOT_RULES, Rules, Version, years_before
from services.vouchers.domain.shortage import Entry, Occupation

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"
OURS = ("shortage-training", "sandbox")  # no practice of anybody
READY = sorted(path.stem for path in SAMPLES.glob("*.json") if path.stem not in OURS)
TODAY = date(2026, 6, 1)
FLEMISH, GUIDANCE = "flemish-training-voucher", "flemish-career-guidance-voucher"
NEWCOMERS = "flemish-career-guidance-voucher-newcomers"  # a further version of it
DUTCH, COVER, GRANT = "dutch-temporary-training-voucher", "estonian-training-cover", "estonian-employer-grant"
APTIC, JOB_VEU = "aptic-digital-voucher", "danish-job-veu"
DEGREE = "estonian-degree-study"
LAEC, BECODE, UPSKILL = "greek-laec", "brussels-becode-bond", "portuguese-upskill"
EMPLOYED, UNEMPLOYED = {"employment_status": "employed"}, {"employment_status": "unemployed"}
NEED = Entry("e", Occupation("", "7212"), "", 3)


def content(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def version(name: str, **changes: Any) -> Version:
    return ParseDict({**content(name)["version"], **changes}, Version())


@cache
def rules(name: str) -> Rules:
    return check_draft("programmes/p/versions/1", "EUR", version(name))


def outcome(
    name: str, facts: dict[str, Any], session: dict[str, Any], before: dict[str, Any]
) -> tuple[int, int] | list[str]:
    known = {"education_level": 4, **EMPLOYED, **facts}
    values: dict[str, Any] = {"kind": "course", "eqf_level": 4, "price": 100_000, "start": 30, **session}
    start = TODAY + timedelta(days=values.pop("start"))
    entry = values.pop("entry", NEED)
    offer = Offer(
        session="s",
        course="c",
        organisation="o",
        occupations=(Occupation("", "7212"),),
        start=start,
        end=start + timedelta(days=5),
        currency="EUR",
        nuts="",
        accredited=values.pop("accredited", True),
        accredited_until=None,
        **values,
    )
    pushed = [Fact(key, value, Source.PES_REGISTER, TODAY) for key, value in known.items()]
    decision = decide(rules(name), pushed, offer, entry, History(**before), TODAY)
    assert decision.automatic
    if not decision.eligible:
        return decision.reason_codes
    assert decision.worth is not None
    return decision.worth.amount, decision.worth.share


LATE, UNCERTIFIED = ["APPLIED_TOO_LATE"], ["PROVIDER_NOT_ACCREDITED"]
GUIDED = {"kind": "guidance", "price": 55_000}


@pytest.mark.parametrize(
    ("name", "facts", "session", "before", "expected"),
    [
        (FLEMISH, {}, {}, {}, (12_500, 87_500)),
        (FLEMISH, {"education_level": 3}, {"price": 25_000}, {}, (25_000, 0)),
        (FLEMISH, {"education_level": 6}, {}, {}, ["EDUCATION_TOO_HIGH"]),
        (FLEMISH, {}, {"start": -60}, {}, (12_500, 87_500)),
        (FLEMISH, {}, {"start": -61}, {}, LATE),
        (FLEMISH, {}, {}, {"face_used": 25_000}, ["NOTHING_LEFT"]),
        (GUIDANCE, {}, GUIDED, {}, (51_000, 4_000)),
        (GUIDANCE, {}, {**GUIDED, "price": 60_000}, {}, (51_000, 9_000)),
        (GUIDANCE, {}, {**GUIDED, "price": 30_000}, {}, (26_000, 4_000)),
        (GUIDANCE, {}, {**GUIDED, "price": 4_000}, {}, ["NOTHING_LEFT"]),
        (GUIDANCE, {}, {"price": 55_000}, {}, ["COURSE_NOT_ALLOWED"]),
        (GUIDANCE, {}, GUIDED, {"grants": 1, "recent": 1}, (51_000, 4_000)),
        (GUIDANCE, {}, GUIDED, {"grants": 1, "recent": 1, "unused": 1}, ["EARLIER_VOUCHER_UNUSED"]),
        (GUIDANCE, {}, GUIDED, {"grants": 2, "recent": 2}, ["GRANT_LIMIT_REACHED"]),
        (GUIDANCE, {}, GUIDED, {"grants": 2, "recent": 1}, (51_000, 4_000)),
        (GUIDANCE, UNEMPLOYED, GUIDED, {}, ["NOT_IN_WORK"]),
        (NEWCOMERS, {}, GUIDED, {}, (50_500, 4_500)),
        (NEWCOMERS, {}, {**GUIDED, "price": 60_000}, {}, (50_500, 9_500)),
        (NEWCOMERS, {}, {**GUIDED, "price": 4_500}, {}, ["NOTHING_LEFT"]),
        (NEWCOMERS, {}, GUIDED, {"grants": 1, "recent": 1, "unused": 1}, ["EARLIER_VOUCHER_UNUSED"]),
        (DUTCH, UNEMPLOYED, {"price": 250_000}, {}, (250_000, 0)),
        (DUTCH, UNEMPLOYED, {"price": 250_001}, {}, (250_000, 1)),
        (DUTCH, UNEMPLOYED, {"start": -14}, {}, (100_000, 0)),
        (DUTCH, UNEMPLOYED, {"start": -15}, {}, LATE),
        (DUTCH, UNEMPLOYED, {"entry": None}, {}, ["NOT_A_SHORTAGE_OCCUPATION"]),
        (DUTCH, UNEMPLOYED, {}, {"funded_elsewhere": True}, ["DOUBLE_FUNDING"]),
        (DUTCH, UNEMPLOYED, {}, {"grants": 1, "granted": 1}, ["GRANTED_BEFORE"]),
        (COVER, {}, {"kind": "exam"}, {}, (100_000, 0)),
        (COVER, {}, {"eqf_level": 6, "price": 600_000}, {}, (500_000, 100_000)),
        (COVER, {"education_level": 6}, {"eqf_level": 6, "price": 600_000}, {}, (200_000, 400_000)),
        (COVER, UNEMPLOYED, {"price": 300_000}, {}, (250_000, 50_000)),
        (COVER, {"education_level": 3}, {}, {}, (100_000, 0)),
        (COVER, {}, {}, {}, (80_000, 20_000)),
        (COVER, {"employment_status": "inactive"}, {}, {}, ["NO_TARGET_GROUP"]),
        (COVER, {}, {"start": 0}, {}, (80_000, 20_000)),
        (COVER, {}, {"start": -1}, {}, LATE),
        (DEGREE, {}, {"eqf_level": 6, "price": 500_000}, {}, (500_000, 0)),
        (DEGREE, {}, {"eqf_level": 6, "price": 500_001}, {}, (500_000, 1)),
        (DEGREE, {"education_level": 6}, {"eqf_level": 6}, {}, ["NO_TARGET_GROUP"]),
        (DEGREE, {}, {}, {}, ["NO_TARGET_GROUP", "COURSE_NOT_ALLOWED"]),
        (GRANT, {}, {}, {}, (50_000, 50_000)),
        (GRANT, {"education_level": 3}, {}, {}, (80_000, 20_000)),
        (GRANT, {}, {"start": 1}, {}, (50_000, 50_000)),
        (GRANT, {}, {"start": 0}, {}, LATE),
        (GRANT, UNEMPLOYED, {}, {}, ["NOT_EMPLOYED"]),
        (APTIC, UNEMPLOYED, {"price": 10_000}, {}, (10_000, 0)),
        (APTIC, UNEMPLOYED, {"price": 12_000}, {}, (10_000, 2_000)),
        (APTIC, UNEMPLOYED, {"accredited": False}, {}, UNCERTIFIED),
        (APTIC, UNEMPLOYED, {}, {"grants": 1}, ["GRANTED_BEFORE"]),
        (APTIC, {}, {}, {}, ["NOT_A_JOBSEEKER"]),
        (JOB_VEU, {}, {"price": 300_000}, {}, (300_000, 0)),
        (JOB_VEU, {}, {"price": 300_001}, {}, (300_000, 1)),
        (JOB_VEU, {}, {"entry": None}, {}, ["NO_NEED"]),
        (JOB_VEU, {}, {"start": 1}, {}, (100_000, 0)),
        (JOB_VEU, {}, {"start": 0}, {}, LATE),
        (LAEC, {}, {"price": 200_000}, {}, (200_000, 0)),
        (LAEC, {}, {"price": 200_001}, {}, (200_000, 1)),
        (LAEC, {}, {}, {"face_used": 200_000}, ["NOTHING_LEFT"]),
        (LAEC, {}, {"start": 0}, {}, LATE),
        (LAEC, UNEMPLOYED, {}, {}, ["NOT_EMPLOYED"]),
        (BECODE, UNEMPLOYED, {"price": 462_900}, {}, (462_900, 0)),
        (BECODE, UNEMPLOYED, {"price": 462_901}, {}, (462_900, 1)),
        (BECODE, UNEMPLOYED, {"start": 1}, {}, (100_000, 0)),
        (BECODE, UNEMPLOYED, {"start": 0}, {}, LATE),
        (BECODE, {}, {}, {}, ["NOT_A_JOBSEEKER"]),
        (UPSKILL, UNEMPLOYED, {"price": 600_000}, {}, (600_000, 0)),
        (UPSKILL, UNEMPLOYED, {"price": 600_001}, {}, (600_000, 1)),
        (UPSKILL, {}, {}, {}, ["NOT_A_JOBSEEKER"]),
    ],
)
def test_edges(
    name: str, facts: dict[str, Any], session: dict[str, Any], before: dict[str, Any], expected: Any
) -> None:
    assert outcome(name, facts, session, before) == expected


def test_the_version_for_newcomers_differs_in_their_share_and_its_day() -> None:
    assert (rules(GUIDANCE).for_newcomers, rules(NEWCOMERS).for_newcomers) == (False, True)
    changed = differences(version(GUIDANCE), version(NEWCOMERS), NOT_RULES)
    assert {each.path.partition("[")[0] for each in changed} == {"effective_date", "cohort", "target_groups"}
    assert len(changed) == 3
    assert content(GUIDANCE)["programme"] == content(NEWCOMERS)["programme"]


@pytest.mark.parametrize(
    ("reserved", "amounts"),
    [(500_000, [150_000, 150_000, 150_000, 50_000]), (333_333, [99_999, 100_000, 100_000, 33_334])],
)
def test_degree_study_is_paid_in_four_instalments(reserved: int, amounts: list[int]) -> None:
    found = payment.instalments(rules(DEGREE).version.payment_rule, reserved)
    assert [cents for _, cents in found] == amounts


@pytest.mark.parametrize("name", READY)
def test_each_passes_the_checks_of_a_draft_and_names_its_source(name: str) -> None:
    assert rules(name).groups
    source = content(name)["source"]
    assert source["document"]
    assert source["practice"].startswith("V")
    assert source["says"]
    assert {"chosenHere", "notModelled"} < source.keys()


@pytest.mark.parametrize(
    ("today", "years", "first"),
    [
        (date(2026, 6, 1), 6, date(2020, 6, 2)),
        (date(2028, 2, 29), 6, date(2022, 3, 1)),
        (date(2026, 6, 1), 0, date.min),
    ],
)
def test_grants_count_over_a_window_of_years(today: date, years: int, first: date) -> None:
    sequence = {"maxGrants": 2, "windowYears": years}
    made = check_draft("programmes/p/versions/1", "EUR", version(GUIDANCE, sequenceRule=sequence))
    assert made.grants_since(today) == first
    assert years_before(date(3, 1, 1), 9) == date.min


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("PERIOD_YEAR", date(2026, 1, 1)),
        ("PERIOD_LIFETIME", date.min),
        ("PERIOD_GRANT", date.max),
    ],
)
def test_the_face_value_counts_over_its_period(period: str, first: date) -> None:
    amount = {**content(GUIDANCE)["version"]["amountRule"], "period": period}
    made = check_draft("programmes/p/versions/1", "EUR", version(GUIDANCE, amountRule=amount))
    assert made.period_start(TODAY) == first


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sequenceRule": {}}, "version.sequence_rule"),
        ({"sequenceRule": {"previousUsed": True, "windowYears": 6}}, "version.sequence_rule.window_years"),
        ({"scope": "SCOPE_PROGRAMME"}, "version.target_groups[0].fixed_share"),
        (
            {"amountRule": {"faceValue": {"currencyCode": "EUR", "units": "40"}, "period": "PERIOD_YEAR"}},
            "version.target_groups[0].fixed_share",
        ),
    ],
)
def test_rules_that_make_no_sense_together_are_refused(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_draft("programmes/p/versions/1", "EUR", version(GUIDANCE, **change))
    assert [violation.field for violation in refused.value.violations] == [place]
