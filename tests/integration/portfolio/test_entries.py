"""Entries and skill claims over the real server."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as pb
from waymark.portfolio.v1 import skill_claim_pb2 as skills

from services.portfolio.domain import quotas
from tests.support.portfolio import ESCO, Portfolio, entry, reason_of, refused, skill

LICENCE = pb.DrivingLicenceDetail(categories=["B", "C1E"])
DETAILS = {
    "EDUCATION": {"education": pb.EducationDetail(eqf_level=4, isced_f_code="0715")},
    "WORK": {"work": pb.WorkDetail(weekly_hours=38)},
    "VOLUNTEERING": {"work": pb.WorkDetail(weekly_hours=4)},
    "CARE_WORK": {"work": pb.WorkDetail()},
    "LANGUAGE": {"language": pb.LanguageDetail(language_code="nl", reading=pb.CEFR_LEVEL_C1)},
    "CERTIFICATE": {"certificate": pb.CertificateDetail(identifier="A-1", expire_date=Date(year=2030))},
    "PROJECT": {},
    "PUBLICATION": {},
    "DRIVING_LICENCE": {"driving_licence": LICENCE},
    "INTEREST": {},
}


@pytest.mark.parametrize("kind", DETAILS)
def test_every_kind_comes_back_as_it_was_given(portfolio: Portfolio, kind: str) -> None:
    person = portfolio.person()
    sent = pb.Entry(
        kind=pb.EntryKind.Value(f"ENTRY_KIND_{kind}"),
        title="Lassen",
        start_date=Date(year=2019, month=9),
        end_date=Date(year=2020),
        description={"nl": "Vier jaar", "en": "Four years"},
        **DETAILS[kind],
    )
    made = person.CreateEntry(pb.CreateEntryRequest(parent=person.holder, entry=sent))
    read = person.GetEntry(pb.GetEntryRequest(name=made.name))
    assert read == made
    for field in ("name", "etag", "create_time", "update_time"):
        read.ClearField(field)
    assert read == sent


@pytest.mark.parametrize(
    "bad",
    [
        pb.Entry(title="no kind"),
        pb.Entry(kind=pb.ENTRY_KIND_WORK, driving_licence=LICENCE),
        pb.Entry(kind=pb.ENTRY_KIND_WORK, start_date=Date(year=2023, month=2, day=30)),
        pb.Entry(kind=pb.ENTRY_KIND_WORK, start_date=Date(year=2023), end_date=Date(year=2022)),
        pb.Entry(kind=pb.ENTRY_KIND_WORK, evidence=["holders/other/evidence/1"]),
        pb.Entry(kind=pb.ENTRY_KIND_WORK, uri="javascript"),
        pb.Entry(
            kind=pb.ENTRY_KIND_CERTIFICATE, certificate=pb.CertificateDetail(expire_date=Date(month=13))
        ),
        pb.Entry(kind=77),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(portfolio: Portfolio, bad: pb.Entry) -> None:
    person = portfolio.person()
    request = pb.CreateEntryRequest(parent=person.holder, entry=bad)
    assert reason_of(person.CreateEntry, request) == "INVALID_ARGUMENT"
    assert not person.ListEntries(pb.ListEntriesRequest(parent=person.holder)).entries


def test_validate_only_writes_nothing(portfolio: Portfolio) -> None:
    person = portfolio.person()
    sent = pb.Entry(kind=pb.ENTRY_KIND_WORK, title="Welder")
    person.CreateEntry(pb.CreateEntryRequest(parent=person.holder, entry=sent, validate_only=True))
    assert not person.ListEntries(pb.ListEntriesRequest(parent=person.holder)).entries


def test_listed_by_page_and_kind_newest_first(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    made = [entry(person, title=f"job {number}").name for number in range(5)]
    project = pb.Entry(kind=pb.ENTRY_KIND_PROJECT)
    person.CreateEntry(pb.CreateEntryRequest(parent=person.holder, entry=project))
    seen, request = [], pb.ListEntriesRequest(parent=person.holder, kind=pb.ENTRY_KIND_WORK, page_size=2)
    while True:
        page = person.ListEntries(request)
        seen += [found.name for found in page.entries]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == made[::-1]
    foreign = pb.ListEntriesRequest(
        parent=other.holder, kind=pb.ENTRY_KIND_WORK, page_size=2, page_token=request.page_token
    )
    assert reason_of(other.ListEntries, foreign) == "PAGE_TOKEN_INVALID"
    request.kind = pb.ENTRY_KIND_PROJECT
    assert reason_of(person.ListEntries, request) == "PAGE_TOKEN_INVALID"


def test_changed_and_removed_under_etags(portfolio: Portfolio) -> None:
    person = portfolio.person()
    made = entry(person)
    change = pb.Entry(name=made.name, title="Welder II", etag=made.etag, work=pb.WorkDetail(weekly_hours=20))
    updated = person.UpdateEntry(pb.UpdateEntryRequest(entry=change))
    assert (updated.title, updated.work.weekly_hours, updated.kind) == ("Welder II", 20, pb.ENTRY_KIND_WORK)
    assert reason_of(person.UpdateEntry, pb.UpdateEntryRequest(entry=change)) == "ETAG_STALE"
    kind = pb.Entry(name=made.name, kind=pb.ENTRY_KIND_PROJECT)
    fixed = pb.UpdateEntryRequest(entry=kind, update_mask=FieldMask(paths=["kind"]))
    assert reason_of(person.UpdateEntry, fixed) == "INVALID_ARGUMENT"
    detail = pb.UpdateEntryRequest(entry=pb.Entry(name=made.name, driving_licence=LICENCE))
    assert reason_of(person.UpdateEntry, detail) == "INVALID_ARGUMENT"
    stale = pb.DeleteEntryRequest(name=made.name, etag=made.etag)
    assert reason_of(person.DeleteEntry, stale) == "ETAG_STALE"
    person.DeleteEntry(pb.DeleteEntryRequest(name=made.name, etag=updated.etag))
    assert reason_of(person.GetEntry, pb.GetEntryRequest(name=made.name)) == "NOT_FOUND"
    assert reason_of(person.DeleteEntry, pb.DeleteEntryRequest(name=made.name)) == "NOT_FOUND"


def test_a_full_portfolio_takes_no_more(portfolio: Portfolio, monkeypatch) -> None:
    person = portfolio.person()
    monkeypatch.setitem(quotas.LIMITS, "entries", 1)
    entry(person)
    sent = pb.CreateEntryRequest(parent=person.holder, entry=pb.Entry(kind=pb.ENTRY_KIND_WORK))
    info = refused(person.CreateEntry, sent)
    assert (info.reason, info.metadata["limit"]) == ("QUOTA_EXCEEDED", "1")


def test_a_skill_is_claimed_once_and_its_freshness_told(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    made = skill(
        person,
        level=skills.SKILL_LEVEL_ADVANCED,
        label={"en": "welding"},
        source=skills.SKILL_SOURCE_EMPLOYER,
    )
    assert made.source == skills.SKILL_SOURCE_SELF
    assert made.freshness == skills.SKILL_FRESHNESS_CURRENT
    assert made.assert_date.year
    assert person.GetSkillClaim(skills.GetSkillClaimRequest(name=made.name)) == made
    again = skills.SkillClaim(concept_uri=ESCO + "welding")
    request = skills.CreateSkillClaimRequest(parent=person.holder, skill_claim=again)
    assert reason_of(person.CreateSkillClaim, request) == "ALREADY_EXISTS"
    skill(other)  # another person may claim the same
    change = skills.SkillClaim(name=made.name, assert_date=Date(year=2010), etag=made.etag)
    old = person.UpdateSkillClaim(skills.UpdateSkillClaimRequest(skill_claim=change))
    assert old.freshness == skills.SKILL_FRESHNESS_STALE
    assert old.level == skills.SKILL_LEVEL_ADVANCED
    listed = person.ListSkillClaims(skills.ListSkillClaimsRequest(parent=person.holder))
    assert list(listed.skill_claims) == [old]
    person.DeleteSkillClaim(skills.DeleteSkillClaimRequest(name=made.name))
    skill(person)


@pytest.mark.parametrize(
    "bad",
    [
        skills.SkillClaim(),
        skills.SkillClaim(concept_uri="welding"),
        skills.SkillClaim(concept_uri=ESCO + "a", assert_date=Date(year=3000)),
        skills.SkillClaim(concept_uri=ESCO + "a", last_used_date=Date(year=2020, month=2, day=31)),
        skills.SkillClaim(concept_uri=ESCO + "a", evidence=["nonsense"]),
    ],
)
def test_a_bad_skill_claim_is_refused(portfolio: Portfolio, bad: skills.SkillClaim) -> None:
    person = portfolio.person()
    request = skills.CreateSkillClaimRequest(parent=person.holder, skill_claim=bad)
    assert reason_of(person.CreateSkillClaim, request) == "INVALID_ARGUMENT"
