"""What a document may hold, and how much of it is told: each limit with what it stops."""

from __future__ import annotations

import io
import zipfile

import pytest
from waymark.portfolio.v1 import document_pb2 as pb

from services.portfolio import documenting
from services.portfolio.formats import europass_files, leap2a_archive, markup
from services.portfolio.formats.format import DocumentBrokenError
from tests.support.documents import full, read, written

LEAP = leap2a_archive.FORMAT


def test_only_so_many_elements_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(europass_files.XML, full())
    assert read(europass_files.XML, content).portfolio.entries  # control
    monkeypatch.setattr(markup, "MAX_ELEMENTS", 50)
    with pytest.raises(DocumentBrokenError, match="elements"):
        read(europass_files.XML, content)


def test_an_archive_has_one_feed_and_so_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(LEAP, full())
    assert read(LEAP, content).portfolio.entries  # control
    with monkeypatch.context() as patch:
        patch.setattr(leap2a_archive, "MAX_MEMBERS", 1)
        with pytest.raises(DocumentBrokenError, match="more than 1 files"):
            read(LEAP, content)
    twice = io.BytesIO(content)
    with zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("other/leap2a.xml", "<feed/>")
    with pytest.raises(DocumentBrokenError, match="or several"):
        read(LEAP, twice.getvalue())


def test_a_report_tells_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    request = pb.ExportDocumentRequest(format=pb.DOCUMENT_FORMAT_EUROPASS_XML)
    assert len(documenting.report(request, full())) > 3  # control
    monkeypatch.setattr(documenting, "MOST_TOLD", 3)
    assert len(documenting.report(request, full())) == 3
