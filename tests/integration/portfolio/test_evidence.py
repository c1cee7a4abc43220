"""Evidence over the real server and a real object store."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1.page_pb2 import PageBlock
from waymark.portfolio.v1.page_submission_pb2 import GetSubmittedFileRequest, GetSubmittedPagesRequest

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.api import evidence as evidence_api
from services.portfolio.domain import quotas
from services.portfolio.store import evidence as evidence_store
from tests.support import uploads
from tests.support.pages import handing_in, page
from tests.support.portfolio import PDF, Caller, Portfolio, entry, evidence_of, reason_of, refused


def announce(person: Caller, body: bytes = PDF, **fields: Any) -> pb.CreateEvidenceResponse:
    request = pb.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of(body, **fields))
    return person.CreateEvidence(request)


def put(made: pb.CreateEvidenceResponse, body: bytes = PDF) -> httpx.Response:
    return uploads.put(made.ticket.url, made.ticket.headers, body)


def finalize(name: str) -> pb.FinalizeEvidenceRequest:
    return pb.FinalizeEvidenceRequest(name=name)


def stored(person: Caller, body: bytes = PDF, **fields: Any) -> pb.Evidence:
    made = announce(person, body, **fields)
    put(made, body).raise_for_status()
    return person.FinalizeEvidence(finalize(made.evidence.name))


def test_the_recipient_of_a_page_downloads_the_files_on_it(portfolio_with_files: Portfolio) -> None:
    person, recipient = portfolio_with_files.person(), portfolio_with_files.counsellor()
    shown, other = stored(person), stored(person, PDF + b"other")
    waiting = announce(person, PDF + b"third").evidence
    made = page(person, PageBlock(evidence=shown.name), PageBlock(evidence=waiting.name))
    handed_in = handing_in(person, made.name, recipient, portfolio_with_files.organisation)
    name = person.CreatePageSubmission(handed_in).name
    (only,) = recipient.GetSubmittedPages(GetSubmittedPagesRequest(name=name)).pages[0].items
    assert only.evidence == shown
    file = GetSubmittedFileRequest(name=name, evidence=shown.name)
    assert shown.name.rpartition("/")[2] in recipient.GetSubmittedFile(file).url
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert (records[0].action, records[0].grant) == ("GetSubmittedFile", name)
    file.evidence = other.name
    assert reason_of(recipient.GetSubmittedFile, file) == "NOT_FOUND"


def test_announced_uploaded_checked_and_downloaded(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    made = announce(person, title="Welding certificate")
    name = made.evidence.name
    download = pb.GetEvidenceDownloadRequest(name=name)
    assert made.evidence.state == pb.Evidence.STATE_AWAITING_UPLOAD
    assert reason_of(person.FinalizeEvidence, finalize(name)) == "UPLOAD_MISSING"
    assert reason_of(person.GetEvidenceDownload, download) == "WRONG_STATE"
    put(made).raise_for_status()
    done = person.FinalizeEvidence(finalize(name))
    assert done.state == pb.Evidence.STATE_STORED
    assert person.FinalizeEvidence(finalize(name)) == done
    assert person.GetEvidence(pb.GetEvidenceRequest(name=name)) == done
    assert list(person.ListEvidence(pb.ListEvidenceRequest(parent=person.holder)).evidence) == [done]
    address = person.GetEvidenceDownload(download)
    assert "certificate" not in address.url  # what the holder calls the file stays out of addresses
    answer = httpx.get(address.url)
    assert hashlib.sha256(answer.content).hexdigest() == done.sha256  # I7
    assert answer.headers["content-disposition"].startswith("attachment")
    assert entry(person, evidence=[name]).evidence == [name]


@pytest.mark.parametrize("body", [PDF[:-1], b"X" + PDF[1:], PDF + b"more"])
def test_other_bytes_than_announced_are_never_stored(portfolio_with_files: Portfolio, body: bytes) -> None:
    person = portfolio_with_files.person()
    made = announce(person)
    headers = dict(made.ticket.headers) | {"Content-Length": str(len(body))}
    uploads.put(made.ticket.url, headers, body)
    reason = reason_of(person.FinalizeEvidence, finalize(made.evidence.name))
    assert reason in {"UPLOAD_MISSING", "UPLOAD_MISMATCH"}
    read = person.GetEvidence(pb.GetEvidenceRequest(name=made.evidence.name))
    assert read.state == pb.Evidence.STATE_AWAITING_UPLOAD


def test_bytes_of_another_type_are_refused(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    body = b"<html><script>alert(1)</script></html>"
    made = announce(person, body)
    put(made, body)
    info = refused(person.FinalizeEvidence, finalize(made.evidence.name))
    assert (info.reason, info.metadata["field"]) == ("UPLOAD_MISMATCH", "content_type")


@pytest.mark.parametrize(
    "bad",
    [
        {"content_type": "text/html"},
        {"size_bytes": 0},
        {"size_bytes": 2_000_000_001},
        {"sha256": "abc"},
        {"file_name": "../../etc/passwd"},
        {"file_name": ""},
    ],
)
def test_a_bad_announcement_is_refused(portfolio_with_files: Portfolio, bad: dict) -> None:
    person = portfolio_with_files.person()
    request = pb.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of(**bad))
    assert reason_of(person.CreateEvidence, request) == "INVALID_ARGUMENT"


def test_no_more_bytes_than_the_quota(portfolio_with_files: Portfolio, monkeypatch) -> None:
    person = portfolio_with_files.person()
    monkeypatch.setattr(quotas, "EVIDENCE_BYTES", len(PDF) + 1)
    listing = pb.ListEvidenceRequest(parent=person.holder, page_size=1)
    assert person.ListEvidence(listing).used_bytes == 0
    announce(person)
    request = pb.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of())
    assert reason_of(person.CreateEvidence, request) == "QUOTA_EXCEEDED"
    listed = person.ListEvidence(listing)
    assert (listed.used_bytes, listed.max_bytes) == (len(PDF), len(PDF) + 1)


def test_a_counsellors_download_is_logged(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    done = stored(person)
    counsellor = portfolio_with_files.mandated(person)
    url = counsellor.GetEvidenceDownload(pb.GetEvidenceDownloadRequest(name=done.name)).url
    assert httpx.get(url).content == PDF
    (record,) = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert (record.action, record.resource) == ("GetEvidenceDownload", done.name)
    assert reason_of(counsellor.FinalizeEvidence, finalize(done.name)) == "NOT_FOUND"
    assert reason_of(portfolio_with_files.person().FinalizeEvidence, finalize(done.name)) == "NOT_FOUND"


def test_swept_are_objects_without_a_row_only(portfolio_with_files: Portfolio, monkeypatch) -> None:
    person, bucket = portfolio_with_files.person(), f"waymark-portfolio-{uuid.uuid4().hex}"
    for module in (
        jobs,
        evidence_api,
        evidence_store,
    ):  # a bucket of its own: the sweep must not meet other tests' files
        monkeypatch.setattr(module, "BUCKET", bucket)
    kept, lost = stored(person), stored(person)
    monkeypatch.setattr(jobs, "ORPHAN", timedelta(seconds=-60))
    with transaction(portfolio_with_files.app) as tx:
        tx.execute(text("DELETE FROM evidence WHERE id = :id"), {"id": lost.name[-36:]})
    jobs.sweep_evidence(portfolio_with_files.app)
    objects = portfolio_with_files.app.objects
    with objects.open(bucket, kept.name[-36:]) as stream:
        assert b"".join(stream) == PDF
    with pytest.raises(Exception, match="NOT_FOUND"):
        objects.open(bucket, lost.name[-36:])
