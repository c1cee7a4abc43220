"""How agreements go: targets, reviews by the monitor alone, reminders told once, feedback of both sides."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.type.date_pb2 import Date
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import agreement_pb2, agreement_review_pb2_grpc, events_pb2
from waymark.catalogue.v1 import agreement_review_pb2 as pb

from services.catalogue.api.agreements import ask_for_agreement_reviews
from services.platform.db.transaction import transaction
from services.platform.rpc.call import Call
from tests.integration.catalogue.agreements import active, calls, drafted
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import SECOND, Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused
from tests.support.servers import token

Review = pb.AgreementReview
THIRD = str(uuid.uuid4())


def reviewing(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(agreement_review_pb2_grpc.AgreementReviewServiceStub, access)


def target(catalogue: Catalogue, parent: str, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "display_names": {"en": "Placed"},
        "kind": pb.AgreementTarget.KIND_COUNTED,
        "unit": "people",
        "baseline": 0,
        "value": 80,
        "start_date": day("2026-01-01"),
        "due_date": day("2099-12-31"),
        **changes,
    }
    request = pb.CreateAgreementTargetRequest(parent=parent, target=pb.AgreementTarget(**values))
    return reviewing(catalogue).CreateAgreementTarget(request)


def review(parent: str, *values: Any, verdict: Any = Review.VERDICT_KEEP) -> pb.RecordAgreementReviewRequest:
    return pb.RecordAgreementReviewRequest(parent=parent, review=Review(verdict=verdict, values=values))


def targets(catalogue: Catalogue, parent: str) -> list[Any]:
    request = pb.ListAgreementTargetsRequest(parent=parent)
    return list(reviewing(catalogue).ListAgreementTargets(request).targets)


@pytest.fixture
def two(catalogue: Catalogue) -> tuple[str, str]:
    return catalogue.organisation("pes"), catalogue.organisation("harbour")


def test_targets_are_measured_by_the_monitor_alone(catalogue: Catalogue, two: tuple[str, str]) -> None:
    agreement = active(catalogue, *two)
    placed, content = (
        target(catalogue, agreement.name),
        target(
            catalogue,
            agreement.name,
            kind=pb.AgreementTarget.KIND_JUDGED,
            unit="",
            baseline=60,
            value=90,
        ),
    )
    assert not placed.HasField("current")
    told = [
        pb.AgreementTargetValue(target=placed.name, current=40),
        pb.AgreementTargetValue(target=content.name, current=90),
    ]
    request = review(agreement.name, *told)
    assert reason_of(reviewing(catalogue).RecordAgreementReview, request) == "NOT_FOUND"  # the owner
    monitor = reviewing(catalogue, catalogue.second)
    assert fields_refused(monitor.RecordAgreementReview, review(agreement.name, told[0])) == ["review.values"]
    monitor.RecordAgreementReview(request)
    assert [(t.current, t.progress_basis_points, t.reached) for t in targets(catalogue, agreement.name)] == [
        (40, 5_000, False),
        (90, 10_000, True),
    ]
    told[0].value = 160
    monitor.RecordAgreementReview(review(agreement.name, *told, verdict=Review.VERDICT_ADJUST))
    assert [(t.value, t.progress_basis_points) for t in targets(catalogue, agreement.name)] == [
        (160, 2_500),
        (90, 10_000),
    ]
    listed = monitor.ListAgreementReviews(pb.ListAgreementReviewsRequest(parent=agreement.name)).reviews
    assert [each.verdict for each in listed] == [Review.VERDICT_ADJUST, Review.VERDICT_KEEP]
    assert [value.value for value in listed[0].values] == [160, 0]


def test_control_without_the_relationship_the_owner_reviews_its_own(
    catalogue: Catalogue, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = active(catalogue, *two)
    monkeypatch.setattr(Call, "resolve", lambda self, request, connection: None)
    assert reviewing(catalogue).RecordAgreementReview(review(agreement.name)).name


def test_no_target_after_the_end_and_no_review_of_a_draft(catalogue: Catalogue, two: tuple[str, str]) -> None:
    draft = drafted(catalogue, *two)
    monitor = reviewing(catalogue, catalogue.second)
    assert reason_of(monitor.RecordAgreementReview, review(draft.name)) == "WRONG_STATE"
    end = agreement_pb2.EndAgreementRequest(
        name=draft.name, reason=agreement_pb2.AGREEMENT_END_REASON_GIVEN_UP
    )
    calls(catalogue).EndAgreement(end)
    request = pb.CreateAgreementTargetRequest(
        parent=draft.name,
        target=pb.AgreementTarget(
            display_names={"en": "x"},
            kind=pb.AgreementTarget.KIND_COUNTED,
            unit="x",
            value=1,
            start_date=day("2026-01-01"),
            due_date=day("2026-12-31"),
        ),
    )
    assert reason_of(reviewing(catalogue).CreateAgreementTarget, request) == "WRONG_STATE"


def back(catalogue: Catalogue, months: int) -> None:
    with transaction(catalogue.app) as tx:
        statement = "UPDATE agreements SET reviewed_at = now() - make_interval(months => :months, days => 1)"
        tx.execute(text(statement), {"months": months})


def test_a_review_is_asked_for_once_a_month_before(catalogue: Catalogue, two: tuple[str, str]) -> None:
    yearly = active(catalogue, *two)
    often = active(catalogue, *two, review_months=6)
    drafted(catalogue, *two)
    assert yearly.review_date.year == datetime.now(UTC).year + 1
    assert (yearly.review_months, often.review_months) == (12, 6)
    back(catalogue, 4)
    ask_for_agreement_reviews(catalogue.app)
    assert not events(catalogue, events_pb2.AgreementReviewDue)
    back(catalogue, 5)
    ask_for_agreement_reviews(catalogue.app)
    back(catalogue, 11)
    ask_for_agreement_reviews(catalogue.app)
    ask_for_agreement_reviews(catalogue.app)
    told = events(catalogue, events_pb2.AgreementReviewDue)
    assert [event.agreement for event in told] == [often.name, yearly.name]
    reviewing(catalogue, catalogue.second).RecordAgreementReview(review(yearly.name))
    ask_for_agreement_reviews(catalogue.app)
    assert len(events(catalogue, events_pb2.AgreementReviewDue)) == 2
    back(catalogue, 11)
    ask_for_agreement_reviews(catalogue.app)  # the next one
    assert len(events(catalogue, events_pb2.AgreementReviewDue)) == 3


def test_the_database_knows_no_review_later_than_yearly(catalogue: Catalogue, two: tuple[str, str]) -> None:
    active(catalogue, *two)
    with pytest.raises(IntegrityError, match="agreement_reviewed_yearly"), transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE agreements SET review_months = 13"))


def test_each_side_tells_of_the_other(catalogue: Catalogue, two: tuple[str, str]) -> None:
    third = catalogue.organisation("union")
    agreement = active(catalogue, *two, third)
    partner = reviewing(catalogue, token("provider", org=two[1]))
    other = reviewing(catalogue, token("provider", org=third))
    stranger = reviewing(catalogue, token("provider", org="organisations/stranger"))

    def given(organisation: str = "", rating: int = 4) -> pb.GiveAgreementFeedbackRequest:
        feedback = pb.AgreementFeedback(organisation=organisation, rating=rating)
        return pb.GiveAgreementFeedbackRequest(parent=agreement.name, feedback=feedback)

    def heard(calls: Any) -> list[tuple[int, int]]:
        request = pb.ListAgreementFeedbackRequest(parent=agreement.name)
        return [(each.side, each.rating) for each in calls.ListAgreementFeedback(request).feedback]

    assert partner.GiveAgreementFeedback(given()).organisation == two[1]
    assert reason_of(partner.GiveAgreementFeedback, given(third)) == "INVALID_ARGUMENT"
    assert reason_of(stranger.GiveAgreementFeedback, given()) == "NOT_FOUND"
    manager = reviewing(catalogue)
    assert reason_of(manager.GiveAgreementFeedback, given()) == "INVALID_ARGUMENT"
    assert reason_of(manager.GiveAgreementFeedback, given("organisations/stranger")) == "INVALID_ARGUMENT"
    manager.GiveAgreementFeedback(given(two[1], 5))
    manager.GiveAgreementFeedback(given(third, 2))
    pes, side = pb.AgreementFeedback.SIDE_PES, pb.AgreementFeedback.SIDE_PARTNER
    assert heard(partner) == [(pes, 5), (side, 4)]
    assert heard(other) == [(pes, 2)]
    assert heard(manager) == [(pes, 2), (pes, 5), (side, 4)]
    request = pb.ListAgreementFeedbackRequest(parent=agreement.name)
    assert reason_of(stranger.ListAgreementFeedback, request) == "NOT_FOUND"


def test_what_is_to_be_reviewed_is_listed_by_day_and_by_who_has_to_see_to_it(
    catalogue: Catalogue, two: tuple[str, str]
) -> None:
    soon, other = active(catalogue, *two, review_months=1), active(catalogue, *two, review_months=12)
    draft = drafted(catalogue, *two, owner=SECOND, monitor=THIRD)

    def listed(access: str | None = None, **wanted: Any) -> list[str]:
        request = agreement_pb2.ListAgreementsRequest(**wanted)
        return [each.name for each in calls(catalogue, access).ListAgreements(request).agreements]

    assert listed(review_due_before=soon.review_date) == []
    after = date(soon.review_date.year, soon.review_date.month, soon.review_date.day) + timedelta(days=1)
    assert listed(review_due_before=day(after.isoformat())) == [soon.name]
    assert listed(review_due_before=day("2099-12-31")) == [other.name, soon.name]
    assert listed(mine=True) == [other.name, soon.name]
    assert listed(catalogue.second, mine=True) == [draft.name, other.name, soon.name]
    assert listed(token("catalogue_manager", subject=THIRD), mine=True) == [draft.name]
    assert (
        reason_of(
            calls(catalogue).ListAgreements,
            agreement_pb2.ListAgreementsRequest(review_due_before=Date(year=2027)),
        )
        == "INVALID_ARGUMENT"
    )
