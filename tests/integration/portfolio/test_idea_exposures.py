"""What the catalogue is asked with knows no gender; what is shown is counted by gender for who agreed."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from sqlalchemy import select, text, update
from waymark.catalogue.v1 import skill_gap_pb2
from waymark.portfolio.v1 import access_log_pb2, holder_pb2, skill_profile_pb2
from waymark.portfolio.v1 import idea_exposure_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio.domain import exposure
from services.portfolio.store import idea_exposures
from services.portfolio.store.exposure_tables import exposure_consents
from services.portfolio.store.exposure_tables import idea_exposures as counts
from services.portfolio.store.vault import open_vault
from tests.support.databases import WAITING, sessions
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, refused, skill
from tests.support.waiting import eventually

WELDERS, FITTERS = "7212", "7214"
LAST_MONTH = date(2026, 1, 1)
NOW: dict[str, Any] = {"work": {"occupation_uri": "http://data.europa.eu/esco/occupation/welder"}}
PERSONAL = {"gender", "sex", "birth_date", "given_name", "family_name", "contact", "nationality", "summary"}


def consent(person: Caller, gender: int, terms: str = exposure.TERMS) -> pb.ExposureConsent:
    given = pb.ExposureConsent(gender=gender, terms=terms)  # type: ignore[arg-type]
    request = pb.GiveExposureConsentRequest(parent=person.holder, exposure_consent=given)
    answer: pb.ExposureConsent = person.GiveExposureConsent(request)
    return answer


def record(caller: Caller, holder: str, *codes: str) -> None:
    caller.RecordShownIdeas(pb.RecordShownIdeasRequest(parent=holder, isco_codes=codes))


def people(portfolio: Portfolio) -> dict[tuple[str, int], int]:
    with transaction(portfolio.app, read_only=True) as tx:
        return {(row.isco_code, row.gender): row.people for row in tx.execute(select(counts))}


def profile(caller: Caller, holder: str) -> skill_profile_pb2.SkillProfile:
    request = skill_profile_pb2.GetSkillProfileRequest(name=holder)
    answer: skill_profile_pb2.SkillProfile = caller.GetSkillProfile(request)
    return answer


def test_gender_changes_nothing_that_is_asked_with(portfolio: Portfolio) -> None:
    """The same claims of a woman, a man and somebody who said nothing make the same question, byte for byte;
    the catalogue has no field in which it could learn more."""
    asked = set()
    for gender in (pb.GENDER_WOMAN, pb.GENDER_MAN, None):
        person = portfolio.person(given_name=f"Person {gender}")
        for concept in ("weld", "grind"):
            skill(person, concept)
        entry(person, **NOW)
        entry(person, end_date={"year": 2020}, work={"occupation_uri": "http://a/b"})
        if gender:
            consent(person, gender)
        found = profile(person, person.holder)
        assert list(found.present_occupations) == [NOW["work"]["occupation_uri"]]
        asked.add(found.SerializeToString(deterministic=True))
        counsellor = portfolio.mandated(person)
        assert profile(counsellor, person.holder) == found
        log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
        assert [each.action for each in log.access_records] == ["GetSkillProfile"]
    assert len(asked) == 1
    for question in (skill_gap_pb2.CheckSkillGapRequest, skill_gap_pb2.RecommendOccupationsRequest):
        assert not PERSONAL & fields(question.DESCRIPTOR)
    assert not PERSONAL & fields(skill_profile_pb2.SkillProfile.DESCRIPTOR)
    # Control: the walk over fields would find it.
    assert PERSONAL & fields(pb.ListExposureConsentsResponse.DESCRIPTOR) == {"gender"}


def fields(message: Descriptor, seen: frozenset[str] = frozenset()) -> set[str]:
    """Names of all fields of a message and of the messages in it."""
    if message.full_name in seen:
        return set()
    names = {field.name for field in message.fields}
    for field in message.fields:
        if field.message_type is not None:
            names |= fields(field.message_type, seen | {message.full_name})
    return names


def test_nothing_is_counted_without_consent_and_each_person_once(lonely_portfolio: Portfolio) -> None:
    portfolio = lonely_portfolio
    woman, silent = portfolio.person(), portfolio.person()
    record(silent, silent.holder, WELDERS)
    record(woman, woman.holder, WELDERS)
    assert people(portfolio) == {}  # off by default
    first = consent(woman, pb.GENDER_WOMAN)
    assert reason_of(lambda _: consent(woman, pb.GENDER_MAN), None) == "ALREADY_EXISTS"
    record(woman, woman.holder, WELDERS, WELDERS)
    record(portfolio.mandated(woman), woman.holder, WELDERS, FITTERS)
    expected = {("", 1): 1, (WELDERS, 1): 1, (FITTERS, 1): 1}
    assert people(portfolio) == expected
    withdrawn = woman.WithdrawExposureConsent(pb.WithdrawExposureConsentRequest(name=first.name))
    assert withdrawn.HasField("withdraw_time")
    again = pb.WithdrawExposureConsentRequest(name=first.name)
    found = refused(woman.WithdrawExposureConsent, again)
    assert (found.reason, found.metadata["state"]) == ("WRONG_STATE", "WITHDRAWN")
    assert found.metadata["needed"] == "IN_FORCE"
    record(woman, woman.holder, "7213")
    assert people(portfolio) == expected
    consent(woman, pb.GENDER_OTHER)  # what was counted this month already is not counted again
    record(woman, woman.holder, WELDERS, "7213")
    assert people(portfolio) == expected | {("7213", 3): 1}
    listed = woman.ListExposureConsents(pb.ListExposureConsentsRequest(parent=woman.holder))
    assert [each.gender for each in listed.exposure_consents] == [pb.GENDER_OTHER, pb.GENDER_WOMAN]
    for gender, terms, field in ((0, exposure.TERMS, "gender"), (1, "idea-exposure-0", "terms")):
        info = refused(lambda _, g=gender, t=terms: consent(silent, g, t), None)
        assert (info.reason, field) == ("INVALID_ARGUMENT", field)
    look = holder_pb2.GetHolderRequest(name=woman.holder)
    erasing = holder_pb2.EraseHolderRequest(name=woman.holder, etag=woman.GetHolder(look).etag)
    assert woman.EraseHolder(erasing).exposure_consents == 2
    with transaction(portfolio.app, read_only=True) as tx:
        assert tx.execute(select(exposure_consents)).all() == []
    assert people(portfolio) == expected | {("7213", 3): 1}  # numbers of nobody


def test_few_people_are_not_told_of_nor_a_month_that_goes_on(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = lonely_portfolio
    for _ in range(2):
        person = portfolio.person()
        consent(person, pb.GENDER_WOMAN)
        record(person, person.holder, WELDERS)
    with transaction(portfolio.app) as tx:
        this_month = tx.execute(select(counts.c.month).limit(1)).scalar_one()
        tx.execute(update(counts).values(month=LAST_MONTH))
        tx.execute(text(f"INSERT INTO idea_exposures VALUES ('{LAST_MONTH}', '{WELDERS}', 2, 10)"))
    auditor = portfolio.staff("auditor")

    def told(**more: Any) -> Any:
        return auditor.ListIdeaExposures(pb.ListIdeaExposuresRequest(month=f"{LAST_MONTH:%Y-%m}", **more))

    def rows(answer: Any) -> list[tuple[str, int, int, bool]]:
        return [(e.isco_code, e.gender, e.people, e.suppressed) for e in answer.idea_exposures]

    shown = [("", 1, 0, True), (WELDERS, 1, 0, True), (WELDERS, 2, 10, False)]
    assert rows(told()) == shown
    first = told(page_size=2)
    assert rows(first) + rows(told(page_size=2, page_token=first.next_page_token)) == shown
    request = pb.ListIdeaExposuresRequest(month=f"{this_month:%Y-%m}")
    assert reason_of(auditor.ListIdeaExposures, request) == "INVALID_ARGUMENT"
    assert reason_of(portfolio.staff("counsellor").ListIdeaExposures, request) == "PERMISSION_DENIED"
    monkeypatch.setattr(exposure, "SMALLEST", 1)  # control
    assert rows(told()) == [("", 1, 2, False), (WELDERS, 1, 2, False), (WELDERS, 2, 10, False)]


def shown_twice_at_once(portfolio: Portfolio) -> int:
    """How often somebody is counted to whom the same is shown by two at once; 20 s to come to an end."""
    person = portfolio.person()
    consent(person, pb.GENDER_WOMAN)
    other = threading.Thread(target=record, args=(person, person.holder, WELDERS), daemon=True)
    with transaction(portfolio.app) as tx:
        vault = open_vault(tx, portfolio.app.keys, person.subject)
        held = idea_exposures.in_force(tx, vault)
        assert held is not None
        after, fresh = exposure.count(idea_exposures.counted(tx, vault), tx.now.date(), [WELDERS])
        idea_exposures.put_counted(tx, vault, held.name.rpartition("/")[2], after)
        other.start()
        eventually(lambda: sessions(portfolio.app.engine, WAITING))
        idea_exposures.add(tx, after.month, held.gender, fresh)
    other.join(20)
    return people(portfolio)[WELDERS, 1]


def test_shown_by_two_at_once_counts_once(lonely_portfolio: Portfolio) -> None:
    assert shown_twice_at_once(lonely_portfolio) == 1


def test_without_the_lock_it_would_count_twice(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""

    def unlocked(tx: Any, vault: Any) -> pb.ExposureConsent | None:
        return next(iter(idea_exposures.CONSENTS.newest(tx, vault, 1)), None)

    monkeypatch.setattr(idea_exposures, "in_force", unlocked)
    assert shown_twice_at_once(lonely_portfolio) == 2
