"""Officers' assessments: a second person verifies, verified ones are rolled up, councils attest."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import assessment_pb2 as pb
from waymark.catalogue.v1 import assessment_pb2_grpc, shortage_list_pb2

from services.catalogue.domain import assessment as rules
from services.catalogue.store import assessments as store
from services.platform.db.transaction import transaction
from services.platform.identity.principals import Principal
from tests.support.catalogue import DEVELOPER, Catalogue, day, in_threads, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token

OFFICER = token("caseworker", subject=str(uuid.uuid4()))
OTHER = token("caseworker", subject=str(uuid.uuid4()))
FEW, SKILLS = 1, 2
V = pb.Assessment


@pytest.fixture
def lmi(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def calls(lmi: Catalogue, access: str = OFFICER) -> Any:
    return lmi.stub(assessment_pb2_grpc.AssessmentServiceStub, access)


def enter(lmi: Catalogue, area: str, severity: int, cause: int = FEW, occupation: str = "2512") -> str:
    given = V(occupation=occupation, nuts_code=area, severity=severity, cause=cause)  # type: ignore[arg-type]
    return str(calls(lmi).CreateAssessment(pb.CreateAssessmentRequest(assessment=given)).name)


def verified(lmi: Catalogue, *assessment: Any) -> str:
    name = enter(lmi, *assessment)
    calls(lmi, OTHER).VerifyAssessment(pb.VerifyAssessmentRequest(name=name))
    return name


def rolled(lmi: Catalogue, region: str, occupation: str = "2512") -> pb.RollUp:
    request = pb.RollUpAssessmentsRequest(occupation=occupation, nuts_code=region)
    answer: pb.RollUp = calls(lmi, "").RollUpAssessments(request)
    return answer


def test_it_counts_once_a_second_person_has_verified_it(lmi: Catalogue) -> None:
    name = enter(lmi, "BE21", 4)
    assert not rolled(lmi, "BE2").assessed
    request = pb.VerifyAssessmentRequest(name=name)
    assert reason_of(calls(lmi).VerifyAssessment, request) == "SAME_PERSON"
    calls(lmi, OTHER).VerifyAssessment(request)
    assert reason_of(calls(lmi, OTHER).VerifyAssessment, request) == "WRONG_STATE"
    answer = rolled(lmi, "BE2")
    assert (answer.severity, answer.cause, answer.method) == (4, FEW, rules.METHOD)
    assert [each.name for each in answer.assessments] == [name]
    verified(lmi, "BE22", 1, SKILLS)
    assert (rolled(lmi, "BE2").severity, rolled(lmi, "BE21").severity) == (3, 4)
    assert not rolled(lmi, "BE1").assessed


def test_control_without_the_check_the_database_still_wants_a_second_person(
    lmi: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = enter(lmi, "BE21", 4)
    monkeypatch.setattr(rules, "check_verification", lambda *_: None)
    assert reason_of(calls(lmi).VerifyAssessment, pb.VerifyAssessmentRequest(name=name)) == "INTERNAL"
    with transaction(lmi.app) as tx:
        tx.connection.exec_driver_sql("ALTER TABLE assessments DROP CONSTRAINT assessment_second_person")
    calls(lmi).VerifyAssessment(pb.VerifyAssessmentRequest(name=name))
    assert rolled(lmi, "BE21").assessed


def test_a_later_one_takes_the_place_of_the_earlier_a_rejected_one_does_not(lmi: Catalogue) -> None:
    first, second = verified(lmi, "BE21", 4), verified(lmi, "BE21", 2)
    third = enter(lmi, "BE21", 5)
    calls(lmi, OTHER).VerifyAssessment(pb.VerifyAssessmentRequest(name=third, reject=True))
    listed = calls(lmi).ListAssessments(pb.ListAssessmentsRequest(nuts_code="BE2", page_size=2))
    more = pb.ListAssessmentsRequest(nuts_code="BE2", page_size=2, page_token=listed.next_page_token)
    rest = calls(lmi).ListAssessments(more)
    assert [(each.name, each.state) for each in (*listed.assessments, *rest.assessments)] == [
        (third, V.STATE_REJECTED),
        (second, V.STATE_VERIFIED),
        (first, V.STATE_SUPERSEDED),
    ]
    assert rolled(lmi, "BE").severity == 2


def test_many_verifiers_leave_one_that_counts(lmi: Catalogue) -> None:
    names = [enter(lmi, "BE21", severity) for severity in (1, 2, 3, 4, 5)]

    def verify(index: int) -> Any:
        return calls(lmi, OTHER).VerifyAssessment(pb.VerifyAssessmentRequest(name=names[index]))

    assert not [each for each in in_threads(5, verify) if isinstance(each, Exception)]
    listed = calls(lmi).ListAssessments(pb.ListAssessmentsRequest(state=V.STATE_VERIFIED)).assessments
    assert len(listed) == 1


def verify_two_at_once(lmi: Catalogue) -> list[Any]:
    """Verifies two of one area, the second while the first is not committed; returns what it raised."""
    ids = [enter(lmi, "BE21", severity).split("/")[1] for severity in (1, 2)]
    raised: list[Any] = []

    def verify(index: int) -> None:
        with transaction(lmi.app, Principal(str(uuid.uuid4()), frozenset())) as tx:
            store.decide(tx, store.read(tx, ids[index], lock=True), reject=False)
            if index == 0:
                later.start()
                later.join(1)  # it waits for this one, whichever way
                assert later.is_alive()

    def second() -> None:
        try:
            verify(1)
        except IntegrityError as error:
            raised.append(error)

    later = threading.Thread(target=second)
    verify(0)
    later.join()
    return raised


def test_two_verifiers_of_one_area_take_turns(lmi: Catalogue) -> None:
    assert verify_two_at_once(lmi) == []
    assert rolled(lmi, "BE21").severity == 2


def test_control_without_turns_they_collide(lmi: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_in_turn", lambda *_: None)
    assert len(verify_two_at_once(lmi)) == 1


def test_a_council_attests_what_is_in_its_field(lmi: Catalogue) -> None:
    council = lmi.organisation("it-council")
    name = verified(lmi, "BE21", 4, FEW, DEVELOPER)
    member = token("provider", subject=str(uuid.uuid4()), org=council)
    word = pb.AttestAssessmentRequest(
        name=name, verdict=pb.Attestation.VERDICT_AGREES, explanation="so we see it"
    )
    assert reason_of(calls(lmi, member).AttestAssessment, word) == "NOT_FOUND"
    appoint = calls(lmi, lmi.manager).AppointSectorCouncil
    appoint(pb.AppointSectorCouncilRequest(organisation=council, isco_codes=["72"]))
    assert reason_of(calls(lmi, member).AttestAssessment, word) == "NOT_FOUND"
    appoint(pb.AppointSectorCouncilRequest(organisation=council, isco_codes=["72", "25"]))
    told = calls(lmi, member).AttestAssessment(word).attestations
    assert [(each.organisation, each.verdict, each.explanation) for each in told] == [
        (council, 1, "so we see it")
    ]
    word.verdict = pb.Attestation.VERDICT_DISPUTES
    calls(lmi, member).AttestAssessment(word)
    answer = rolled(lmi, "BE2", DEVELOPER)
    assert answer.severity == 4
    assert [each.verdict for each in answer.assessments[0].attestations] == [2]
    word.name = enter(lmi, "BE22", 3, FEW, DEVELOPER)
    assert reason_of(calls(lmi, member).AttestAssessment, word) == "WRONG_STATE"
    appoint(pb.AppointSectorCouncilRequest(organisation=council))
    assert reason_of(calls(lmi, member).AttestAssessment, word) == "NOT_FOUND"


def test_what_is_no_assessment(lmi: Catalogue) -> None:
    create = calls(lmi).CreateAssessment
    for wrong in (
        V(occupation="http://x/y", nuts_code="BE2", severity=1, cause=FEW),  # type: ignore[arg-type]
        V(occupation="2512", nuts_code="BE2", severity=1),
        V(occupation="2512", nuts_code="be", severity=0),
        V(occupation="2512", nuts_code="BE999", severity=0),
        V(occupation="2512", nuts_code="BE2", severity=6, cause=FEW),  # type: ignore[arg-type]
    ):
        assert reason_of(create, pb.CreateAssessmentRequest(assessment=wrong)) == "INVALID_ARGUMENT"
    nowhere = pb.RollUpAssessmentsRequest(occupation="2512", nuts_code="BE999")
    assert reason_of(calls(lmi, "").RollUpAssessments, nowhere) == "INVALID_ARGUMENT"


def test_a_list_is_drafted_from_verified_assessments_and_told_apart_from_the_last(lmi: Catalogue) -> None:
    parent = lmi.shortage_list()
    draft = shortage_list_pb2.DraftShortageListVersionRequest(parent=parent, valid_from=day("2026-01-01"))
    make = lmi.shortages().DraftShortageListVersion
    enter(lmi, "BE21", 5)
    assert reason_of(make, draft) == "SHORTAGE_LIST_EMPTY"  # nobody has verified it
    verified(lmi, "BE21", 4)
    verified(lmi, "BE21", 3, SKILLS, "7512")
    verified(lmi, "BE1", 5, FEW, "2221")  # of another territory
    first = make(draft)
    assert "From 2 verified assessments of officers in BE2, rolled up by mean-of-areas-1" in first.method
    entries = lmi.shortages().ListShortageEntries(
        shortage_list_pb2.ListShortageEntriesRequest(parent=first.name)
    )
    assert [(e.occupation.isco_code, e.label, e.severity, e.nuts_code) for e in entries.shortage_entries] == [
        ("2512", "Software developers", 4, "BE2"),
        ("7512", "Bakers, pastry-cooks and confectionery makers", 3, "BE2"),
    ]
    evidence = [list(each.evidence) for each in entries.shortage_entries]
    assert [len(each) for each in evidence] == [1, 1]
    assert all(name.startswith("assessments/") for each in evidence for name in each)
    assert lmi.publish(first.name).digest
    verified(lmi, "BE21", 0, 0, "7512")
    verified(lmi, "BE21", 5, SKILLS)
    verified(lmi, "BE22", 3, FEW, "2221")
    draft.valid_from.CopyFrom(day("2027-01-01"))
    second = make(draft)
    changes = lmi.shortages().ListShortageChanges
    request = shortage_list_pb2.ListShortageChangesRequest(parent=second.name, page_size=2)
    answer = changes(request)
    assert answer.base == first.name
    request.page_token = answer.next_page_token
    assert [
        (c.occupation.isco_code, c.severity_before, c.severity_after, c.cause_before, c.cause_after)
        for c in (*answer.changes, *changes(request).changes)
    ] == [("2221", 0, 3, 0, FEW), ("2512", 4, 5, FEW, SKILLS), ("7512", 3, 0, SKILLS, 0)]
    hidden = lmi.shortages("").ListShortageChanges
    assert reason_of(hidden, shortage_list_pb2.ListShortageChangesRequest(parent=second.name)) == "NOT_FOUND"
    of_first = changes(shortage_list_pb2.ListShortageChangesRequest(parent=first.name))
    assert (of_first.base, len(of_first.changes)) == ("", 2)
