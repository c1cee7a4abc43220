"""Documents of a portfolio: taken along by whom they are of, brought in whole or not at all, and once."""

from __future__ import annotations

import io
import threading
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import cv_pb2, entry_pb2, evidence_pb2, holder_pb2, skill_claim_pb2
from waymark.portfolio.v1 import document_pb2 as pb

from services.portfolio import bringing_in
from services.portfolio.domain import quotas
from services.portfolio.domain.sameness import Known
from tests.support import uploads
from tests.support.portfolio import (
    PDF,
    Caller,
    Portfolio,
    entry,
    evidence_of,
    reason_of,
    refused,
    skill,
)
from tests.support.real_data import real_data

XML, RESUME, LEAP = (
    pb.DOCUMENT_FORMAT_EUROPASS_XML,
    pb.DOCUMENT_FORMAT_JSON_RESUME,
    pb.DOCUMENT_FORMAT_LEAP2A,
)
HTML = pb.DOCUMENT_FORMAT_HTML
CV_PDF = pb.DOCUMENT_FORMAT_PDF
READ = (
    XML,
    RESUME,
    LEAP,
    pb.DOCUMENT_FORMAT_EUROPASS_JSON,
    pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML,
    CV_PDF,
    HTML,
)
EXAMPLE = "portfolio/europass-3.4/Europass_CV_V3.4.0_Example.xml"


def wanted(of: Caller, format_: Any, **fields: Any) -> pb.ExportDocumentRequest:
    return pb.ExportDocumentRequest(name=of.holder, format=format_, **fields)


def export(who: Caller, of: Caller, format_: Any, **fields: Any) -> bytes:
    return b"".join(part.data for part in who.ExportDocument(wanted(of, format_, **fields)))


def bring(person: Caller, content: bytes, format_: Any, **fields: Any) -> pb.ImportDocumentResponse:
    request = pb.ImportDocumentRequest(parent=person.holder, format=format_, content=content, **fields)
    answer: pb.ImportDocumentResponse = person.ImportDocument(request)
    return answer


def without_import(answer: pb.ImportDocumentResponse) -> pb.ImportDocumentResponse:
    """An answer as a dry run gives it, which has no place in the history."""
    assert answer.document_import
    answer.ClearField("document_import")
    return answer


def titles(person: Caller) -> list[str]:
    listed = person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder, page_size=500)).entries
    return [each.title for each in listed]


def skills(person: Caller) -> list[str]:
    request = skill_claim_pb2.ListSkillClaimsRequest(parent=person.holder)
    return [each.concept_uri for each in person.ListSkillClaims(request).skill_claims]


def test_a_real_cv_comes_in_whole_and_once(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Chuck", family_name="Norris")
    content = real_data(EXAMPLE).read_bytes()
    dry = bring(person, content, XML, validate_only=True)
    assert len(dry.entry_titles) == 12
    assert titles(person) == []
    key = str(uuid.uuid4())
    first = bring(person, content, XML, request_id=key)
    assert bring(person, content, XML, request_id=key) == first
    assert without_import(first) == dry
    assert titles(person) == list(first.entry_titles)  # newest first, which is the order of the file
    assert first.holder_fields == ["birth_date", "contact"]
    told = {each.field: each.count for each in first.not_carried}
    assert told["LearnerInfo.Identification.Demographics.Gender.Code"] == 1
    assert told["holder.family_name"] == 1  # there is another, which stays
    holder = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    assert (holder.family_name, holder.birth_date.year) == ("Norris", 1940)
    again = bring(person, content, XML)
    assert (again.duplicates, len(again.entry_titles)) == (12, 0)
    assert len(titles(person)) == 12


def test_what_a_person_has_is_not_brought_twice(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = portfolio.person(given_name="An"), portfolio.person()
    entry(person, organisation="Yard", description={"en": "Welds", "nl": "Last"})
    care = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_CARE_WORK, title="Father", organisation="At home")
    person.CreateEntry(entry_pb2.CreateEntryRequest(parent=person.holder, entry=care))
    skill(person, label={"en": "welding"})
    for format_ in READ:
        content = export(person, person, format_)
        assert not bring(person, content, format_).entry_titles, format_
    assert len(titles(person)) == 2
    resume = export(person, person, RESUME)
    assert bring(other, resume, RESUME).duplicates == 0
    assert titles(other) == titles(person)
    assert skills(other) == skills(person)
    monkeypatch.setattr(Known, "find", lambda *_: None)  # control
    bring(person, resume, RESUME)
    assert len(titles(person)) == 4


@pytest.mark.parametrize(
    ("format_", "bare", "broken"),
    [
        (CV_PDF, "DOCUMENT_WITHOUT_DATA", b"%PDF-1.7 and no more"),
        (HTML, "PAGE_WITHOUT_DATA", b'<link rel="alternate" href="data:text/xml,<Candidate">'),
    ],
    ids=["pdf", "html"],
)
def test_a_page_without_data_is_refused_with_what_to_do(
    portfolio: Portfolio, format_: Any, bare: str, broken: bytes
) -> None:
    person = portfolio.person(given_name="An")
    entry(person)
    version = cv_pb2.Cv(title="Welder", cover_letter="I weld.")
    name = person.CreateCv(cv_pb2.CreateCvRequest(parent=person.holder, cv=version)).name
    letter = export(person, person, format_, cv=name, cover_letter=True)
    for content, reason in ((letter, bare), (broken, "DOCUMENT_UNREADABLE")):
        request = pb.ImportDocumentRequest(parent=person.holder, format=format_, content=content)
        assert reason_of(person.ImportDocument, request) == reason
    assert titles(person) == ["Welder"]
    assert bring(person, export(person, person, format_), format_).duplicates == 1  # control


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_two_imports_at_once_add_once(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """Each waits half a second for the other to have looked as well, which the lock does not let happen."""
    person, content, both = portfolio.person(), real_data(EXAMPLE).read_bytes(), threading.Barrier(2)
    look, get = Known.__init__, bringing_in.holders.get

    def together(self: Known, entries: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        look(self, entries)

    monkeypatch.setattr(Known, "__init__", together)
    careless = SimpleNamespace(
        get=lambda tx, vault, lock: get(tx, vault, lock=locked), replace=lambda *_: None
    )
    monkeypatch.setattr(bringing_in, "holders", careless)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: bring(person, content, XML), range(2)))
    assert len(titles(person)) == (12 if locked else 24)


def test_all_or_nothing(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    content = real_data(EXAMPLE).read_bytes()
    monkeypatch.setitem(quotas.LIMITS, "entries", 11)
    request = pb.ImportDocumentRequest(parent=person.holder, format=XML, content=content)
    assert refused(person.ImportDocument, request).metadata["what"] == "entries"
    assert titles(person) == []
    holder = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    assert not holder.given_name  # what was filled in before the refusal went with it
    monkeypatch.setitem(quotas.LIMITS, "entries", 12)  # control
    assert len(bring(person, content, XML).entry_titles) == 12
    broken = pb.ImportDocumentRequest(parent=person.holder, format=LEAP, content=content)
    assert refused(person.ImportDocument, broken).metadata["found"] == "no Atom feed"


def test_chosen_entries_in_order_and_without_a_name(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Zygmunt", family_name="Peeters")
    first, _, third = (entry(person, title) for title in ("One of Zygmunt", "Two", "Three"))
    page = export(person, person, pb.DOCUMENT_FORMAT_HTML, entries=[third.name, first.name]).decode()
    assert 0 < page.index("Three") < page.index("One of")
    assert "Two" not in page
    assert "<h1>Zygmunt Peeters</h1>" in page
    hidden = export(person, person, pb.DOCUMENT_FORMAT_HTML, anonymous=True).decode()
    assert "Zygmunt" not in hidden
    assert "One of …" in hidden
    assert export(person, person, pb.DOCUMENT_FORMAT_PDF).startswith(b"%PDF-")
    strange = wanted(person, XML, entries=[f"{person.holder}/entries/none"])
    with pytest.raises(grpc.RpcError) as caught:
        list(person.ExportDocument(strange))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_version_says_what_is_shown_and_has_a_letter(portfolio: Portfolio) -> None:
    person, stranger = portfolio.person(given_name="An"), portfolio.person()
    first, second = entry(person, "One"), entry(person, "Two")
    entry(person, "Three")
    version = cv_pb2.Cv(title="Foreman", entries=[first.name, second.name], cover_letter="Dear Sir,\nI weld.")
    made = person.CreateCv(cv_pb2.CreateCvRequest(parent=person.holder, cv=version))
    page = export(person, person, HTML, cv=made.name).decode()
    assert page.index("<p>Foreman</p>") < page.index("One") < page.index("Two")
    assert "Three" not in page
    letter = export(person, person, HTML, cv=made.name, cover_letter=True).decode()
    assert "<p>I weld.</p>" in letter
    assert "One" not in letter
    told = person.GetDocumentReport(wanted(person, RESUME, cv=made.name)).not_carried
    assert [(each.resource, each.field) for each in told] == [
        (made.name, "cv.title"),
        (made.name, "cv.cover_letter"),
    ]
    person.DeleteEntry(entry_pb2.DeleteEntryRequest(name=first.name))
    assert "One" not in export(person, person, HTML, cv=made.name).decode()
    changed = cv_pb2.Cv(name=made.name, title="Welder", entries=[second.name], etag=made.etag)
    update = cv_pb2.UpdateCvRequest(cv=changed)
    assert person.UpdateCv(update).cover_letter == version.cover_letter
    assert reason_of(person.UpdateCv, update) == "ETAG_STALE"
    listed = person.ListCvs(cv_pb2.ListCvsRequest(parent=person.holder)).cvs
    assert [each.title for each in listed] == ["Welder"]
    assert person.GetCv(cv_pb2.GetCvRequest(name=made.name)) == listed[0]
    for wrong, reason in (
        ({"cover_letter": True}, "INVALID_ARGUMENT"),  # of no version
        (
            {"cover_letter": True, "cv": made.name, "anonymous": True},
            "INVALID_ARGUMENT",
        ),  # it names its writer
        ({"cv": f"{stranger.holder}/cvs/x"}, "NOT_FOUND"),
    ):
        request = wanted(person, HTML, **wrong)
        assert reason_of(person.GetDocumentReport, request) == reason
    tabular = wanted(person, XML, cv=made.name, cover_letter=True)
    assert reason_of(person.GetDocumentReport, tabular) == "INVALID_ARGUMENT"
    theirs = cv_pb2.CreateCvRequest(parent=stranger.holder, cv=cv_pb2.Cv(entries=[second.name]))
    assert reason_of(stranger.CreateCv, theirs) == "INVALID_ARGUMENT"
    person.DeleteCv(cv_pb2.DeleteCvRequest(name=made.name))
    assert not person.ListCvs(cv_pb2.ListCvsRequest(parent=person.holder)).cvs


def test_a_report_says_what_a_format_cannot_carry(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="An")
    made = entry(person, description={"en": "Welds", "nl": "Last"})
    report = person.GetDocumentReport(wanted(person, XML, language_code="en")).not_carried
    assert [(each.resource, each.field) for each in report] == [(made.name, "entries.description.nl")]
    assert not person.GetDocumentReport(wanted(person, RESUME)).not_carried


def test_who_looks_is_written_down(portfolio: Portfolio) -> None:
    person, stranger = portfolio.person(given_name="An"), portfolio.person()
    counsellor = portfolio.mandated(person)
    assert export(counsellor, person, RESUME) == export(person, person, RESUME)
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert [record.action for record in records] == ["ExportDocument"]
    for who in (stranger, portfolio.counsellor()):
        with pytest.raises(grpc.RpcError) as caught:
            export(who, person, RESUME)
        assert caught.value.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
    request = pb.ImportDocumentRequest(parent=person.holder, format=XML, content=b"<a/>")
    assert reason_of(counsellor.ImportDocument, request) == "PERMISSION_DENIED"
    assert reason_of(stranger.ImportDocument, request) == "NOT_FOUND"


def without_files(content: bytes) -> bytes:
    """The feed of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.read("leap2a.xml")


def test_an_archive_carries_the_files(portfolio_with_files: Portfolio) -> None:
    person, other = portfolio_with_files.person(), portfolio_with_files.person()
    request = evidence_pb2.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of(title="Diploma"))
    made = person.CreateEvidence(request)
    uploads.put(made.ticket.url, made.ticket.headers, PDF)
    stored = person.FinalizeEvidence(evidence_pb2.FinalizeEvidenceRequest(name=made.evidence.name))
    entry(person, evidence=[stored.name])
    content = export(person, person, LEAP)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read(f"files/{stored.sha256}.pdf") == PDF
    assert not person.GetDocumentReport(wanted(person, LEAP)).not_carried
    assert not bring(person, content, LEAP).not_carried  # the file is here
    feed = without_files(content)
    told = {each.field: each.count for each in bring(other, feed, LEAP, validate_only=True).not_carried}
    assert told == {"evidence": 1, "evidence.file": 1}
    # With the same file there, by a ticket of its own, what it shows is linked to it.
    made = other.CreateEvidence(
        evidence_pb2.CreateEvidenceRequest(parent=other.holder, evidence=evidence_of(title="Diploma"))
    )
    announced = bring(other, feed, LEAP, validate_only=True)
    assert {each.field for each in announced.not_carried} == {"evidence", "evidence.file"}
    uploads.put(made.ticket.url, made.ticket.headers, PDF)
    other.FinalizeEvidence(evidence_pb2.FinalizeEvidenceRequest(name=made.evidence.name))
    assert not bring(other, feed, LEAP).not_carried
    (linked,) = other.ListEntries(entry_pb2.ListEntriesRequest(parent=other.holder)).entries
    assert list(linked.evidence) == [made.evidence.name]
