"""Statements on how complete courses are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.completeness import RULE, Measured
from services.catalogue.store.derived_tables import course_completeness
from services.catalogue.store.tables import courses
from services.platform.db.transaction import Transaction

_c = course_completeness.c


def put(tx: Transaction, organisation_of: Mapping[str, str], found: Mapping[str, Measured]) -> None:
    """Writes how complete courses are."""
    rows = [
        {
            "course_id": course,
            "organisation_id": organisation_of[course],
            "score": measured.score,
            "lacks": {str(aspect): points for aspect, points in measured.lacks.items()},
            "rule_version": RULE,
        }
        for course, measured in found.items()
    ]
    statement = insert(course_completeness)
    changed = {name: statement.excluded[name] for name in ("score", "lacks", "rule_version")}
    tx.execute(statement.on_conflict_do_update(index_elements=["course_id"], set_=changed), rows)


def forget(tx: Transaction, gone: Collection[str]) -> None:
    """Removes courses that are gone."""
    tx.execute(delete(course_completeness).where(_c.course_id.in_(gone)))


def listing(organisation: str) -> Select[Any]:
    """Selects how complete courses are, of one organisation where named, with what names the course."""
    titles = courses.c.document["titles"].label("titles")
    statement = select(course_completeness, courses.c.external_id, courses.c.source_id, titles)
    statement = statement.join(courses, courses.c.id == _c.course_id)
    return statement.where(_c.organisation_id == organisation) if organisation else statement
