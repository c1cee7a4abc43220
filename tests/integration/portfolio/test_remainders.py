"""What documents say beyond a portfolio: kept for the holder alone, written into the same format, and gone
with what it belongs to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import false
from waymark.portfolio.v1 import cv_pb2, entry_pb2
from waymark.portfolio.v1 import document_pb2 as documents
from waymark.portfolio.v1 import remainder_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio.formats.page import as_html
from services.portfolio.store import keeping, tables
from tests.integration.portfolio.test_documents import bring, export, wanted, without_import
from tests.integration.portfolio.test_rights import held
from tests.support.candidates import RICH
from tests.support.documents import full
from tests.support.portfolio import Caller, Portfolio, reason_of
from tests.support.real_data import real_data
from tests.unit.portfolio.formats.test_candidate_round_trips import leaves as candidate_leaves
from tests.unit.portfolio.formats.test_leap2a_round_trips import leaves
from tests.unit.portfolio.formats.test_pdf import pdf_with

CANDIDATE = documents.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML
LEAP = documents.DOCUMENT_FORMAT_LEAP2A
PDF, HTML = documents.DOCUMENT_FORMAT_PDF, documents.DOCUMENT_FORMAT_HTML
MAHARA = "portfolio/leap2a/2010-10-16_Mahara_v1-3_leap2a.xml"
JSON, XML = documents.DOCUMENT_FORMAT_EUROPASS_JSON, documents.DOCUMENT_FORMAT_EUROPASS_XML
SECTOR = "LearnerInfo.WorkExperience.Employer.Sector"
GENDER = "LearnerInfo.Identification.Demographics.Gender"


def carrying_pdf(content: bytes) -> bytes:
    return pdf_with(("attachment.xml", content))


def carrying_page(content: bytes) -> bytes:
    """A page of our look that carries this document."""
    return as_html(full(), content)


def document(gender: str = "F", sector: str = "Fishing") -> bytes:
    """A CV with one thing of the person and one of a job that a portfolio has no place for."""
    learner = {
        "Identification": {"Demographics": {"Gender": {"Code": gender}}},
        "WorkExperience": [{"Position": {"Label": "Cook"}, "Employer": {"Sector": {"Label": sector}}}],
    }
    return json.dumps({"SkillsPassport": {"LearnerInfo": learner}}).encode()


def kept(person: Caller) -> Sequence[pb.Remainder]:
    request = pb.ListRemaindersRequest(parent=person.holder)
    answer: pb.ListRemaindersResponse = person.ListRemainders(request)
    return answer.remainders


def paths(person: Caller) -> set[str]:
    return {part.path for each in kept(person) for part in each.parts}


def test_what_is_kept_goes_back_for_the_holder_alone(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="An")
    counsellor = portfolio.mandated(person)
    dry = bring(person, document(), JSON, validate_only=True)
    assert not kept(person)
    assert without_import(bring(person, document(), JSON)) == dry
    assert {each.field for each in dry.not_carried if each.set_aside} == {f"{GENDER}.Code", f"{SECTOR}.Label"}
    assert paths(person) == {GENDER, SECTOR}
    (cook,) = person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    assert [each.entry for each in kept(person)] == [cook.name, ""]
    whole = export(person, person, JSON)
    assert b"Fishing" in whole
    assert b'"F"' in whole
    version = person.CreateCv(cv_pb2.CreateCvRequest(parent=person.holder, cv=cv_pb2.Cv(title="Cook")))
    some: list[dict[str, Any]] = [
        {"anonymous": True},
        {"entries": [cook.name]},
        {"cv": version.name},
        {"without_remainders": True},
    ]
    for fields in some:
        assert b"Fishing" not in export(person, person, JSON, **fields), fields
    assert b"Fishing" not in export(person, person, XML)  # it is put back where it stood, and there alone
    assert b"Fishing" not in export(counsellor, person, JSON)
    asked = pb.ListRemaindersRequest(parent=person.holder)
    assert reason_of(counsellor.ListRemainders, asked) == "PERMISSION_DENIED"
    assert reason_of(portfolio.person().ListRemainders, asked) == "NOT_FOUND"


def test_each_can_be_removed_and_the_next_document_takes_their_place(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="An")
    bring(person, document(), JSON)
    (gender,) = (each for each in kept(person) if not each.entry)
    person.DeleteRemainder(pb.DeleteRemainderRequest(name=gender.name))
    assert paths(person) == {SECTOR}
    assert b'"F"' not in export(person, person, JSON)
    again = bring(person, document("M", "Farming"), JSON)
    assert again.duplicates == 1
    assert (len(kept(person)), paths(person)) == (2, {GENDER, SECTOR})
    written = export(person, person, JSON)
    assert b"Farming" in written
    assert b"Fishing" not in written
    bring(person, b"<SkillsPassport/>", XML)  # of another format
    assert len(kept(person)) == 2


def test_what_belongs_to_an_entry_goes_with_it(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="An")
    bring(person, document(), JSON)
    (cook,) = person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    person.DeleteEntry(entry_pb2.DeleteEntryRequest(name=cook.name))
    assert b"Fishing" not in export(person, person, JSON)
    report = person.GetDocumentReport(wanted(person, JSON)).not_carried
    assert {each.field for each in report if "/remainders/" in each.resource} == {SECTOR}
    person.UndeleteEntry(entry_pb2.UndeleteEntryRequest(name=cook.name))
    assert b"Fishing" in export(person, person, JSON)
    with transaction(portfolio.app) as tx:
        tx.execute(tables.entries.delete().where(tables.entries.c.holder_id == person.subject))
    assert paths(person) == {GENDER}


def test_a_legal_hold_keeps_what_was_set_aside(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person(given_name="An")
    bring(person, document(), JSON)
    held(portfolio, person)
    request = pb.DeleteRemainderRequest(name=kept(person)[0].name)
    assert reason_of(person.DeleteRemainder, request) == "ERASURE_HELD"
    told = bring(person, document("M", "Farming"), JSON).not_carried
    assert not any(each.set_aside for each in told)
    assert b"Fishing" in export(person, person, JSON)
    monkeypatch.setattr(keeping, "is_held", lambda _: false())  # control
    bring(person, document("M", "Farming"), JSON)
    assert b"Fishing" not in export(person, person, JSON)


def test_a_real_feed_comes_out_of_a_portfolio_as_it_came_in(portfolio: Portfolio) -> None:
    person, content = (
        portfolio.person(given_name="Hans", family_name="Muster"),
        real_data(MAHARA).read_bytes(),
    )
    told = bring(person, content, LEAP).not_carried
    assert {each.field for each in told if not each.set_aside} == {"evidence", "evidence.file"}
    # No file is here: a post does not say that it is related to one. What the feed says of files is kept.
    after = leaves(export(person, person, LEAP, journal_and_plans=True))
    links = {
        f"portfolio:artefact45/link.related@{each}" for each in ("href=portfolio:artefact42", "rel=related")
    }
    assert set(leaves(content) - after) == links
    assert after["portfolio:artefact46"] == 1
    without = leaves(export(person, person, LEAP))
    assert not {"portfolio:artefact12", "portfolio:artefact85", "portfolio:view5"} & without.keys()
    assert "portfolio:artefact25" in without  # control: an occupation is nothing of a journal
    version = person.CreateCv(cv_pb2.CreateCvRequest(parent=person.holder, cv=cv_pb2.Cv(title="Teacher")))
    assert "portfolio:artefact25" not in leaves(export(person, person, LEAP, cv=version.name))
    bring(person, content, LEAP)
    again = leaves(export(person, person, LEAP, journal_and_plans=True))
    assert again == after


def test_a_candidate_document_comes_out_of_a_portfolio_as_it_came_in(portfolio: Portfolio) -> None:
    person = portfolio.person()
    told = bring(person, RICH.encode(), CANDIDATE, language_code="nl").not_carried
    assert told
    assert all(each.set_aside or each.field.startswith("holder.") for each in told)
    after = candidate_leaves(export(person, person, CANDIDATE, language_code="nl"))
    assert not candidate_leaves(RICH) - after
    bare = export(person, person, CANDIDATE, language_code="nl", without_remainders=True)  # control
    assert len(candidate_leaves(RICH) - candidate_leaves(bare)) > 30
    bring(person, RICH.encode(), CANDIDATE, language_code="nl")
    assert candidate_leaves(export(person, person, CANDIDATE, language_code="nl")) == after


@pytest.mark.parametrize(
    ("format_", "carrying"), [(PDF, carrying_pdf), (HTML, carrying_page)], ids=["pdf", "html"]
)
def test_what_a_pdf_or_page_carries_is_kept_as_if_it_came_alone(
    portfolio: Portfolio, format_: Any, carrying: Callable[[bytes], bytes]
) -> None:
    alone, person = portfolio.person(), portfolio.person()
    told = bring(alone, RICH.encode(), CANDIDATE, language_code="nl").not_carried
    assert bring(person, carrying(RICH.encode()), format_, language_code="nl").not_carried == told
    after = candidate_leaves(export(person, person, CANDIDATE, language_code="nl"))
    assert not candidate_leaves(RICH) - after
    ours = export(person, person, format_, language_code="nl")
    assert not any(each.set_aside for each in bring(person, ours, format_, language_code="nl").not_carried)
    assert candidate_leaves(export(person, person, CANDIDATE, language_code="nl")) == after
    bring(
        person, export(person, person, CANDIDATE, without_remainders=True), CANDIDATE
    )  # control: takes its place
    assert len(kept(person)) < len(kept(alone))


def test_two_alike_are_one_and_what_was_said_of_both_is_kept(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="An")
    job = {"Position": {"Label": "Cook"}, "Employer": {"Sector": {"Label": "Fishing"}}}
    learner = {"WorkExperience": [job, job | {"Employer": {"Sector": {"Code": "A"}}}]}
    bring(person, json.dumps({"SkillsPassport": {"LearnerInfo": learner}}).encode(), JSON)
    (cook,) = person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    assert {each.entry for each in kept(person)} == {cook.name}
