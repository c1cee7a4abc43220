"""The formats, by their number in the contract."""

from __future__ import annotations

from waymark.portfolio.v1 import document_pb2 as pb

from services.portfolio.formats import candidate_reading, europass_files, json_resume, leap2a_archive, page
from services.portfolio.formats.format import Format

FORMATS: dict[int, Format] = {
    pb.DOCUMENT_FORMAT_JSON_RESUME: json_resume.FORMAT,
    pb.DOCUMENT_FORMAT_EUROPASS_XML: europass_files.XML,
    pb.DOCUMENT_FORMAT_EUROPASS_JSON: europass_files.JSON,
    pb.DOCUMENT_FORMAT_LEAP2A: leap2a_archive.FORMAT,
    pb.DOCUMENT_FORMAT_HTML: page.HTML,
    pb.DOCUMENT_FORMAT_PDF: page.PDF,
    pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML: candidate_reading.FORMAT,
}
