"""The programmes on the page of an occupation: kept by event in any order, named with why they may pay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.type.money_pb2 import Money
from waymark.catalogue.v1 import occupation_pb2, occupation_pb2_grpc
from waymark.vouchers.v1.events_pb2 import ProgrammeActivated, ProgrammeMoneyChanged, ProgrammeTerms
from waymark.vouchers.v1.money_left_pb2 import (
    MONEY_LEFT_ENOUGH,
    MONEY_LEFT_LITTLE,
    MONEY_LEFT_NOTHING,
    MONEY_LEFT_UNSPECIFIED,
)
from waymark.vouchers.v1.programme_pb2 import CourseRule, OpeningRule, ShortageRule

from services.catalogue.reactions.programmes import keep_money, keep_terms
from services.platform.db.transaction import transaction
from tests.integration.catalogue.test_features import INFO
from tests.support.catalogue import DEVELOPER, Catalogue, day, with_taxonomy

ROWS = b"occupation,region,severity,cause\n251,BE2,2,too_few_people\n2512,BE21,4,\n"
TODAY = datetime.now(UTC).date()
LIST = "shortageLists/flanders"


@pytest.fixture
def lmi(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def tell(lmi: Catalogue, programme: str, number: int, effective: date, **values: Any) -> None:
    """The vouchers service tells of an active version, and once more."""
    sandbox = values.pop("sandbox", False)
    terms = ProgrammeTerms(
        display_names={"en": f"{programme} {number}"},
        effective_date=day(effective.isoformat()),
        face_value=Money(currency_code="EUR", units=2500),
        min_cover_percent=50,
        max_cover_percent=100,
        **values,
    )
    name = f"programmes/{programme}"
    event = ProgrammeActivated(
        programme=name, version=f"{name}/versions/{number}", terms=terms, sandbox=sandbox
    )
    with transaction(lmi.app) as tx:
        for _ in range(2):
            keep_terms(lmi.app, tx, event, INFO)


def paying(lmi: Catalogue, place: str = "BE21", occupation: str = DEVELOPER) -> list[Any]:
    request = occupation_pb2.GetOccupationPageRequest(occupation=occupation, nuts_code=place)
    stub = lmi.stub(occupation_pb2_grpc.OccupationServiceStub, "")
    return list(stub.GetOccupationPage(request).paying_programmes)


def asking(nuts_code: str = "", min_severity: int = 0, shortage_list: str = LIST) -> ShortageRule:
    return ShortageRule(shortage_list=shortage_list, nuts_code=nuts_code, min_severity=min_severity)


def test_a_programme_that_asks_for_no_shortage_stands_there_with_its_terms(lmi: Catalogue) -> None:
    course = CourseRule(
        kinds=["course"],
        min_eqf_level=3,
        price_cap=Money(currency_code="EUR", units=900),
        accreditation_required=True,
    )
    opening = OpeningRule()
    opening.open_time.FromDatetime(datetime(2026, 3, 1, tzinfo=UTC))
    opening.close_time.FromDatetime(datetime(2026, 4, 1, tzinfo=UTC))
    tell(lmi, "open", 1, TODAY, course_rule=course, opening_rule=opening)
    tell(lmi, "try", 1, TODAY, sandbox=True)
    (found,) = paying(lmi)
    assert (found.programme, found.version) == ("programmes/open", "programmes/open/versions/1")
    assert found.display_names["en"] == "open 1"
    assert (found.face_value.units, found.min_cover_percent, found.max_cover_percent) == (2500, 50, 100)
    assert (list(found.course_kinds), found.min_eqf_level, found.max_eqf_level) == (["course"], 3, 0)
    assert (found.price_cap.units, found.accreditation_required) == (900, True)
    assert (found.open_time, found.close_time) == (opening.open_time, opening.close_time)
    assert (found.shortage_list_version, found.HasField("shortage_entry")) == ("", False)
    assert (found.effective_date, found.HasField("last_date")) == (day(TODAY.isoformat()), False)


def test_one_that_asks_for_a_shortage_stands_there_by_the_entry_alone(lmi: Catalogue) -> None:
    rules = {
        "any": asking(),
        "critical": asking(min_severity=5),
        "elsewhere": asking(nuts_code="NL"),
        "here": asking(nuts_code="BE21"),
        "unknown": asking(shortage_list="shortageLists/nobodys"),
    }
    for name, rule in rules.items():
        tell(lmi, name, 1, TODAY, shortage_rule=rule)
    assert paying(lmi) == []  # no list yet
    version = lmi.publish(lmi.draft(lmi.shortage_list(), ROWS).name)
    found = paying(lmi)
    assert [each.programme for each in found] == ["programmes/any", "programmes/here"]
    assert {each.shortage_list_version for each in found} == {version.name}
    assert {(each.shortage_entry.nuts_code, each.shortage_entry.severity) for each in found} == {("BE21", 4)}
    # Beside BE21 the entry of the whole region counts, as it does for a programme whose region lies in that.
    assert [each.shortage_entry.severity for each in paying(lmi, "BE22")] == [2, 2]
    assert paying(lmi, "FR1") == []
    assert paying(lmi, occupation="25") == []  # 2512 says nothing of all of 25
    # A version of the list without the occupation ends it.
    others = b"occupation,region,severity,cause\nbaker,BE2,5,\n"
    lmi.publish(lmi.draft(LIST, others, valid_from=day(TODAY.isoformat())).name)
    assert paying(lmi) == []


def test_an_entry_for_a_concept_counts_for_its_group_unless_the_programme_says_otherwise(
    lmi: Catalogue,
) -> None:
    tell(lmi, "wide", 1, TODAY, shortage_rule=asking())
    tell(lmi, "exact", 1, TODAY, shortage_rule=ShortageRule(shortage_list=LIST, concept_only=True))
    rows = f"occupation,region,severity,cause\n{DEVELOPER},BE2,3,\n"
    lmi.publish(lmi.draft(lmi.shortage_list(), rows.encode()).name)
    assert [each.programme for each in paying(lmi)] == ["programmes/exact", "programmes/wide"]
    assert [each.programme for each in paying(lmi, occupation="2512")] == ["programmes/wide"]


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (3, 1, 4, 2)])
def test_the_version_in_force_does_not_depend_on_the_order_they_come_in(
    lmi: Catalogue, order: tuple[int, ...]
) -> None:
    days = {1: -400, 2: -30, 3: -30, 4: 10}
    for number in order:
        tell(lmi, "training", number, TODAY + timedelta(days=days[number]))
    (found,) = paying(lmi)
    assert found.version == "programmes/training/versions/3"  # of the same day the highest number
    assert found.last_date == day((TODAY + timedelta(days=9)).isoformat())


def test_what_has_not_begun_or_was_told_without_terms_is_not_there(lmi: Catalogue) -> None:
    tell(lmi, "later", 1, TODAY + timedelta(days=1))
    early = ProgrammeActivated(programme="programmes/early", version="programmes/early/versions/1")
    with transaction(lmi.app) as tx:
        keep_terms(lmi.app, tx, early, INFO)
    assert paying(lmi) == []


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 3, 3)])
def test_how_far_the_money_reaches_is_what_was_told_last_whatever_comes_first(
    lmi: Catalogue, order: tuple[int, ...]
) -> None:
    reaches = {1: MONEY_LEFT_ENOUGH, 2: MONEY_LEFT_LITTLE, 3: MONEY_LEFT_NOTHING}
    tell(lmi, "training", 1, TODAY)
    assert [each.money_left for each in paying(lmi)] == [MONEY_LEFT_UNSPECIFIED]
    with transaction(lmi.app) as tx:
        for number in order:
            event = ProgrammeMoneyChanged(
                programme="programmes/training", money_left=reaches[number], number=number
            )
            keep_money(lmi.app, tx, event, INFO)
        sandbox = ProgrammeMoneyChanged(
            programme="programmes/training", money_left=MONEY_LEFT_ENOUGH, number=9, sandbox=True
        )
        keep_money(lmi.app, tx, sandbox, INFO)
    assert [each.money_left for each in paying(lmi)] == [MONEY_LEFT_NOTHING]
