"""Events of the catalogue, made from its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from google.type import date_pb2, money_pb2
from waymark.catalogue.v1 import events_pb2

from services.catalogue.domain.accreditation import Accreditation
from services.catalogue.domain.agreement import State
from services.catalogue.domain.appeal import State as AppealState
from services.catalogue.domain.courses import Document, is_cancelled, isced_f, sessions
from services.catalogue.domain.organisations import address_digests
from services.catalogue.domain.shortage import Entry
from services.platform.days import day_of
from services.platform.goals import months_after

ENTRIES_PER_EVENT = 500


def course_changed(
    course: str, version: int, organisation: str, document: Document, *, removed: bool, held: bool
) -> events_pb2.CourseChanged:
    """Returns the whole state of a course that other services rely on; `held`: back, nobody can book it, and
    of its sessions only those that are cancelled are told."""
    event = events_pb2.CourseChanged(
        course=f"courses/{course}",
        version=version,
        removed=removed,
        organisation=f"organisations/{organisation}",
        kind=document["kind"],
        eqf_level=document["eqf_level"],
        isced_f_codes=isced_f(document),
        titles=document["titles"],
    )
    for tag in document["occupations"]:
        event.occupations.add(uri=tag["uri"], isco_code=tag["isco"])
    for session in sessions(document):
        cancelled = is_cancelled(session)
        if held and not cancelled:
            continue
        ref = event.sessions.add(
            session=f"courses/{course}/sessions/{session['id']}",
            nuts_code=session.get("nuts", ""),
            cancelled=cancelled,
        )
        for key, field in (
            ("start", ref.start_date),
            ("end", ref.end_date),
            ("apply_from", ref.apply_from),
            ("apply_until", ref.apply_until),
        ):
            if key in session:
                set_date(field, session[key])
        if "cents" in session:
            set_money(ref.price, session["currency"], session["cents"])
    return event


def organisation_changed(
    organisation: str,
    version: int,
    accreditations: Sequence[Accreditation],
    today: date,
    *,
    held: bool = False,
    addresses: Iterable[tuple[str, str]] = (),
) -> events_pb2.OrganisationChanged:
    """Returns the state of an organisation that other services rely on; `held`: back, so that nobody books
    with it; `addresses`: street and postal code of its sites."""
    event = events_pb2.OrganisationChanged(
        organisation=f"organisations/{organisation}",
        version=version,
        address_digests=address_digests(addresses),
    )
    granted = [] if held else [each for each in accreditations if each.in_force(today)]
    if granted:
        event.accredited = True
        set_date(event.accredited_until, max(each.valid_to for each in granted).isoformat())
    for each in granted:
        told = event.accreditations.add(
            isced_f_codes=each.scope.isced_f, eqf_levels=each.scope.eqf, nuts_codes=each.scope.nuts
        )
        set_date(told.valid_to, each.valid_to.isoformat())
    return event


def quality_hold_changed(row: Any) -> events_pb2.QualityHoldChanged:
    """Returns that something is held back, or no longer; `row` is the row of `quality_holds`."""
    return events_pb2.QualityHoldChanged(
        quality_hold=f"qualityHolds/{row.id}",
        subject=row.subject,
        organisation=f"organisations/{row.organisation_id}",
        held=row.lift_time is None,
    )


def appeal_changed(row: Any) -> events_pb2.AppealChanged:
    """Returns where an appeal stands; `row` is the row of `appeals`."""
    return events_pb2.AppealChanged(
        appeal=f"appeals/{row.id}",
        subject=row.subject,
        organisation=f"organisations/{row.organisation_id}" if row.organisation_id else "",
        decided=row.state != AppealState.OPEN,
        upheld=row.state == AppealState.UPHELD,
    )


def accreditation_review_due(row: Any) -> events_pb2.AccreditationReviewDue:
    """Returns the reminder of a review; `row` has organisation_id, id and review_date."""
    name = f"organisations/{row.organisation_id}/accreditations/{row.id}"
    event = events_pb2.AccreditationReviewDue(accreditation=name)
    set_date(event.review_date, row.review_date.isoformat())
    return event


def agreement_changed(row: Any) -> events_pb2.AgreementChanged:
    """Returns where an agreement stands; `row` is the row of `agreements`."""
    event = events_pb2.AgreementChanged(
        agreement=f"agreements/{row.id}",
        version=row.version,
        active=row.state == State.ACTIVE,
        parties=[f"organisations/{party}" for party in row.parties],
    )
    if row.end_date:
        set_date(event.end_date, row.end_date.isoformat())
    return event


def agreement_review_due(row: Any) -> events_pb2.AgreementReviewDue:
    """Returns the reminder of a review; `row` is the row of `agreements`."""
    event = events_pb2.AgreementReviewDue(agreement=f"agreements/{row.id}")
    set_date(event.review_date, review_date(row).isoformat())
    return event


def review_date(row: Any) -> date:
    """Returns the day by which an agreement in force is to be reviewed; `row` is the row of `agreements`."""
    return months_after(day_of(row.reviewed_at), row.review_months)


def partner_application_decided(row: Any) -> events_pb2.PartnerApplicationDecided:
    """Returns how an application was decided; `row` is the row of `partner_applications`."""
    organisation = f"organisations/{row.organisation_id}" if row.organisation_id else ""
    return events_pb2.PartnerApplicationDecided(
        partner_application=f"partnerApplications/{row.id}", organisation=organisation
    )


def shortage_published(list_id: str, row: Any) -> events_pb2.ShortageListPublished:
    """Returns the head of a published version; `row` is the row of `shortage_versions`."""
    event = events_pb2.ShortageListPublished(
        shortage_list=f"shortageLists/{list_id}",
        version=f"shortageLists/{list_id}/versions/{row.number}",
        entry_count=row.entry_count,
        digest=row.digest,
    )
    set_date(event.valid_from, row.valid_from.isoformat())
    if row.valid_to:
        set_date(event.valid_to, row.valid_to.isoformat())
    event.publish_time.FromDatetime(row.publish_time)
    return event


def shortage_withdrawn(row: Any) -> events_pb2.ShortageListWithdrawn:
    """Returns what others have to hear of a withdrawn version; `row` is the row of `shortage_versions`."""
    event = events_pb2.ShortageListWithdrawn(
        shortage_list=f"shortageLists/{row.list_id}",
        version=f"shortageLists/{row.list_id}/versions/{row.number}",
    )
    set_date(event.valid_from, row.valid_from.isoformat())
    event.publish_time.FromDatetime(row.publish_time)
    event.withdraw_time.FromDatetime(row.withdraw_time)
    return event


def shortage_entries(
    list_id: str, number: int, entries: Sequence[Entry]
) -> Iterator[events_pb2.ShortageListEntriesPublished]:
    """Yields the entries of a published version, at most ENTRIES_PER_EVENT a message."""
    version = f"shortageLists/{list_id}/versions/{number}"
    for start in range(0, len(entries), ENTRIES_PER_EVENT):
        event = events_pb2.ShortageListEntriesPublished(
            shortage_list=f"shortageLists/{list_id}", version=version
        )
        for entry in entries[start : start + ENTRIES_PER_EVENT]:
            event.entries.add(
                entry=f"{version}/entries/{entry.seq}",
                occupation=events_pb2.OccupationRef(uri=entry.uri, isco_code=entry.isco_code),
                nuts_code=entry.nuts_code,
                severity=entry.severity,
            )
        yield event


def set_date(message: date_pb2.Date, iso: str) -> None:
    """Writes an ISO 8601 date into a message."""
    message.year, message.month, message.day = int(iso[:4]), int(iso[5:7]), int(iso[8:10])


def set_money(message: money_pb2.Money, currency: str, cents: int) -> None:
    """Writes integer cents into a message."""
    message.currency_code = currency
    message.units, message.nanos = cents // 100, cents % 100 * 10_000_000
