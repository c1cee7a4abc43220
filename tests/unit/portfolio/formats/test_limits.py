"""What a document may hold, and how much of it is told: each limit with what it stops."""

from __future__ import annotations

import io
import zipfile

import pytest
from waymark.portfolio.v1 import document_pb2 as pb

from services.portfolio import documenting
from services.portfolio.formats import europass_files, leap2a, leap2a_archive, markup
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


def test_only_so_much_of_an_archive_is_unfolded_and_each_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of which the feed says no hash: many that link to one, and one that is too large."""
    links = "".join(
        f'<entry><id>{number}</id><rdf:type rdf:resource="leap2:resource"/>'
        f'<link rel="enclosure" href="{place}"/></entry>'
        for number, place in enumerate(["one.pdf"] * 3 + ["two.pdf"])
    )
    feed = f'<feed xmlns="{leap2a.ATOM}" xmlns:rdf="{leap2a.RDF}">{links}</feed>'
    made, unfolded = io.BytesIO(), list[str]()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in (("leap2a.xml", feed), ("one.pdf", "1" * 10), ("two.pdf", "2" * 100)):
            archive.writestr(name, content)
    look = leap2a_archive._hash

    def looked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
        unfolded.append(member.filename)
        return look(archive, member)

    monkeypatch.setattr(leap2a_archive, "_hash", looked)
    for most, files in ((109, ["one.pdf"]), (110, ["one.pdf", "two.pdf"])):  # the second is a control
        monkeypatch.setattr(leap2a_archive, "MOST_BYTES", most)
        assert list(read(LEAP, made.getvalue()).packed.values()) == files
        assert unfolded == files
        unfolded.clear()
