"""The malware scan of evidence, by a real server that speaks the scanner's protocol."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from waymark.portfolio.v1 import document_pb2, page_pb2, page_submission_pb2
from waymark.portfolio.v1 import evidence_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.objects.clamd import Clamd
from services.portfolio import jobs, scanning
from services.portfolio.api import evidence as evidence_api
from services.portfolio.domain import scan_states
from services.portfolio.store import evidence as store
from tests.integration.portfolio.test_evidence import announce, finalize, put, stored
from tests.support.clamd import EICAR, Scanner, scanner
from tests.support.pages import handing_in, page
from tests.support.portfolio import PDF, Caller, Portfolio, reason_of, refused

INFECTED = PDF + EICAR
LEAP2A = document_pb2.DOCUMENT_FORMAT_LEAP2A


@pytest.fixture
def scans(portfolio_with_files: Portfolio) -> Iterator[Scanner]:
    """The scanner of the portfolio; without this fixture it has none."""
    with scanner() as there:
        portfolio_with_files.app.scanner = Clamd(there.address)
        yield there
        portfolio_with_files.app.scanner = None


def download(caller: Caller, file: pb.Evidence) -> str:
    """How a download ends: OK or the reason."""
    request = pb.GetEvidenceDownloadRequest(name=file.name)
    try:
        caller.GetEvidenceDownload(request)
    except Exception:
        return reason_of(caller.GetEvidenceDownload, request)
    return "OK"


def read(person: Caller, file: pb.Evidence) -> pb.Evidence:
    answer: pb.Evidence = person.GetEvidence(pb.GetEvidenceRequest(name=file.name))
    return answer


def gone(portfolio: Portfolio, file: pb.Evidence) -> bool:
    try:
        portfolio.app.objects.open(store.BUCKET, file.name.rpartition("/")[2]).close()
    except Refusal:
        return True
    return False


def test_scanned_before_anybody_has_it(portfolio_with_files: Portfolio, scans: Scanner) -> None:
    person = portfolio_with_files.person()
    clean = stored(person)
    assert (clean.scan_state, scans.scanned) == (pb.Evidence.SCAN_STATE_CLEAN, [len(PDF)])
    assert download(person, clean) == "OK"
    made = announce(person, INFECTED)
    put(made, INFECTED).raise_for_status()
    info = refused(person.FinalizeEvidence, finalize(made.evidence.name))
    assert (info.reason, info.metadata["found"]) == ("EVIDENCE_INFECTED", "Eicar-Signature")
    assert download(person, made.evidence) == "WRONG_STATE"
    assert gone(portfolio_with_files, made.evidence)
    assert reason_of(person.FinalizeEvidence, finalize(made.evidence.name)) == "UPLOAD_MISSING"


def test_held_while_the_scanner_is_away_and_scanned_afterwards(
    portfolio_with_files: Portfolio, scans: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, person = portfolio_with_files.app, portfolio_with_files.person()
    there, app.scanner = app.scanner, Clamd("127.0.0.1:1")
    good, bad = stored(person), stored(person, INFECTED, title="bad")
    assert good.scan_state == bad.scan_state == pb.Evidence.SCAN_STATE_PENDING
    counsellor = portfolio_with_files.mandated(person)
    assert {download(each, good) for each in (person, counsellor)} == {"EVIDENCE_SCAN_PENDING"}
    export = document_pb2.ExportDocumentRequest(name=person.holder, format=LEAP2A)
    archive = b"".join(part.data for part in person.ExportDocument(export))
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["leap2a.xml"]
    told = person.GetDocumentReport(export).not_carried
    assert [(each.resource, each.field) for each in told][:2] == [
        (each.name, "evidence.file") for each in sorted([good, bad], key=lambda file: file.name)
    ]
    scanning.scan_the_rest(app)  # the scanner is still away
    assert read(person, good) == good
    app.scanner = there
    scanning.scan_the_rest(app)
    states = [read(person, each).scan_state for each in (good, bad)]
    assert states == [pb.Evidence.SCAN_STATE_CLEAN, pb.Evidence.SCAN_STATE_INFECTED]
    assert [download(person, each) for each in (good, bad)] == ["OK", "EVIDENCE_INFECTED"]
    assert [gone(portfolio_with_files, each) for each in (good, bad)] == [False, True]
    before = len(scans.scanned)
    scanning.scan_the_rest(app)
    assert len(scans.scanned) == before
    monkeypatch.setattr(scan_states, "_HELD", {})  # control: without the rule the address is given
    assert download(person, stored_unscanned(portfolio_with_files, person)) == "OK"


def test_what_was_handed_in_with_a_page_goes_by_what_a_scan_has_found_since(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, reader = portfolio_with_files.person(), portfolio_with_files.counsellor()
    file = stored(person)
    shown = page(person, page_pb2.PageBlock(evidence=file.name)).name
    handed_in = person.CreatePageSubmission(
        handing_in(person, shown, reader, portfolio_with_files.organisation)
    ).name
    asked = page_submission_pb2.GetSubmittedFileRequest(name=handed_in, evidence=file.name)
    assert reader.GetSubmittedFile(asked).url
    with transaction(portfolio_with_files.app) as tx:
        store.set_scan_state(tx, file.name.rpartition("/")[2], pb.Evidence.SCAN_STATE_INFECTED)
    assert reason_of(reader.GetSubmittedFile, asked) == "EVIDENCE_INFECTED"
    monkeypatch.setattr(scan_states, "_HELD", {})  # control: without the rule the address is given
    assert reader.GetSubmittedFile(asked).url


def stored_unscanned(portfolio: Portfolio, person: Caller) -> pb.Evidence:
    there, portfolio.app.scanner = portfolio.app.scanner, Clamd("127.0.0.1:1")
    file = stored(person)
    portfolio.app.scanner = there
    assert file.scan_state == pb.Evidence.SCAN_STATE_PENDING
    return file


def test_too_large_for_the_scanner_is_the_holders_own(
    portfolio_with_files: Portfolio, scans: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio_with_files.person()
    scans.limit = len(PDF) - 1
    file = stored(person)
    assert file.scan_state == pb.Evidence.SCAN_STATE_TOO_LARGE
    counsellor = portfolio_with_files.mandated(person)
    assert (download(person, file), download(counsellor, file)) == ("OK", "EVIDENCE_TOO_LARGE_TO_SCAN")
    monkeypatch.setattr(scanning, "AT_ONCE", len(PDF) - 1)  # nobody waits for a scan that takes long
    assert stored(person).scan_state == pb.Evidence.SCAN_STATE_PENDING


def test_without_a_scanner_it_says_so_until_there_is_one(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    file = stored(person)
    assert file.scan_state == pb.Evidence.SCAN_STATE_NOT_SCANNED
    assert download(person, file) == "OK"
    with scanner() as there:
        portfolio_with_files.app.scanner = Clamd(there.address)
        scanning.scan_the_rest(portfolio_with_files.app)
        portfolio_with_files.app.scanner = None
    assert read(person, file).scan_state == pb.Evidence.SCAN_STATE_CLEAN


def test_what_a_crash_leaves_of_malware_is_swept(
    portfolio_with_files: Portfolio, scans: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"waymark-portfolio-{uuid.uuid4().hex}"  # the sweep must not meet other tests' files
    for module in (jobs, evidence_api, store):
        monkeypatch.setattr(module, "BUCKET", own)
    app, person = portfolio_with_files.app, portfolio_with_files.person()
    there, app.scanner = app.scanner, None
    bad = stored(person, INFECTED)
    app.scanner = there
    with monkeypatch.context() as patch:
        patch.setattr(app.objects, "delete", lambda *_: None)
        scanning.scan_the_rest(app)
    assert not gone(portfolio_with_files, bad)
    monkeypatch.setattr(jobs, "ORPHAN", timedelta(seconds=-60))
    jobs.sweep_evidence(app)
    assert gone(portfolio_with_files, bad)
