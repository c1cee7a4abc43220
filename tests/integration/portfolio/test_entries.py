"""Entries and skill claims over the real server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from waymark.portfolio.v1 import cv_pb2, share_link_pb2
from waymark.portfolio.v1 import entry_pb2 as pb
from waymark.portfolio.v1 import entry_revision_pb2 as revisions
from waymark.portfolio.v1 import skill_claim_pb2 as skills

from services.portfolio import jobs
from services.portfolio.domain import quotas
from services.portfolio.store import trash
from services.portfolio.store.entries import ENTRIES
from tests.support.portfolio import ESCO, Caller, Portfolio, entry, reason_of, refused, share, skill

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
    assert person.GetEntry(pb.GetEntryRequest(name=made.name)).HasField("purge_time")
    assert reason_of(person.UpdateEntry, pb.UpdateEntryRequest(entry=pb.Entry(name=made.name))) == "NOT_FOUND"
    assert reason_of(person.DeleteEntry, pb.DeleteEntryRequest(name=made.name)) == "NOT_FOUND"


def listed(caller: Caller, holder: str, **fields: Any) -> list[str]:
    request = pb.ListEntriesRequest(parent=holder, **fields)
    return [each.title for each in caller.ListEntries(request).entries]


def test_what_is_in_the_trash_is_for_its_holder_alone_and_comes_back(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = lonely_portfolio
    person = portfolio.person()
    counsellor, kept, gone = portfolio.mandated(person), entry(person, "kept"), entry(person, "gone")
    person.UpdateEntry(pb.UpdateEntryRequest(entry=pb.Entry(name=gone.name, title="gone later")))
    link = share(person, ["entries"], max_uses=9).token
    person.DeleteEntry(pb.DeleteEntryRequest(name=gone.name))
    assert listed(person, person.holder) == listed(counsellor, person.holder) == ["kept"]
    assert listed(person, person.holder, show_deleted=True) == ["gone later", "kept"]
    peeking = pb.ListEntriesRequest(parent=person.holder, show_deleted=True)
    assert reason_of(counsellor.ListEntries, peeking) == "INVALID_ARGUMENT"
    revision = f"{gone.name}/revisions/1"
    for call, request in (
        (counsellor.GetEntry, pb.GetEntryRequest(name=gone.name)),
        (counsellor.ListEntryRevisions, revisions.ListEntryRevisionsRequest(parent=gone.name)),
        (counsellor.GetEntryRevision, revisions.GetEntryRevisionRequest(name=revision)),
        (person.RollbackEntry, revisions.RollbackEntryRequest(name=gone.name, revision_id="1")),
    ):
        assert reason_of(call, request) == "NOT_FOUND"
    opening = share_link_pb2.OpenShareLinkRequest(token=link)
    assert [each.title for each in portfolio.anybody().OpenShareLink(opening).portfolio.entries] == ["kept"]
    version = cv_pb2.CreateCvRequest(parent=person.holder, cv=cv_pb2.Cv(title="x", entries=[gone.name]))
    assert reason_of(person.CreateCv, version) == "INVALID_ARGUMENT"
    back = person.UndeleteEntry(pb.UndeleteEntryRequest(name=gone.name))
    assert not back.HasField("delete_time")
    assert listed(counsellor, person.holder) == ["gone later", "kept"]
    person.GetEntryRevision(revisions.GetEntryRevisionRequest(name=revision))
    person.DeleteEntry(pb.DeleteEntryRequest(name=gone.name))
    jobs.empty_trash(portfolio.app)
    assert len(listed(person, person.holder, show_deleted=True)) == 2
    monkeypatch.setattr(trash, "IN_TRASH", timedelta(seconds=-1))
    jobs.empty_trash(portfolio.app)
    assert listed(person, person.holder, show_deleted=True) == ["kept"]
    assert person.UndeleteEntry(pb.UndeleteEntryRequest(name=kept.name)) == kept


def test_without_the_condition_the_trash_would_be_shown(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    person = portfolio.person()
    token = share(person, ["entries"]).token
    person.DeleteEntry(pb.DeleteEntryRequest(name=entry(person, "gone").name))
    monkeypatch.setattr(type(ENTRIES), "_there", lambda _: ())
    opening = share_link_pb2.OpenShareLinkRequest(token=token)
    assert portfolio.anybody().OpenShareLink(opening).portfolio.entries[0].title == "gone"


def test_entries_stay_in_the_order_that_they_are_given(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    first, second, third = (entry(person, title).name for title in ("1", "2", "3"))
    assert listed(person, person.holder) == ["3", "2", "1"]
    wanted = pb.ArrangeEntriesRequest(parent=person.holder, names=[first, third])
    assert list(person.ArrangeEntries(wanted).names) == [first, third]
    assert listed(person, person.holder) == ["1", "3", "2"]
    assert listed(person, person.holder, page_size=2) == ["1", "3"]
    entry(person, "4")
    assert listed(person, person.holder) == ["4", "1", "3", "2"]
    for names in ([entry(other).name], ["holders/x/entries/y"]):
        request = pb.ArrangeEntriesRequest(parent=person.holder, names=names)
        assert reason_of(person.ArrangeEntries, request) == "INVALID_ARGUMENT"
    person.DeleteEntry(pb.DeleteEntryRequest(name=second))
    request = pb.ArrangeEntriesRequest(parent=person.holder, names=[second])
    assert reason_of(person.ArrangeEntries, request) == "INVALID_ARGUMENT"


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
