"""What a record is refused for before or after its format has read it, whatever the format."""

from __future__ import annotations

from services.catalogue.domain import courses
from services.catalogue.domain.findings import ERROR, Finding, Findings
from services.catalogue.imports.feed import Raw


def check_size(document: courses.Document, findings: Findings) -> None:
    """Notes an error for a course with more sessions than one may have."""
    count = sum(len(offering["sessions"]) for offering in document["offerings"])
    if count > courses.MAX_SESSIONS:
        findings.error(
            "TOO_MANY_SESSIONS",
            "",
            count,
            f"A course may have at most {courses.MAX_SESSIONS} sessions.",
            "Leave out past sessions, or split the course.",
        )


def nameless(raw: Raw) -> Finding:
    """The finding of a record without an id."""
    return Finding(
        "ID_MISSING",
        ERROR,
        "",
        raw.line,
        "id",
        "",
        "The course has no id, or one longer than 500 characters or with a NUL character.",
        "Give each course an id that stays the same from feed to feed.",
    )


def doubled(raw: Raw) -> Finding:
    """The finding of a record whose id is taken."""
    return Finding(
        "ID_DOUBLED",
        ERROR,
        raw.external_id,
        raw.line,
        "id",
        raw.external_id[:200],
        "An earlier record of this file has the same id.",
        "Give each course one record, with all its sessions together.",
    )
