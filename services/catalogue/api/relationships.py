"""Who stands in which relationship to what; each is a pure query in the handler's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from services.catalogue.api.messages import is_uuid, last, part
from services.catalogue.store import assessments, contact_details
from services.catalogue.store.agreement_tables import agreements
from services.catalogue.store.api_tables import api_grants
from services.catalogue.store.feed_tables import feed_runs, sources
from services.catalogue.store.partner_application_tables import partner_applications
from services.catalogue.store.quality_tables import course_feedback, quality_holds
from services.catalogue.store.tables import courses, uploads
from services.platform.identity.principals import Principal
from services.platform.service import Relationship


def organisation_member(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation that the request names."""
    name = request.organisation.name if hasattr(request, "organisation") else request.parent
    return bool(principal.organisation) and name == principal.organisation


def site_owner(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation of the site."""
    return bool(principal.organisation) and f"organisations/{part(request.name, 1)}" == principal.organisation


def new_source_owner(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation of the source to create."""
    return bool(principal.organisation) and request.source.organisation == principal.organisation


def source_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the source."""
    named = request.source if hasattr(request, "source") else request.name
    return _owned(principal, connection, sources, last(named if isinstance(named, str) else named.name))


def feed_run_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the run's source."""
    run = last(request.name if hasattr(request, "name") else request.parent)
    statement = select(feed_runs.c.source_id).where(feed_runs.c.id == run)
    source = connection.execute(statement).scalar() if is_uuid(run) else None
    return source is not None and _owned(principal, connection, sources, source)


def course_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the course."""
    return _owned(principal, connection, courses, last(request.course.name))


def course_feedback_author(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller has given the feedback."""
    feedback = last(request.name)
    statement = select(course_feedback.c.author).where(course_feedback.c.id == feedback)
    return bool(connection.execute(statement).scalar() == principal.subject)


def course_feedback_provider(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the course that the feedback is on."""
    return _owned(principal, connection, courses, part(request.name, 1))


def agreement_party(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for a party of the agreement."""
    agreement = part(request.name if hasattr(request, "name") else request.parent, 1)
    if not principal.organisation or not is_uuid(agreement):
        return False
    statement = select(agreements.c.parties).where(agreements.c.id == agreement)
    return last(principal.organisation) in (connection.execute(statement).scalar() or ())


def agreement_monitor(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller watches the agreement."""
    agreement = part(request.parent, 1)
    if not is_uuid(agreement):
        return False
    statement = select(agreements.c.monitor).where(agreements.c.id == agreement)
    return bool(connection.execute(statement).scalar() == principal.subject.lower())


def contact_details_reader(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation, or for one that it shares details with for the purpose."""
    own, giver = last(principal.organisation), part(request.name, 1)
    if not own or own == giver:
        return bool(own)
    return bool(contact_details.shared(connection, giver, own, request.purpose))


def contact_details_owner(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation whose details are to change."""
    own = last(principal.organisation)
    return bool(own) and own == part(request.contact_details.name, 1)


def partner_applicant(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller applied."""
    return _applied(principal, connection, last(request.name))


def _applied(principal: Principal, connection: Connection, application: str) -> bool:
    row = partner_applications.c
    statement = select(row.applicant).where(row.id == application)
    return bool(connection.execute(statement).scalar() == principal.subject)


def appeal_concerned(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation that a hold or an accreditation is of, or has applied."""
    subject, own = request.appeal.subject, last(principal.organisation)
    if subject.startswith("organisations/"):
        return bool(own) and part(subject, 1) == own
    if subject.startswith("partnerApplications/"):
        return _applied(principal, connection, last(subject))
    return _owned(principal, connection, quality_holds, last(subject))


def upload_owner(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller asked for the upload's ticket."""
    upload = last(request.name)
    statement = select(uploads.c.owner).where(uploads.c.id == upload)
    return bool(connection.execute(statement).scalar() == principal.subject)


def sector_council(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for a sector council that is appointed for the occupation of the assessment."""
    assessment = last(request.name)
    if not principal.organisation or not is_uuid(assessment):
        return False
    return assessments.is_council(connection, last(principal.organisation), assessment)


def api_grant_asker(principal: Principal, request: Any, _: Connection) -> bool:
    """The caller acts for the organisation that asks for a plan."""
    return bool(principal.organisation) and request.api_grant.organisation == principal.organisation


def api_grant_holder(principal: Principal, request: Any, connection: Connection) -> bool:
    """The caller acts for the organisation of the grant."""
    name = request.name if hasattr(request, "name") else request.parent
    return _owned(principal, connection, api_grants, part(name, 1))


def _owned(principal: Principal, connection: Connection, table: Table, key: str) -> bool:
    if not principal.organisation or not is_uuid(key):
        return False
    statement = select(table.c.organisation_id).where(table.c.id == key)
    return bool(connection.execute(statement).scalar() == last(principal.organisation))


RELATIONSHIPS: Mapping[str, Relationship] = {
    "organisation.member": organisation_member,
    "site.owner": site_owner,
    "source.new_owner": new_source_owner,
    "source.owner": source_owner,
    "feed_run.owner": feed_run_owner,
    "course.owner": course_owner,
    "course_feedback.author": course_feedback_author,
    "course_feedback.provider": course_feedback_provider,
    "agreement.party": agreement_party,
    "agreement.monitor": agreement_monitor,
    "partner_application.applicant": partner_applicant,
    "contact_details.reader": contact_details_reader,
    "contact_details.owner": contact_details_owner,
    "appeal.concerned": appeal_concerned,
    "catalogue_upload.owner": upload_owner,
    "assessment.sector_council": sector_council,
    "api_grant.asker": api_grant_asker,
    "api_grant.holder": api_grant_holder,
}
