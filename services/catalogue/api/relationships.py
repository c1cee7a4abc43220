"""Who stands in which relationship to what; each is a pure query in the handler's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from services.catalogue.api.messages import last
from services.catalogue.store import assessments
from services.catalogue.store.tables import courses, feed_runs, sources, uploads
from services.platform.identity.principals import Principal
from services.platform.service import Relationship


def organisation_member(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation that the request names."""
    name = request.organisation.name if hasattr(request, "organisation") else request.parent
    return bool(principal.organisation) and name == principal.organisation


def new_source_owner(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation of the source to create."""
    return bool(principal.organisation) and request.source.organisation == principal.organisation


def source_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the source."""
    name = request.source if hasattr(request, "source") else request.name
    return _owned(principal, connection, sources, last(name))


def feed_run_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the run's source."""
    run = last(request.name if hasattr(request, "name") else request.parent)
    statement = select(feed_runs.c.source_id).where(feed_runs.c.id == run)
    source = connection.execute(statement).scalar() if _is_uuid(run) else None
    return source is not None and _owned(principal, connection, sources, source)


def course_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the course."""
    return _owned(principal, connection, courses, last(request.course.name))


def upload_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller asked for the upload's ticket."""
    upload = last(request.name)
    statement = select(uploads.c.owner).where(uploads.c.id == upload)
    return bool(connection.execute(statement).scalar() == principal.subject)


def sector_council(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for a sector council that is appointed for the occupation of the assessment."""
    assessment = last(request.name)
    if not principal.organisation or not _is_uuid(assessment):
        return False
    return assessments.is_council(connection, last(principal.organisation), assessment)


def _owned(principal: Principal, connection: Connection, table: Table, key: str) -> bool:
    if not principal.organisation or not _is_uuid(key):
        return False
    statement = select(table.c.organisation_id).where(table.c.id == key)
    return bool(connection.execute(statement).scalar() == last(principal.organisation))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


RELATIONSHIPS: Mapping[str, Relationship] = {
    "organisation.member": organisation_member,
    "source.new_owner": new_source_owner,
    "source.owner": source_owner,
    "feed_run.owner": feed_run_owner,
    "course.owner": course_owner,
    "catalogue_upload.owner": upload_owner,
    "assessment.sector_council": sector_council,
}
