"""Feeds for the tests of readers."""

from __future__ import annotations

import io

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import Finding, Findings
from services.catalogue.imports.feed import MAX_RECORD_BYTES, Bounded, Context, FeedReader

COURSE = "018f0000-0000-7000-8000-000000000009"


def read_all(
    reader: FeedReader, data: bytes, context: Context | None = None, limit: int = MAX_RECORD_BYTES
) -> tuple[list[tuple[str, Document]], list[Finding]]:
    """Returns (id, document) of every record that is not rejected, and all findings."""
    documents, found, context = [], [], context or Context()
    for raw in reader.records(Bounded(io.BytesIO(data), limit)):
        findings = Findings(raw.external_id, raw.line)
        document = reader.read(raw, COURSE, context, findings)
        found += findings.found
        if not findings.rejected:
            documents.append((raw.external_id, document))
    return documents, found


def codes(found: list[Finding]) -> list[str]:
    """Returns the codes of findings, those of fields that are not carried left out."""
    return [finding.code for finding in found if finding.code != "FIELD_NOT_CARRIED"]
