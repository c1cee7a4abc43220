"""Documents that are too large for a request: uploaded by a ticket, brought in from there, and then gone."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import holder_pb2

from services.portfolio import incoming
from services.portfolio.formats.formats import FORMATS
from tests.integration.portfolio.test_documents import bring, export, titles, without_import
from tests.integration.portfolio.test_erasure import erase_request
from tests.support import uploads
from tests.support.pdf import with_photo
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, refused

PDF, HTML, RESUME = pb.DOCUMENT_FORMAT_PDF, pb.DOCUMENT_FORMAT_HTML, pb.DOCUMENT_FORMAT_JSON_RESUME
LARGEST = 20 << 20  # bytes


def said(content: bytes) -> pb.UploadedDocument:
    return pb.UploadedDocument(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def put(person: Caller, content: bytes) -> pb.UploadedDocument:
    """Uploads a document."""
    document = said(content)
    ticket = person.UploadDocument(pb.UploadDocumentRequest(parent=person.holder, document=document))
    uploads.put(ticket.url, ticket.headers, content).raise_for_status()
    return document


def wanted(person: Caller, document: pb.UploadedDocument, format_: Any = PDF) -> pb.ImportDocumentRequest:
    return pb.ImportDocumentRequest(parent=person.holder, format=format_, upload=document)


def kept(portfolio: Portfolio) -> set[str]:
    """What is in the store of documents, of everybody."""
    return set(portfolio.app.objects.keys(incoming.BUCKET, ""))


@pytest.fixture
def written(portfolio_with_files: Portfolio) -> tuple[Caller, bytes]:
    """Somebody with an entry, and their CV as PDF."""
    person = portfolio_with_files.person(given_name="An")
    entry(person)
    return person, export(person, person, PDF)


def test_the_largest_pdf_is_brought_in_once_and_goes(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, before = portfolio_with_files.person(), kept(portfolio_with_files)
    content = with_photo(written[1], LARGEST)
    assert len(content) == LARGEST
    request = wanted(other, put(other, content))
    request.request_id = str(uuid.uuid4())
    dry = pb.ImportDocumentRequest(parent=other.holder, format=PDF, upload=request.upload, validate_only=True)
    would = other.ImportDocument(dry)
    assert list(would.entry_titles) == ["Welder"]
    assert titles(other) == []
    assert len(kept(portfolio_with_files) - before) == 1
    first = other.ImportDocument(request)
    assert titles(other) == ["Welder"]
    assert kept(portfolio_with_files) == before
    assert other.ImportDocument(request) == first  # the same request, although the document is gone
    with monkeypatch.context() as patch:  # it went just after this one had looked
        patch.setattr(portfolio_with_files.app.objects, "verify", lambda *_: None)
        assert other.ImportDocument(request) == first
    assert without_import(first) == would
    request.request_id = str(uuid.uuid4())
    assert reason_of(other.ImportDocument, request) == "UPLOAD_MISSING"


def test_a_page_and_data_come_in_the_same_way(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes]
) -> None:
    person, other = written[0], portfolio_with_files.person()
    page = export(person, person, HTML) + b"<p>" + b" " * 1_000_000
    assert other.ImportDocument(wanted(other, put(other, page), HTML)).entry_titles == ["Welder"]
    resume = export(person, person, RESUME) + b" " * 1_000_000
    assert other.ImportDocument(wanted(other, put(other, resume), RESUME)).duplicates == 1


@pytest.mark.parametrize("more", [0, 1], ids=["control", "too large"])
def test_a_document_may_be_so_large_and_no_larger(portfolio_with_files: Portfolio, more: int) -> None:
    person = portfolio_with_files.person()
    document = pb.UploadedDocument(size_bytes=LARGEST + more, sha256="0" * 64)
    ask = pb.UploadDocumentRequest(parent=person.holder, document=document)
    if more:
        assert reason_of(person.UploadDocument, ask) == "INVALID_ARGUMENT"
        assert reason_of(person.ImportDocument, wanted(person, document)) == "INVALID_ARGUMENT"
    else:
        assert person.UploadDocument(ask).headers["Content-Length"] == str(LARGEST)
        assert reason_of(person.ImportDocument, wanted(person, document)) == "UPLOAD_MISSING"


def test_each_format_has_a_cap(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    person, resume = written[0], export(written[0], written[0], RESUME)
    content = resume + b" " * ((4 << 20) + 1 - len(resume))
    found = refused(person.ImportDocument, wanted(person, put(person, content), RESUME))
    assert (found.reason, found.metadata["found"]) == ("DOCUMENT_UNREADABLE", "more than 4194304 bytes")
    monkeypatch.setitem(FORMATS, RESUME, replace(FORMATS[RESUME], most_bytes=LARGEST))  # control
    assert person.ImportDocument(wanted(person, put(person, content), RESUME)).duplicates == 1


def test_either_bytes_or_an_upload(written: tuple[Caller, bytes]) -> None:
    person, content = written
    both = pb.ImportDocumentRequest(parent=person.holder, format=PDF, content=content, upload=said(content))
    neither = pb.ImportDocumentRequest(parent=person.holder, format=PDF)
    for request in (both, neither):
        assert reason_of(person.ImportDocument, request) == "INVALID_ARGUMENT"
    assert bring(person, content, PDF).duplicates == 1  # control


def test_what_cannot_be_read_goes_too(portfolio_with_files: Portfolio) -> None:
    person, before = portfolio_with_files.person(), kept(portfolio_with_files)
    for content, reason in (
        (b"%PDF-1.7 and no more" + secrets.token_bytes(800_000), "DOCUMENT_UNREADABLE"),
        (b"<h1>CV</h1>" + b" " * 800_000, "PAGE_WITHOUT_DATA"),
    ):
        format_ = PDF if content.startswith(b"%PDF") else HTML
        assert reason_of(person.ImportDocument, wanted(person, put(person, content), format_)) == reason
        assert kept(portfolio_with_files) == before


def test_a_person_has_one_place_and_nobody_elses(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes]
) -> None:
    (person, content), other = written, portfolio_with_files.person()
    before = kept(portfolio_with_files)
    first, second = put(person, content), put(person, content + b" ")
    (place,) = kept(portfolio_with_files) - before
    assert person.subject not in place
    assert reason_of(other.ImportDocument, wanted(other, second)) == "UPLOAD_MISSING"
    theirs = pb.ImportDocumentRequest(parent=person.holder, format=PDF, upload=second)
    assert reason_of(other.ImportDocument, theirs) == "NOT_FOUND"
    assert person.ImportDocument(wanted(person, second)).duplicates == 1  # control
    put(person, content + b" ")
    assert reason_of(person.ImportDocument, wanted(person, first)) == "UPLOAD_MISMATCH"
    assert kept(portfolio_with_files) == before


@pytest.mark.parametrize("looked_at", [False, True], ids=["uploaded", "checked"])
def test_a_document_goes_with_its_person(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes], looked_at: bool
) -> None:
    person, before = written[0], kept(portfolio_with_files)
    document = put(person, written[1])
    if looked_at:
        request = wanted(person, document)
        request.validate_only = True
        person.ImportDocument(request)
    person.EraseHolder(erase_request(person, validate_only=True))
    assert len(kept(portfolio_with_files) - before) == 1  # control
    person.EraseHolder(erase_request(person))
    assert kept(portfolio_with_files) == before


def test_a_document_that_nobody_brings_in_goes(
    portfolio_with_files: Portfolio, written: tuple[Caller, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    person, before = written[0], kept(portfolio_with_files)
    put(person, written[1])
    incoming.sweep(portfolio_with_files.app)
    assert kept(portfolio_with_files) > before  # control: it is on its way
    monkeypatch.setattr(incoming, "LEFT", timedelta(seconds=-5))
    incoming.sweep(portfolio_with_files.app)
    assert not kept(portfolio_with_files)
    assert person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).given_name == "An"
