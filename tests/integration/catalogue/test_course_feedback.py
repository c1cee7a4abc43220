"""What learners say of courses: by who completed one, answered, moderated, in numbers only from five on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from waymark.catalogue.v1 import (
    agreement_review_pb2,
    agreement_review_pb2_grpc,
    course_feedback_pb2_grpc,
    course_pb2,
)
from waymark.catalogue.v1 import course_feedback_pb2 as pb
from waymark.portfolio.v1 import events_pb2 as portfolio
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.catalogue.reactions.completions import note_completion
from services.catalogue.reactions.erasures import forget_subject
from services.platform.db.transaction import transaction
from tests.integration.catalogue.agreements import active
from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.test_features import INFO
from tests.support.catalogue import Catalogue
from tests.support.portfolio import reason_of
from tests.support.servers import token

Feedback = pb.CourseFeedback
UNTRUE = Feedback.FAULT_UNTRUE


def calls(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(course_feedback_pb2_grpc.CourseFeedbackServiceStub, access)


def completed(catalogue: Catalogue, course: str, learner: str = "", **values: Any) -> Any:
    """Calls of a learner who has completed the course."""
    learner = learner or str(uuid4())
    ref = vouchers.RedemptionRef(
        course=course, learner=f"learners/{learner}", sandbox=values.pop("sandbox", False)
    )
    with transaction(catalogue.app) as tx:
        note_completion(catalogue.app, tx, vouchers.RedemptionAccepted(ref=ref, **values), INFO)
        note_completion(catalogue.app, tx, vouchers.RedemptionAccepted(ref=ref, **values), INFO)  # told twice
    return calls(catalogue, token("learner", subject=learner))


def give(course: str, rating: int, comment: str = "") -> pb.GiveCourseFeedbackRequest:
    return pb.GiveCourseFeedbackRequest(parent=course, feedback=Feedback(rating=rating, comment=comment))


def erased(catalogue: Catalogue, learner: str, days: int = 0) -> None:
    """The learner erased their portfolio, so many days ago, which is told twice."""
    event = portfolio.SubjectErased(holder=f"holders/{learner}")
    event.erase_time.FromDatetime(datetime.now(UTC) - timedelta(days=days))
    with transaction(catalogue.app) as tx:
        for _ in range(2):
            forget_subject(catalogue.app, tx, event, INFO)


def listed(catalogue: Catalogue, course: str, access: Any = None) -> list[Any]:
    asking = access or calls(catalogue, "")
    return list(asking.ListCourseFeedback(pb.ListCourseFeedbackRequest(parent=course)).feedback)


def rating(catalogue: Catalogue, course: str) -> Any:
    return calls(catalogue, "").GetCourseRating(pb.GetCourseRatingRequest(name=f"{course}/rating"))


@pytest.fixture
def course(catalogue: Catalogue) -> str:
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(row("W", "Welding")))
    (found,) = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    return str(found.name)


def test_ratings_are_told_from_five_on_and_in_reviews_of_agreements(
    catalogue: Catalogue, course: str
) -> None:
    for stranger in (
        calls(catalogue, token("learner")),
        completed(catalogue, course, no_show=True),
        completed(catalogue, course, sandbox=True),
    ):
        assert reason_of(stranger.GiveCourseFeedback, give(course, 5)) == "COURSE_NOT_COMPLETED"
    agreement = active(catalogue, "organisations/harbour", catalogue.organisation("pes"))
    for mark in (5, 4, 4, 3):
        completed(catalogue, course).GiveCourseFeedback(give(course, mark, "Good sparks."))
    few = rating(catalogue, course)
    assert (few.suppressed, few.count, few.mean) == (True, 0, 0)
    assert {(each.rating, each.comment) for each in listed(catalogue, course)} == {(0, "Good sparks.")}
    monitor = catalogue.stub(agreement_review_pb2_grpc.AgreementReviewServiceStub, catalogue.second)
    review = agreement_review_pb2.RecordAgreementReviewRequest(
        parent=agreement.name, review=agreement_review_pb2.AgreementReview(verdict=1)
    )
    fifth = completed(catalogue, course)
    fifth.GiveCourseFeedback(give(course, 1))
    changed = fifth.GiveCourseFeedback(give(course, 2))  # in place of the former
    enough = rating(catalogue, course)
    assert (enough.suppressed, enough.count, enough.mean) == (False, 5, 3.6)
    assert sorted(each.rating for each in listed(catalogue, course)) == [2, 3, 4, 4, 5]
    beneficiaries = monitor.RecordAgreementReview(review).beneficiaries
    assert (beneficiaries.suppressed, beneficiaries.count, beneficiaries.mean) == (False, 5, 3.6)
    assert monitor.RecordAgreementReview(review).beneficiaries.suppressed  # none since the last
    fifth.DeleteCourseFeedback(pb.DeleteCourseFeedbackRequest(name=changed.name))
    assert rating(catalogue, course).suppressed
    fifth.GiveCourseFeedback(give(course, 4))  # it was not hidden, so it may be given anew


def test_who_erases_their_portfolio_is_forgotten_and_nobody_else(catalogue: Catalogue, course: str) -> None:
    gone, other = str(uuid4()), completed(catalogue, course)
    author = completed(catalogue, course, gone)
    author.GiveCourseFeedback(give(course, 5, "I, Zygmunt, welded."))
    other.GiveCourseFeedback(give(course, 4, "Good sparks."))
    assert len(listed(catalogue, course)) == 2  # control
    erased(catalogue, gone)
    assert [each.comment for each in listed(catalogue, course)] == ["Good sparks."]
    assert reason_of(author.GiveCourseFeedback, give(course, 5)) == "COURSE_NOT_COMPLETED"
    other.GiveCourseFeedback(give(course, 3))  # control


def test_an_erasure_that_is_told_again_takes_nothing_from_a_later_life(
    catalogue: Catalogue, course: str
) -> None:
    back = str(uuid4())
    author = completed(catalogue, course, back)
    author.GiveCourseFeedback(give(course, 5, "Back again."))
    erased(catalogue, back, days=1)
    assert [each.comment for each in listed(catalogue, course)] == ["Back again."]
    author.GiveCourseFeedback(give(course, 4))  # the completion is kept as well


def test_feedback_is_answered_reported_hidden_and_appealed_against(catalogue: Catalogue, course: str) -> None:
    author = completed(catalogue, course)
    said = author.GiveCourseFeedback(give(course, 1, "Mr X cannot weld.")).name
    provider = calls(catalogue, token("provider", org="organisations/harbour"))
    foreign = calls(catalogue, token("provider", org=catalogue.organisation("other")))
    answer = pb.AnswerCourseFeedbackRequest(name=said, answer="We talk about it.")
    assert reason_of(foreign.AnswerCourseFeedback, answer) == "NOT_FOUND"
    assert provider.AnswerCourseFeedback(answer).rating == 0  # told to nobody while so few have rated
    assert listed(catalogue, course)[0].answer == "We talk about it."

    report = pb.ReportCourseFeedbackRequest(name=said, fault=Feedback.FAULT_PERSONAL_DATA)
    assert provider.ReportCourseFeedback(report).state == Feedback.STATE_REPORTED
    assert reason_of(provider.ReportCourseFeedback, report) == "WRONG_STATE"
    assert [each.fault for each in listed(catalogue, course)] == [0]  # shown until it is decided
    staff, second = calls(catalogue), calls(catalogue, catalogue.second)
    queue = pb.ListReportedCourseFeedbackRequest()
    assert [each.name for each in staff.ListReportedCourseFeedback(queue).feedback] == [said]
    hide = pb.DecideCourseFeedbackRequest(name=said, fault=Feedback.FAULT_PERSONAL_DATA)
    assert staff.DecideCourseFeedback(hide).state == Feedback.STATE_HIDDEN
    assert listed(catalogue, course) == []
    assert [each.fault for each in listed(catalogue, course, author)] == [Feedback.FAULT_PERSONAL_DATA]
    assert reason_of(author.GiveCourseFeedback, give(course, 1, "The same.")) == "WRONG_STATE"

    appeal = pb.AppealCourseFeedbackRequest(name=said)
    assert reason_of(completed(catalogue, course).AppealCourseFeedback, appeal) == "NOT_FOUND"
    assert author.AppealCourseFeedback(appeal).state == Feedback.STATE_APPEALED
    assert [each.name for each in staff.ListReportedCourseFeedback(queue).feedback] == [said]
    assert reason_of(staff.DecideCourseFeedback, hide) == "SAME_PERSON"
    assert second.DecideCourseFeedback(hide).state == Feedback.STATE_HIDDEN
    assert reason_of(author.AppealCourseFeedback, appeal) == "WRONG_STATE"  # once
    author.DeleteCourseFeedback(pb.DeleteCourseFeedbackRequest(name=said))
    assert reason_of(author.GiveCourseFeedback, give(course, 1, "The same.")) == "COURSE_NOT_COMPLETED"

    other = completed(catalogue, course)
    kept = other.GiveCourseFeedback(give(course, 2, "Dull.")).name
    provider.ReportCourseFeedback(pb.ReportCourseFeedbackRequest(name=kept, fault=UNTRUE))
    assert staff.DecideCourseFeedback(pb.DecideCourseFeedbackRequest(name=kept)).state == Feedback.STATE_SHOWN
    assert not staff.ListReportedCourseFeedback(queue).feedback
