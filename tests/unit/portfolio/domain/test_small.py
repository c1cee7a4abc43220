"""Names, dates, freshness and quotas."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import entry_pb2
from waymark.portfolio.v1 import skill_claim_pb2 as skills

from services.platform.errors import Refusal
from services.portfolio.domain import names, quotas
from services.portfolio.domain.dates import check_date, check_expiry, check_period, from_date, to_date
from services.portfolio.domain.skills import freshness, profile


def test_names() -> None:
    assert names.parse("holders/a/entries/b", "holders", "entries") == ("a", "b")
    assert names.holder_in("holders/a/entries/b") == "a"
    assert names.holder_in("learners/a") == names.holder_in("holders") == names.holder_in("") == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "holders",
        "holders/",
        "holders/a/entries/",
        "holders/a/other/b",
        "holders/a/entries/b/c",
        "/holders/a/entries/b",
    ],
)
def test_a_malformed_name_is_not_found(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        names.parse(name, "holders", "entries")
    assert caught.value.reason == reason_pb2.REASON_NOT_FOUND


@given(st.dates(min_value=date(1, 1, 1)))
def test_dates_that_exist(day: date) -> None:
    assert check_date("d", from_date(day)) == []
    assert to_date(from_date(day)) == day


@pytest.mark.parametrize(
    ("value", "partial", "fine"),
    [
        (Date(year=2024, month=2, day=29), False, True),
        (Date(year=2023, month=2, day=29), True, False),
        (Date(year=2023, month=13), True, False),
        (Date(year=2023), True, True),
        (Date(year=2023, month=5), True, True),
        (Date(year=2023), False, False),
        (Date(year=2023, day=5), True, False),
        (Date(month=5, day=5), True, False),
        (Date(year=-1, month=5, day=5), True, False),
        (Date(year=10000, month=1, day=1), True, False),
    ],
)
def test_odd_dates(value: Date, partial: bool, fine: bool) -> None:
    assert (check_date("d", value, partial=partial) == []) is fine


@pytest.mark.parametrize(
    ("start", "end", "fine"),
    [
        (Date(year=2020), Date(year=2020), True),
        (Date(year=2020, month=6), Date(year=2020), True),
        (Date(year=2020, month=6, day=2), Date(year=2020, month=6, day=1), False),
        (Date(year=2021), Date(year=2020, month=12), False),
        (Date(), Date(year=2020), True),
        (Date(year=2020), Date(), True),
        (Date(year=2020, month=2, day=30), Date(), False),
    ],
)
def test_periods(start: Date, end: Date, fine: bool) -> None:
    if fine:
        check_period(("start", start), ("end", end))
    else:
        with pytest.raises(Refusal) as caught:
            check_period(("start", start), ("end", end))
        assert caught.value.reason == reason_pb2.REASON_INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("seconds", "fine"), [(1, True), (0, False), (-1, False), (86400, True), (86401, False)]
)
def test_expiry(seconds: int, fine: bool) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    value = Timestamp()
    value.FromDatetime(now + timedelta(seconds=seconds))
    if fine:
        check_expiry("e", value, now=now, longest=timedelta(days=1))
    else:
        with pytest.raises(Refusal):
            check_expiry("e", value, now=now, longest=timedelta(days=1))


def test_a_time_out_of_range_is_refused() -> None:
    with pytest.raises(Refusal):
        check_expiry("e", Timestamp(seconds=1 << 60), now=datetime.now(UTC), longest=timedelta(days=1))


@pytest.mark.parametrize(
    ("asserted", "used", "expected"),
    [
        (date(2024, 11, 22), None, skills.SKILL_FRESHNESS_CURRENT),
        (date(2024, 11, 21), None, skills.SKILL_FRESHNESS_AGEING),
        (date(2021, 11, 21), None, skills.SKILL_FRESHNESS_STALE),
        (date(2010, 1, 1), date(2026, 1, 1), skills.SKILL_FRESHNESS_CURRENT),
        (date(2024, 2, 29), None, skills.SKILL_FRESHNESS_AGEING),
    ],
)
def test_freshness(asserted: date, used: date | None, expected: int) -> None:
    assert freshness(asserted=asserted, last_used=used, today=date(2026, 11, 21)) == expected


def test_quotas() -> None:
    quotas.check("pathways", 49)
    with pytest.raises(Refusal) as caught:
        quotas.check("pathways", 50)
    assert caught.value.metadata == {"what": "pathways", "limit": "50"}


def test_a_profile_is_concepts_and_nothing_else() -> None:
    today = date(2026, 11, 26)
    claims = [
        skills.SkillClaim(concept_uri=uri, assert_date=Date(year=year, month=1, day=1))
        for uri, year in (("b", 2019), ("a", 2019), ("a", 2026), ("c", 2024))
    ]
    ends = {"gone": Date(year=2026, month=11, day=25), "last": Date(year=2026, month=11, day=26)}
    ends |= {"month": Date(year=2026, month=11), "year": Date(year=2025)}
    work = [
        entry_pb2.Entry(end_date=end, work=entry_pb2.WorkDetail(occupation_uri=uri))
        for uri, end in ends.items()
    ]
    work += [entry_pb2.Entry(work={"occupation_uri": "now"}) for _ in range(2)] + [entry_pb2.Entry(title="x")]
    found = profile(claims, work, today)
    assert (list(found.skills), list(found.stale_skills)) == (["a", "b", "c"], ["b"])
    assert list(found.present_occupations) == ["last", "month", "now"]
    assert set(found.DESCRIPTOR.fields_by_name) == {"skills", "stale_skills", "present_occupations"}
