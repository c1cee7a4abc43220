"""Complaints about courses: one open at a time, decided by staff, read by whom they concern."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sqlalchemy import text
from waymark.catalogue.v1 import course_complaint_pb2 as pb
from waymark.catalogue.v1 import course_complaint_pb2_grpc, course_pb2

from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import Catalogue
from tests.support.portfolio import reason_of
from tests.support.servers import token

Complaint = pb.CourseComplaint


def calls(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(course_complaint_pb2_grpc.CourseComplaintServiceStub, access)


def test_a_complaint_is_filed_once_decided_once_and_read_by_whom_it_concerns(catalogue: Catalogue) -> None:
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(row("W", "Welding")))
    [course] = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    learner = calls(catalogue, token("learner", subject=str(uuid4())))
    other = calls(catalogue, token("learner"))
    file = pb.FileCourseComplaintRequest(
        parent=course.name, complaint=Complaint(kind=Complaint.KIND_NOT_AS_DESCRIBED)
    )
    filed = learner.FileCourseComplaint(file)
    assert filed.state == Complaint.STATE_OPEN
    assert reason_of(learner.FileCourseComplaint, file) == "COURSE_COMPLAINT_OPEN"
    # Control: it is the index that lets only one be open.
    with transaction(catalogue.app) as tx:
        tx.execute(text("DROP INDEX course_complaints_open"))
    learner.FileCourseComplaint(file)
    other.FileCourseComplaint(file)
    every = pb.ListCourseComplaintsRequest()
    assert len(learner.ListCourseComplaints(every).complaints) == 2
    assert len(other.ListCourseComplaints(every).complaints) == 1
    staff = calls(catalogue)
    decide = pb.DecideCourseComplaintRequest(name=filed.name, upheld=True, reason="taught by nobody")
    unfounded = pb.DecideCourseComplaintRequest(name=filed.name, upheld=True)
    assert reason_of(staff.DecideCourseComplaint, unfounded) == "INVALID_ARGUMENT"
    assert staff.DecideCourseComplaint(decide).state == Complaint.STATE_UPHELD
    assert reason_of(staff.DecideCourseComplaint, decide) == "WRONG_STATE"
    still_open = pb.ListCourseComplaintsRequest(course=course.name, state=Complaint.STATE_OPEN)
    assert len(staff.ListCourseComplaints(still_open).complaints) == 2
    assert learner.ListCourseComplaints(every).complaints[0].state == Complaint.STATE_UPHELD
    unknown = pb.FileCourseComplaintRequest(parent=f"courses/{uuid4()}", complaint=file.complaint)
    assert reason_of(learner.FileCourseComplaint, unknown) == "NOT_FOUND"
    provider = calls(catalogue, token("provider", org="organisations/harbour"))
    read = provider.ListCourseComplaints(every).complaints
    assert [each.decision_reason for each in read] == ["taught by nobody", "", ""]
    assert len(provider.ListCourseComplaints(still_open).complaints) == 2
    for org in ("organisations/other", ""):
        stranger = calls(catalogue, token("provider", org=org))
        assert not stranger.ListCourseComplaints(every).complaints
