"""Applications: every clause named, automatic or queued, pinned to what they were decided on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import eligibility_pb2, learner_fact_pb2, voucher_pb2

from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.vouchers import NO_EVIDENCE, World, cents, request_id, sample

State = pb.Application
FLEMISH = "flemish-training-voucher"


def declared(**values: Any) -> list[learner_fact_pb2.LearnerFact]:
    """Returns facts as a learner sends them."""
    fields = {str: "text", int: "number", bool: "flag"}
    return [
        learner_fact_pb2.LearnerFact(key=key, **{fields[type(value)]: value}) for key, value in values.items()
    ]


def check(world: World, person: Any, programme: str, **facts: Any) -> Any:
    """Checks eligibility."""
    return person.eligibility.CheckEligibility(
        eligibility_pb2.CheckEligibilityRequest(
            learner=person.learner,
            programme=programme,
            session=world.session,
            declared_facts=declared(**facts),
        )
    )


def test_a_check_names_every_clause_and_stores_nothing(world: World) -> None:
    programme = world.programme(FLEMISH)
    person = world.person("learner")
    found = check(world, person, programme, education_level=3)
    outcomes = {item.clause: item for item in found.clauses}
    assert outcomes["low-or-medium-skilled"].outcome == eligibility_pb2.ClauseOutcome.OUTCOME_PASSED
    assert not outcomes["low-or-medium-skilled"].verified
    assert outcomes["low-or-medium-skilled"].facts[0].source == learner_fact_pb2.FACT_SOURCE_SELF_DECLARED
    assert outcomes["in-work"].outcome == eligibility_pb2.ClauseOutcome.OUTCOME_UNDECIDED
    assert outcomes["in-work"].legal_reference
    missing = {item.key: list(item.suppliers) for item in found.missing}
    assert missing == {"employment_status": ["pes", "learner"], "integration_programme": ["pes"]}
    assert (found.eligible, found.automatic) == (False, False)
    assert cents(found.amount) == 25_000
    kept = person.facts.ListLearnerFacts(learner_fact_pb2.ListLearnerFactsRequest(parent=person.learner))
    assert not kept.facts


def test_every_programme_in_force_is_checked_for_a_session(world: World) -> None:
    paying, other = world.programme(**NO_EVIDENCE), world.programme(FLEMISH)
    world.list_shortage()
    learner = world.learner()
    asked = eligibility_pb2.CheckProgrammesRequest(learner=learner.learner, session=world.session)
    answer = learner.eligibility.CheckProgrammes(asked)
    found = {each.programme: each.outcome for each in answer.checks}
    assert found == {each: check(world, learner, each) for each in (paying, other)}
    assert (found[paying].eligible, found[other].eligible) == (True, False)
    assert all(each.display_names for each in answer.checks)
    first = learner.eligibility.CheckProgrammes(
        eligibility_pb2.CheckProgrammesRequest(learner=learner.learner, session=world.session, page_size=1)
    )
    asked.page_size, asked.page_token = 1, first.next_page_token
    assert [*first.checks, *learner.eligibility.CheckProgrammes(asked).checks] == list(answer.checks)
    stranger = world.person("learner")
    reason = refused(lambda: stranger.eligibility.CheckProgrammes(asked))
    assert reason == "NOT_FOUND"
    asked.session = "courses/none/sessions/none"
    asked.page_token = ""
    assert refused(lambda: learner.eligibility.CheckProgrammes(asked)) == "SESSION_UNKNOWN"


def test_cover_follows_the_target_group(world: World) -> None:
    programme = world.programme(FLEMISH)
    low = world.learner(employment_status="employed", education_level=3)
    mid = world.learner(employment_status="employed", education_level=4)
    free, half = check(world, low, programme), check(world, mid, programme)
    assert (free.target_group, cents(free.amount)) == ("below-upper-secondary", 25_000)
    assert (half.target_group, cents(half.amount)) == ("everyone-else", 12_500)
    assert cents(half.learner_share) == 87_500


def test_verified_facts_decide_at_once_and_pin_what_they_used(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    version = world.list_shortage()
    learner = world.learner()
    granted = world.apply(learner, programme)
    assert granted.state == State.STATE_GRANTED
    assert granted.automatic
    assert granted.programme_version == f"{programme}/versions/1"
    assert granted.shortage_list_version == version
    assert granted.shortage_entry == f"{version}/entries/1"
    assert len(granted.fact_hash) == 64
    read = learner.applications.GetApplication(pb.GetApplicationRequest(name=granted.name))
    assert read == granted


def test_refusals_carry_their_reasons(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    world.list_shortage(isco="9999")
    refusal = world.apply(world.learner(employment_status="employed"), programme)
    assert refusal.state == State.STATE_REFUSED
    assert list(refusal.reason_codes) == ["NOT_A_JOBSEEKER", "NOT_A_SHORTAGE_OCCUPATION"]
    assert not refusal.voucher


def test_a_rule_for_the_concept_alone_refuses_the_rest_of_its_group(world: World) -> None:
    rule = sample("dutch-temporary-training-voucher")["version"]["shortageRule"]
    exact = world.programme(**NO_EVIDENCE, shortageRule={**rule, "conceptOnly": True})
    wide = world.programme(**NO_EVIDENCE)
    world.list_shortage(uri="esco/solderer")  # the course is for welders, of the same group
    refused = world.apply(world.learner(), exact)
    assert list(refused.reason_codes) == ["NOT_A_SHORTAGE_OCCUPATION"]
    assert world.apply(world.learner(), wide).state == State.STATE_GRANTED
    world.list_shortage(uri="esco/welder")
    assert world.apply(world.learner(), exact).state == State.STATE_GRANTED


def test_too_late_once_per_person_and_no_double_funding(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    late = world.offer("courses/late", start=world.today - timedelta(days=15))
    in_time = world.offer("courses/in-time", start=world.today - timedelta(days=14))
    learner = world.learner()
    assert list(world.apply(learner, programme, late).reason_codes) == ["APPLIED_TOO_LATE"]
    assert world.apply(learner, programme, in_time).state == State.STATE_GRANTED
    assert list(world.apply(learner, programme).reason_codes) == ["GRANTED_BEFORE"]
    other = world.programme(**NO_EVIDENCE)
    assert list(world.apply(learner, other, in_time).reason_codes) == ["DOUBLE_FUNDING"]


def test_face_value_is_per_year(world: World) -> None:
    programme = world.programme(FLEMISH)
    learner = world.learner(employment_status="employed", education_level=4)
    cheap = world.offer("courses/cheap", price=15_000)
    assert cents(world.apply(learner, programme, cheap).amount) == 7_500
    assert cents(world.apply(learner, programme).amount) == 5_000
    third = world.offer("courses/third", price=15_000)
    assert list(world.apply(learner, programme, third).reason_codes) == ["NOTHING_LEFT"]


def test_declared_facts_wait_for_a_caseworker(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    person = world.person("learner")
    request = pb.CreateApplicationRequest(
        application=pb.Application(learner=person.learner, programme=programme, session=world.session),
        declared_facts=declared(employment_status="unemployed"),
        request_id=request_id(),
    )
    waiting = person.applications.CreateApplication(request)
    assert waiting.state == State.STATE_SUBMITTED
    assert person.applications.CreateApplication(request) == waiting
    request.request_id = request_id()
    assert refused(lambda: person.applications.CreateApplication(request)) == "APPLICATION_OPEN"
    queue = world.caseworker.applications.ListApplications(pb.ListApplicationsRequest(state=1))
    assert [item.name for item in queue.applications] == [waiting.name]
    decide_it = pb.DecideApplicationRequest(name=waiting.name, grant=True, reason="saw the papers")
    decide_it.etag = '"7"'
    assert refused(lambda: world.caseworker.applications.DecideApplication(decide_it)) == "ETAG_STALE"
    decide_it.etag = waiting.etag
    granted = world.caseworker.applications.DecideApplication(decide_it)
    assert (granted.state, granted.automatic) == (State.STATE_GRANTED, False)
    wallet = person.vouchers.ListVouchers(voucher_pb2.ListVouchersRequest(learner=person.learner))
    assert [voucher.name for voucher in wallet.vouchers] == [granted.voucher]
    decide_it.etag = ""
    assert refused(lambda: world.caseworker.applications.DecideApplication(decide_it)) == "WRONG_STATE"
    assert world.verify().intact


def submitted(world: World, programme: str, person: Any) -> Any:
    """Returns an application that waits."""
    request = pb.CreateApplicationRequest(
        application=pb.Application(learner=person.learner, programme=programme, session=world.session),
        declared_facts=declared(employment_status="unemployed"),
    )
    return person.applications.CreateApplication(request)


def test_what_a_caseworker_cannot_grant(world: World) -> None:
    programme = world.programme(fund=50_000, **NO_EVIDENCE)
    person = world.person("learner", "caseworker")
    waiting = submitted(world, programme, person)
    if waiting.state == State.STATE_REFUSED:  # the pot is too small for the whole price
        assert list(waiting.reason_codes) == ["BUDGET_EXHAUSTED"]
    world.fund(programme, 100_000, pot="more")
    again = waiting if waiting.state == State.STATE_SUBMITTED else submitted(world, programme, person)
    grant = pb.DecideApplicationRequest(name=again.name, grant=True, reason="my own")
    assert refused(lambda: person.applications.DecideApplication(grant)) == "SAME_PERSON"
    world.push(person, {"employment_status": "employed"})
    assert "grant" in violations_of(lambda: world.caseworker.applications.DecideApplication(grant))
    world.push(person, {"employment_status": "unemployed"})
    other = world.learner()
    assert world.apply(other, programme).state == State.STATE_GRANTED
    assert refused(lambda: world.caseworker.applications.DecideApplication(grant)) == "BUDGET_EXHAUSTED"
    refuse = pb.DecideApplicationRequest(name=again.name, reason="no money left")
    decided = world.caseworker.applications.DecideApplication(refuse)
    assert list(decided.reason_codes) == ["CASEWORKER"]


def test_validate_only_stores_nothing(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    learner = world.learner()
    request = pb.CreateApplicationRequest(
        application=pb.Application(learner=learner.learner, programme=programme, session=world.session),
        validate_only=True,
    )
    assert learner.applications.CreateApplication(request).state == State.STATE_GRANTED
    mine = pb.ListApplicationsRequest(learner=learner.learner)
    assert not learner.applications.ListApplications(mine).applications


@pytest.mark.parametrize(
    ("fact", "place"),
    [
        (learner_fact_pb2.LearnerFact(key="shoe_size", number=3, source=2), "facts[0].key"),
        (learner_fact_pb2.LearnerFact(key="education_level", text="x", source=2), "facts[0].value"),
        (learner_fact_pb2.LearnerFact(key="education_level", number=9, source=2), "facts[0].value"),
        (learner_fact_pb2.LearnerFact(key="employment_status", text="idle", source=2), "facts[0].value"),
        (learner_fact_pb2.LearnerFact(key="education_level", number=3), "facts[0].source"),
        (learner_fact_pb2.LearnerFact(key="residence_nuts", text="Antwerpen", source=2), "facts[0].value"),
    ],
)
def test_facts_that_make_no_sense_are_refused(world: World, fact: Any, place: str) -> None:
    request = learner_fact_pb2.PushLearnerFactsRequest(parent="learners/x", facts=[fact])
    assert place in violations_of(lambda: world.system.facts.PushLearnerFacts(request))


def test_a_place_that_is_no_nuts_code_is_refused_however_it_comes(world: World) -> None:
    programme, learner = world.programme(**NO_EVIDENCE), world.person("learner")
    good, bad = (
        learner_fact_pb2.LearnerFact(key="residence_nuts", text=t, source=2) for t in ("BE211", "be2")
    )
    level = learner_fact_pb2.LearnerFact(key="education_level", number=3, source=2)
    push = learner_fact_pb2.PushLearnerFactsRequest(parent=learner.learner, facts=[level, bad])
    assert (
        "such as BE211" in violations_of(lambda: world.system.facts.PushLearnerFacts(push))["facts[1].value"]
    )
    mine = learner_fact_pb2.ListLearnerFactsRequest(parent=learner.learner)
    assert not learner.facts.ListLearnerFacts(mine).facts, "the good one beside it was kept"
    application = pb.Application(learner=learner.learner, programme=programme, session=world.session)
    create = pb.CreateApplicationRequest(application=application, declared_facts=[bad])
    assert "declared_facts[0].value" in violations_of(lambda: learner.applications.CreateApplication(create))
    create.declared_facts[0].CopyFrom(good)
    assert learner.applications.CreateApplication(create).name  # control


def test_nobody_sees_what_is_not_theirs(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    stranger = world.learner()
    mine = pb.ListApplicationsRequest(learner=learner.learner)
    (application,) = learner.applications.ListApplications(mine).applications
    get = pb.GetApplicationRequest(name=application.name)
    assert refused(lambda: stranger.applications.GetApplication(get)) == "NOT_FOUND"
    assert refused(lambda: stranger.applications.ListApplications(mine)) == "NOT_FOUND"
    assert (
        refused(lambda: stranger.applications.ListApplications(pb.ListApplicationsRequest())) == "NOT_FOUND"
    )
    assert refused(lambda: world.wallet(stranger, voucher)) == "NOT_FOUND"
    wallet = voucher_pb2.ListVouchersRequest(learner=learner.learner)
    assert refused(lambda: stranger.vouchers.ListVouchers(wallet)) == "NOT_FOUND"
    facts = learner_fact_pb2.ListLearnerFactsRequest(parent=learner.learner)
    assert refused(lambda: stranger.facts.ListLearnerFacts(facts)) == "NOT_FOUND"
