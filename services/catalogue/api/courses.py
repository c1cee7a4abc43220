"""CourseService."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from waymark.catalogue.v1 import course_pb2_grpc
from waymark.catalogue.v1.course_pb2 import (
    SESSION_STATUS_CANCELLED,
    SESSION_STATUS_SCHEDULED,
    TAG_ORIGIN_PERSON,
    CorrectCourseRequest,
    Course,
    CourseUsage,
    FieldOrigin,
    GetCourseRequest,
    ListCoursesRequest,
    ListCoursesResponse,
    ListCourseUsageRequest,
    ListCourseUsageResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    OccupationTag,
    Session,
    SkillTag,
)
from waymark.catalogue.v1.organisation_pb2 import ORGANISATION_ROLE_AWARDING_BODY
from waymark.errors.v1 import reason_pb2

from services.catalogue import events
from services.catalogue.api.branding import put_branding
from services.catalogue.api.messages import day_or, last, last_uuid, mask, only_own, put_date
from services.catalogue.domain import composing
from services.catalogue.domain import courses as domain
from services.catalogue.domain.courses import CORRECTABLE, FIELDS, Document
from services.catalogue.domain.findings import Findings
from services.catalogue.domain.labels import normal
from services.catalogue.imports.values import web_address
from services.catalogue.store import branding, course_usage, courses, organisations, quality_holds, taxonomies
from services.catalogue.store.tables import courses as table
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page, page_size
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

USAGE_DAYS = timedelta(days=30)


class CourseApi(course_pb2_grpc.CourseServiceServicer):
    """Courses as partners deliver them and people correct them."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @query
    def GetCourse(self, tx: Transaction, request: GetCourseRequest) -> Course:
        rows = courses.with_same(tx, last(request.name))
        self.app.views.add(rows[0].id)
        answer = _messages(tx, rows[:1])[0]
        answer.stands_for.extend(f"courses/{other.id}" for other in rows[1:])
        others = [other for other in rows[1:] if request.composed and not other.on_hold]
        put_origins(answer, [rows[0], *others])
        _put_awarding(tx, [answer])
        return answer

    @query
    def ListCourseUsage(self, tx: Transaction, request: ListCourseUsageRequest) -> ListCourseUsageResponse:
        organisation = organisations.read(tx.connection, last(request.parent)).id
        until = day_or(request, "end_date", tx.today)
        first = day_or(request, "start_date", until - USAGE_DAYS)
        listing = course_usage.listing(organisation, first, until)
        found = page(
            tx,
            self.app.signer,
            listing,
            order_by=[listing.selected_columns.course_id],
            request=request,
            filters={"parent": request.parent, "from": first.isoformat(), "until": until.isoformat()},
        )
        total = course_usage.total(tx, organisation, first, until)
        return ListCourseUsageResponse(
            course_usage=[
                CourseUsage(
                    course=f"courses/{row.course_id}", views=int(row.views), bookings=int(row.bookings)
                )
                for row in found.rows
            ],
            total_views=int(total.views),
            total_bookings=int(total.bookings),
            next_page_token=found.next_page_token,
        )

    @query
    def ListCourses(self, tx: Transaction, request: ListCoursesRequest) -> ListCoursesResponse:
        organisation = last(request.organisation) if request.organisation else ""
        source = last(request.source) if request.source else ""
        own = only_own(tx.principal)
        found = page(
            tx,
            self.app.signer,
            courses.listing(organisation, source, own),
            order_by=[table.c.id],
            request=request,
            filters={"organisation": organisation, "source": source, "own": own},
            maximum=200,
        )
        return ListCoursesResponse(courses=_messages(tx, found.rows), next_page_token=found.next_page_token)

    @mutation
    def CorrectCourse(self, tx: Transaction, request: CorrectCourseRequest) -> Course:
        fields = mask(request.update_mask, CORRECTABLE)
        row = courses.read(tx.connection, last_uuid(request.course.name), lock=True)
        if row.removed_time is not None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "REMOVED", "needed": "OFFERED"})
        check_etag(request.course.etag, row.version)
        corrections = {key: value for key, value in row.corrections.items() if key not in fields}
        if not request.revert:
            by, at = tx.principal.subject, tx.now.isoformat()
            for field in fields:
                value = _value(tx, row, request.course, field)
                corrections[field] = {"value": value, "by": by, "at": at}
        imported = row.imported or row.document
        document = domain.corrected(imported, corrections)
        row = courses.correct(
            tx,
            row.id,
            document=document,
            imported=imported if corrections else None,
            corrections=corrections,
        )
        held = quality_holds.is_open(tx, f"courses/{row.id}")
        told = row.version, row.organisation_id, document
        tx.publish(events.course_changed(row.id, *told, removed=False, held=held))
        return _messages(tx, [row])[0]

    @query
    def ListSessions(self, tx: Transaction, request: ListSessionsRequest) -> ListSessionsResponse:
        row = courses.read(tx.connection, last(request.parent))
        found = sorted(domain.sessions(row.document), key=domain.session_order)
        if request.HasField("start_from"):
            first = day_or(request, "start_from", date.max).isoformat()
            found = [session for session in found if session.get("start", domain.ALWAYS) >= first]
        start = request.start_from
        binding = f"ListSessions\x1f{request.parent}\x1f{start.year}-{start.month}-{start.day}"
        if request.page_token:
            after = tuple(self.app.signer.read(binding, request.page_token))
            found = [session for session in found if domain.session_order(session) > after]
        size = page_size(request.page_size)
        answer = ListSessionsResponse(sessions=[session_message(row.id, session) for session in found[:size]])
        if len(found) > size:
            answer.next_page_token = self.app.signer.sign(binding, domain.session_order(found[size - 1]))
        return answer


def _value(tx: Transaction, row: Any, given: Course, field: str) -> Any:
    """Returns the corrected value of a field as documents hold it; raises Refusal(INVALID_ARGUMENT)."""
    if field == "titles":
        if not given.titles:
            raise invalid("course.titles", "needs at least one language")
        return dict(given.titles)
    if field == "descriptions":
        return dict(given.descriptions)
    if field == "kind":
        return given.kind or "course"
    if field == "url":
        findings = Findings("", 0)
        url = web_address(given.url, "url", findings)
        if findings.found:
            raise invalid("course.url", "must be an http or https address")
        return url
    if field == "occupations":
        return _tags(tx, given)
    if field == domain.CANCELLED:
        return _cancelled(row, given)
    return given.eqf_level


def _cancelled(row: Any, given: Course) -> list[str]:
    """The ids of sessions that the course has, or that were cancelled so before."""
    known = {session["id"] for session in domain.sessions(row.document)}.union(_said_cancelled(row))
    wanted = [name.removeprefix(f"courses/{row.id}/sessions/") for name in given.cancelled_sessions]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise invalid("course.cancelled_sessions", f"{unknown[0]} is no session of the course")
    return wanted


def _said_cancelled(row: Any) -> list[str]:
    """Returns the ids of sessions that a person has said are cancelled."""
    said: list[str] = row.corrections.get(domain.CANCELLED, {}).get("value", [])
    return said


def _tags(tx: Transaction, given: Course) -> list[Document]:
    wanted = list(dict.fromkeys(tag.uri for tag in given.occupations))
    known = taxonomies.by_uri(tx.connection, wanted)
    unknown = [uri for uri in wanted if uri not in known]
    if unknown:
        raise invalid("course.occupations", f"{unknown[0]} is no concept of an imported taxonomy")
    version = taxonomies.in_use(tx.connection).get(taxonomies.ESCO, "")
    return [
        domain.tag(uri, known[uri].isco_code, known[uri].label, TAG_ORIGIN_PERSON, 1.0, version)
        for uri in wanted
    ]


def _messages(tx: Transaction, rows: Sequence[Any]) -> list[Course]:
    """Returns the messages of courses with the branding of who offers them, and whether they are on hold."""
    branded = branding.branded(tx.connection, [row.organisation_id for row in rows])
    held = quality_holds.on_hold(tx, [row.id for row in rows])
    answers = [course_message(row) for row in rows]
    for row, answer in zip(rows, answers, strict=True):
        answer.on_hold = row.id in held
        if found := branded.get(row.organisation_id):
            put_branding(answer, found)
    _put_awarding(tx, answers)
    return answers


def _put_awarding(tx: Transaction, answers: Sequence[Course]) -> None:
    """Writes which organisations the awarding bodies of courses are."""
    if not any(answer.awarding_body for answer in answers):
        return
    called: defaultdict[str, list[str]] = defaultdict(list)
    for organisation, name in organisations.names_of_role(tx, ORGANISATION_ROLE_AWARDING_BODY):
        called[normal(name)].append(organisation)
    for answer in answers:
        found = called.get(normal(answer.awarding_body), [])
        answer.awarding_organisation = f"organisations/{found[0]}" if len(found) == 1 else ""


def course_message(row: Any) -> Course:
    """Returns the message of a row of `courses`, without the branding of who offers it."""
    document: Document = row.document
    answer = Course(
        name=f"courses/{row.id}",
        organisation=f"organisations/{row.organisation_id}",
        source=f"sources/{row.source_id}",
        external_id=row.external_id,
        corrected_fields=sorted(row.corrections),
        removed=row.removed_time is not None,
        etag=etag_of(row.version),
    )
    for field in FIELDS:
        put_field(answer, row.id, document, field)
    answer.cancelled_sessions.extend(f"{answer.name}/sessions/{each}" for each in _said_cancelled(row))
    answer.skills.extend(map(_skill_message, row.skills.get("tags", ())))
    if row.same_as is not None:
        answer.same_as = f"courses/{row.same_as}"
    if row.missing_time is not None:
        answer.missing_time.FromDatetime(row.missing_time)
    answer.update_time.FromDatetime(row.update_time)
    return answer


def put_field(answer: Course, course: str, document: Document, field: str) -> None:
    """Writes a field of a course's document into a message, in place of what was there."""
    value = document.get(field)
    answer.ClearField(field)  # type: ignore[arg-type]  # one of FIELDS
    if not value:  # or not there: newer fields stand in documents only where something is said
        return
    if field == "offerings":
        for offering in value:
            added = answer.offerings.add(mode=offering["mode"], language=offering["language"])
            for session in offering["sessions"]:
                added.sessions.append(session_message(course, {**session, "mode": offering["mode"]}))
    elif field == "occupations":
        answer.occupations.extend(map(tag_message, value))
    elif field == "modules":
        for module in value:
            answer.modules.add(
                title=module["title"], eqf_level=module.get("eqf", 0), level=module.get("level", "")
            )
    elif isinstance(value, dict):
        getattr(answer, field).update(value)
    elif isinstance(value, list):
        getattr(answer, field).extend(value)
    else:
        setattr(answer, field, value)


def put_origins(answer: Course, rows: Sequence[Any]) -> None:
    """Writes where each field comes from, and the field itself where it is of another than the first row.

    `rows`: the course, and those that it is composed of with it, as `store.courses.with_same` returns them.
    """
    for field, row in composing.chosen(rows).items():
        if row is not rows[0]:
            put_field(answer, row.id, row.document, field)
        origin = answer.origins.add(
            field=field,
            kind=FieldOrigin.KIND_FEED,
            course=f"courses/{row.id}",
            source=f"sources/{row.source_id}",
        )
        if correction := row.corrections.get(field):
            origin.kind = FieldOrigin.KIND_CORRECTION
            origin.correct_time.FromDatetime(datetime.fromisoformat(correction["at"]))
            put_field(origin.feed_value, row.id, row.imported, field)


def tag_message(tag: Document) -> OccupationTag:
    """Returns the message of an occupation tag."""
    return OccupationTag(
        uri=tag["uri"],
        isco_code=tag["isco"],
        label=tag["label"],
        origin=tag["origin"],
        confidence=tag["confidence"],
        taxonomy_version=tag["version"],
    )


def _skill_message(tag: Document) -> SkillTag:
    return SkillTag(
        uri=tag["uri"],
        label=tag["label"],
        origin=tag["origin"],
        confidence=tag["confidence"],
        taxonomy_version=tag["version"],
        phrase=tag["phrase"],
        reviewed=tag["reviewed"],
    )


def session_message(course: str, session: Document) -> Session:
    """Returns the message of a session that has its mode put in."""
    answer = Session(
        name=f"courses/{course}/sessions/{session['id']}",
        external_id=session["external_id"],
        nuts_code=session.get("nuts", ""),
        town=session.get("town", ""),
        postal_code=session.get("postcode", ""),
        location_derived=session.get("derived", False),
        capacity=session.get("capacity", 0),
        mode=session["mode"],
        status=SESSION_STATUS_CANCELLED if domain.is_cancelled(session) else SESSION_STATUS_SCHEDULED,
    )
    for key, field in (
        ("start", answer.start_date),
        ("end", answer.end_date),
        ("apply_from", answer.apply_from),
        ("apply_until", answer.apply_until),
    ):
        put_date(field, session.get(key))
    if "cents" in session:
        events.set_money(answer.price, session["currency"], session["cents"])
    if "lat" in session:
        answer.location.latitude, answer.location.longitude = session["lat"], session["lon"]
    return answer
