"""What the command line sends of a document."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli import cv, leap2a
from services.cli.cv import DocumentFormat
from services.cli.exits import Failure
from services.portfolio.formats import europass_files
from tests.support.documents import full, written
from tests.unit.portfolio.formats.test_pdf import CV, pdf_with

OLD = written(europass_files.XML, full())


@pytest.mark.parametrize(
    ("attached", "format_"),
    [(CV, DocumentFormat.EUROPASS_CANDIDATE_XML), (OLD, DocumentFormat.EUROPASS_XML)],
    ids=["candidate", "cv 3"],
)
def test_of_a_pdf_that_is_too_large_what_is_attached_goes(
    tmp_path: Path, attached: bytes, format_: DocumentFormat
) -> None:
    file = tmp_path / "cv.pdf"
    small = pdf_with(("attachment.xml", attached))
    file.write_bytes(small)
    assert cv._document(file, DocumentFormat.PDF) == (DocumentFormat.PDF, small)  # control
    file.write_bytes(
        pdf_with(("photo.jpg", b"\xff\xd8" + bytes(leap2a.REQUEST)), ("attachment.xml", attached))
    )
    assert cv._document(file, DocumentFormat.PDF) == (format_, attached)


@pytest.mark.parametrize("content", [b"%PDF-1.7 and no more", pdf_with()], ids=["broken", "nothing attached"])
def test_a_large_pdf_without_data_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cv.pdf"
    file.write_bytes(content + b" " * leap2a.REQUEST)
    with pytest.raises(Failure, match="cannot be read") as failure:
        cv._document(file, DocumentFormat.PDF)
    assert "Europass portal" in failure.value.remedy
