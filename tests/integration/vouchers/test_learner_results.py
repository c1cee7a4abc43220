"""What learners say of their training and where they are afterwards; sums tell of nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import learner_result_pb2 as pb

from services.vouchers import jobs
from services.vouchers.domain import results
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.quality import look, run, told
from tests.support.vouchers import NO_EVIDENCE, Person, World, day_message

Outcome = pb.LearnerOutcome
AT_WORK, SEEKING = Outcome.STATUS_EMPLOYED_IN_OCCUPATION, Outcome.STATUS_SEEKING
BY_COURSE = pb.GetLearnerResultsRequest.GROUP_BY_COURSE


@pytest.fixture
def trained(world: World) -> Any:
    """A world with a learner whose training was accepted."""
    made: Any = world
    made.plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    made.person_, voucher = world.voucher(made.plan)
    made.redemption = world.accepted(made.person_, voucher, amount=10_000)
    made.voucher_ = voucher
    return made


def give(person: Person, redemption: str, satisfaction: int = 4, skills: int = 5) -> Any:
    """Gives feedback."""
    marks = pb.Feedback(satisfaction=satisfaction, skills_gained=skills)
    request = pb.GiveFeedbackRequest(name=f"{redemption}/feedback", feedback=marks)
    return person.results.GiveFeedback(request)


def report(person: Person, redemption: str, status: Any = AT_WORK, **fields: Any) -> Any:
    """Reports an outcome."""
    outcome = Outcome(status=status, **fields)
    request = pb.ReportOutcomeRequest(name=f"{redemption}/outcome", outcome=outcome)
    return person.results.ReportOutcome(request)


def outcome_of(person: Person, redemption: str) -> Any:
    """Reads an outcome."""
    return person.results.GetLearnerOutcome(pb.GetLearnerOutcomeRequest(name=f"{redemption}/outcome"))


def sums(person: Person, **filters: Any) -> dict[str, Any]:
    """Reads the report, by group."""
    answer = person.results.GetLearnerResults(pb.GetLearnerResultsRequest(**filters))
    return {group.group: group for group in answer.groups}


def six_months_ago(world: Any) -> None:
    """Makes every acceptance so long ago."""
    look(world)
    for table in ("redemptions", "acceptances"):
        run(world, f"UPDATE {table} SET accepted_at = accepted_at - interval '184 days'")


def test_feedback_is_given_after_delivery_and_changed_for_thirty_days(trained: Any) -> None:
    name = trained.redemption.name
    first = give(trained.person_, name, 2, 3)
    again = give(trained.person_, name, 4, 5)
    assert (again.satisfaction, again.skills_gained, again.create_time) == (4, 5, first.create_time)
    limit = again.change_time_limit.ToDatetime() - again.create_time.ToDatetime()
    assert limit == timedelta(days=30)
    read = trained.person_.results.GetFeedback(pb.GetFeedbackRequest(name=f"{name}/feedback"))
    assert read == again
    run(trained, "UPDATE feedback SET created_at = created_at - interval '30 days'")
    assert refused(lambda: give(trained.person_, name)) == "FEEDBACK_CLOSED"
    assert refused(lambda: give(trained.learner(), name)) == "NOT_FOUND"
    assert "feedback.satisfaction" in violations_of(lambda: give(trained.person_, name, 6))
    reserved = trained.reserve(trained.person_, trained.voucher_, 100).name
    assert refused(lambda: give(trained.person_, reserved)) == "WRONG_STATE"


def test_nobody_but_the_learner_reads_feedback(trained: Any) -> None:
    name = trained.redemption.name
    give(trained.person_, name)
    request = pb.GetFeedbackRequest(name=f"{name}/feedback")
    assert refused(lambda: trained.learner().results.GetFeedback(request)) == "NOT_FOUND"
    for person in (trained.provider, trained.caseworker, trained.auditor):
        read = person.results.GetFeedback
        assert refused(lambda read=read: read(request)) == "PERMISSION_DENIED"  # type: ignore[misc]


def test_a_learner_is_asked_once_six_months_after_acceptance(trained: Any) -> None:
    name = trained.redemption.name
    jobs.ask_outcomes(trained.app)
    assert told(trained, events_pb2.OutcomeAsked) == []
    assert refused(lambda: report(trained.person_, name)) == "OUTCOME_NOT_DUE"
    assert outcome_of(trained.person_, name).due_time.seconds
    six_months_ago(trained)
    jobs.ask_outcomes(trained.app)
    jobs.ask_outcomes(trained.app)
    (asked,) = told(trained, events_pb2.OutcomeAsked)
    assert (asked.redemption, asked.learner, asked.course) == (name, trained.person_.learner, trained.course)
    assert outcome_of(trained.person_, name).ask_time.seconds
    said = report(trained.person_, name)
    assert (said.status, said.source) == (AT_WORK, Outcome.SOURCE_LEARNER)
    assert refused(lambda: report(trained.learner(), name)) == "NOT_FOUND"
    assert refused(lambda: outcome_of(trained.learner(), name)) == "NOT_FOUND"
    assert refused(lambda: outcome_of(trained.provider, name)) == "PERMISSION_DENIED"


def test_the_register_may_say_so_at_any_time_and_the_last_word_counts(trained: Any) -> None:
    name = trained.redemption.name
    pushed = report(trained.system, name, SEEKING, observed_date=day_message(trained.today))
    assert (pushed.status, pushed.source) == (SEEKING, Outcome.SOURCE_PES_REGISTER)
    six_months_ago(trained)
    assert report(trained.person_, name).status == outcome_of(trained.system, name).status == AT_WORK
    tomorrow = day_message(trained.today + timedelta(days=1))
    wrong = violations_of(lambda: report(trained.system, name, observed_date=tomorrow))
    assert "outcome.observed_date" in wrong
    delivered = trained.delivered(trained.person_, trained.voucher_, 100).name
    assert refused(lambda: report(trained.system, delivered)) == "WRONG_STATE"


def many(world: Any, course: str, count: int, *, mark: int = 4) -> None:
    """Has so many learners take a course, give feedback and be at work."""
    session = world.offer(course)
    for _ in range(count):
        person = world.learner()
        voucher = world.apply(person, world.plan, session).voucher
        world.session = session
        name = world.accepted(person, voucher, amount=100).name
        give(person, name, mark)
        report(world.system, name)
    world.session = World.session


def test_sums_are_told_of_five_and_not_of_four(trained: Any) -> None:
    many(trained, "courses/five", 5)
    many(trained, "courses/six", 6, mark=5)
    many(trained, "courses/four", 4)
    many(trained, "courses/three", 3)
    by_course = sums(trained.auditor, group_by=BY_COURSE)
    five, four = by_course["courses/five"], by_course["courses/four"]
    assert (five.feedback_count, five.satisfaction_mean, five.skills_gained_mean) == (5, 4.0, 5.0)
    assert list(five.satisfaction_counts) == [0, 0, 0, 5, 0]
    assert (five.outcome_count, five.employed_in_occupation, five.seeking) == (5, 5, 0)
    assert by_course["courses/six"].satisfaction_mean == 5.0
    assert four == pb.ResultGroup(group="courses/four", feedback_suppressed=True, outcome_suppressed=True)
    whole = sums(trained.auditor, year=trained.today.year)[trained.plan]
    assert (whole.feedback_count, whole.outcome_count) == (18, 18)
    assert sums(trained.auditor, year=trained.today.year - 1) == {}
    assert sums(trained.auditor, programme="programmes/none") == {}


def test_one_small_group_is_not_found_by_subtraction(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many(trained, "courses/five", 5)
    many(trained, "courses/six", 6)
    many(trained, "courses/four", 4)
    by_course = sums(trained.auditor, group_by=BY_COURSE)
    assert [name for name, group in by_course.items() if group.feedback_suppressed] == [
        "courses/five",
        "courses/four",
    ]
    # Control: without the rule the three others and the sum of the programme tell of four people.
    monkeypatch.setattr(results, "hidden", lambda groups: {name for name, count in groups if count < 5})
    shown = sums(trained.auditor, group_by=BY_COURSE)
    total = sums(trained.auditor)[trained.plan].feedback_count
    assert total - sum(group.feedback_count for group in shown.values()) == 4


def test_one_learner_five_times_is_no_group(trained: Any) -> None:
    for _ in range(5):
        give(trained.person_, trained.accepted(trained.person_, trained.voucher_, amount=100).name)
    assert sums(trained.auditor)[trained.plan].feedback_suppressed


def test_a_provider_reads_the_sums_of_its_own_learners_only(trained: Any) -> None:
    many(trained, trained.course, 5)
    own = sums(trained.provider, organisation=trained.organisation, group_by=BY_COURSE)
    assert own[trained.course].feedback_count == 5
    assert refused(lambda: sums(trained.provider)) == "NOT_FOUND"
    assert refused(lambda: sums(trained.provider, organisation="organisations/other")) == "NOT_FOUND"
