"""A CV as PDF: what Europass reads is attached to it, and read again."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from waymark.portfolio.v1 import document_pb2 as pb

from services.platform.confined import running
from services.portfolio.formats import carried_reading, europass_files, pdf_attached
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv, DocumentBrokenError, NothingAttachedError
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from tests.support.documents import NOW, full, read, written

PDF = FORMATS[pb.DOCUMENT_FORMAT_PDF]
CANDIDATE = FORMATS[pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML]
CV = written(CANDIDATE, full())


def attached_to(pdf: bytes) -> dict[str, list[bytes]]:
    """What a PDF has attached, by name."""
    return dict(PdfReader(io.BytesIO(pdf)).attachments)


def pdf_with(*files: tuple[str, bytes], password: str = "") -> bytes:
    """A PDF of one blank page, as others make it."""
    made = PdfWriter()
    made.add_blank_page(100, 100)
    for name, content in files:
        made.add_attachment(name, content)
    if password:
        made.encrypt(password, algorithm="RC4-128")
    packed = io.BytesIO()
    made.write(packed)
    return packed.getvalue()


def test_a_cv_has_attached_what_europass_reads_and_stays_accessible() -> None:
    made = written(PDF, full())
    assert attached_to(made) == {"attachment.xml": [CV]}
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert made == written(PDF, full())  # the same bytes each time
    back = read(PDF, made)
    assert back.portfolio == read(CANDIDATE, CV).portfolio
    assert not back.left
    assert "entries.evidence" in {field for _, field in losses(PDF, full())}


def test_neither_a_letter_nor_an_anonymous_cv_says_more_than_its_page() -> None:
    assert not attached_to(written(PDF, replace(full(), letter="Dear yard")))
    hidden = written(PDF, Cv(anonymised(full().portfolio), "en", NOW))
    (content,) = attached_to(hidden)["attachment.xml"]
    assert b"Maria" not in content
    assert b"Maria" in CV  # control


def test_the_europass_document_is_found_among_what_is_attached() -> None:
    old = written(europass_files.XML, full())
    found = read(
        PDF, pdf_with(("photo.jpg", b"\xff\xd8\xff"), ("a.xml", b"<other/>"), ("cv.xml", b"\n" + old[39:]))
    )
    assert found.portfolio == read(europass_files.XML, old).portfolio
    assert found.left == {"attachment": 2}


def test_a_pdf_with_nothing_to_read_says_so() -> None:
    for content in (pdf_with(), pdf_with(("letter.txt", b"Dear yard")), pdf_with(("a.xml", b"<other/>"))):
        with pytest.raises(NothingAttachedError):
            read(PDF, content)


XXE = b'<!DOCTYPE Candidate [<!ENTITY x SYSTEM "file:///etc/hostname">]><Candidate>&x;</Candidate>'


def deflated(content: bytes) -> bytes:
    """A PDF whose only attached file is packed, without a list of where its parts are."""
    packed = zlib.compress(content)
    return (
        b"%%PDF-1.7\n1 0 obj <</Type/Catalog/Names<</EmbeddedFiles<</Names[(a.xml) 2 0 R]>>>>>> endobj\n"
        b"2 0 obj <</Type/Filespec/F(a.xml)/UF(a.xml)/EF<</F 3 0 R>>>> endobj\n"
        b"3 0 obj <</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream endobj\n"
        b"trailer <</Root 1 0 R/Size 4>>\nstartxref\n0\n%%%%EOF" % (len(packed), packed)
    )


LOOP = b"""%PDF-1.7
1 0 obj <</Type/Catalog/Names<</EmbeddedFiles 2 0 R>>>> endobj
2 0 obj <</Kids[2 0 R]>> endobj
trailer <</Root 1 0 R/Size 3>>
startxref
0
%%EOF"""
HOSTILE = {
    "no PDF": b"hello",
    "empty": b"",
    "cut off": written(PDF, full())[:5000],
    "locked": pdf_with(("attachment.xml", CV), password="secret"),
    "more bytes than a document may have": pdf_with(
        ("attachment.xml", b"<a>" + b" " * carried_reading.MOST_BYTES)
    ),
    "more files than anybody attaches": pdf_with(*((f"{number}.xml", b"<a/>") for number in range(21))),
    "packed bytes without end": deflated(b"<a>" + b" " * carried_reading.MOST_BYTES),
    "a file from this machine": pdf_with(("attachment.xml", XXE)),
    "XML that is cut off": pdf_with(("attachment.xml", CV[:500])),
    "a tree that is its own branch": LOOP,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused(content: bytes) -> None:
    with pytest.raises(DocumentBrokenError):
        read(PDF, content)


@pytest.mark.parametrize(
    ("name", "tight"),
    [
        ("MEMORY", 5_000_000),
        ("ADDRESSES", 30_000_000),
        ("SECONDS", 0),
        ("MOST_FILES", 0),
        ("MOST_BYTES", 100),
    ],
)
def test_each_cap_refuses_and_without_it_the_file_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, tight: int
) -> None:
    content = pdf_with(("attachment.xml", CV))
    assert read(PDF, content).portfolio.entries  # control
    monkeypatch.setattr(carried_reading, name, tight)
    with pytest.raises(DocumentBrokenError, match="no PDF, or"):
        read(PDF, content)


def test_a_task_that_waits_is_given_up(tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.py"
    waiting.write_text("import time\n\ndef main(*_):\n    time.sleep(20)\n")
    assert running.made_of(b"", waiting, running.Limits(1 << 28, 1 << 29, 10, 0.5, 100)) is None
    hurrying = tmp_path / "hurrying.py"
    hurrying.write_text("import sys\n\ndef main(said):\n    print(said, open(0).read())\n")
    made = running.made_of(b"here", hurrying, running.Limits(1 << 28, 1 << 29, 10, 60, 100), "is")
    assert made == b"is here\n"  # control


def test_what_is_attached_is_bounded_where_it_unfolds() -> None:
    packed = deflated(b"<a>" + b" " * 100_000)
    assert len(packed) < 5000
    found, _ = pdf_attached.attached(io.BytesIO(packed), 1, 200_000)
    assert len(found[0]) == 100_003  # control
    with pytest.raises(Exception, match=r"(?i)limit|too much"):
        pdf_attached.attached(io.BytesIO(packed), 1, 50_000)
