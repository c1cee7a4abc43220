"""Validation over the real server: frozen when handed in, assessed by who is independent, and what then."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import grpc
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import (
    credential_pb2,
    entry_pb2,
    events_pb2,
    evidence_pb2,
    holder_pb2,
    mandate_pb2,
    skill_claim_pb2,
)
from waymark.portfolio.v1 import pathway_pb2 as ways
from waymark.portfolio.v1 import validation_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.portfolio import validating
from services.portfolio.api.references import check_own
from services.portfolio.domain import quotas, validation
from services.portfolio.store import pathways, validations
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import set_scan_state
from tests.integration.portfolio.test_evidence import stored
from tests.support.portfolio import PDF, Caller, Portfolio, entry, mandate, pathway, reason_of, refused, step
from tests.support.validations import NOT_SHOWN, PARTLY, SHOWN, Given, identified, opened_case, submitted

State = pb.ValidationCase.State
create = pathways.create


def get(caller: Caller, given: Given) -> pb.ValidationCase:
    return caller.GetValidationCase(pb.GetValidationCaseRequest(name=given.name))


def told(portfolio: Portfolio, name: str) -> list[str]:
    with transaction(portfolio.app) as tx:
        query = text("SELECT payload FROM outbox WHERE aggregateid = :id ORDER BY seq")
        rows = tx.execute(query, {"id": name}).scalars()
        return [events_pb2.ValidationCaseMoved.FromString(row).to_state for row in rows]


def log_of(person: Caller) -> set[tuple[str, str]]:
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    return {(each.action, each.subject) for each in records}


def test_certified_as_a_whole_with_a_credential(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    queue = pb.ListSubmittedCasesRequest(parent=given.body)
    (waiting,) = given.head.ListSubmittedCases(queue).submitted_cases
    assert (waiting.validation_case, waiting.state) == (given.name, State.STATE_SUBMITTED)
    request = pb.ConcludeValidationCaseRequest(name=given.name, request_id=str(uuid.uuid4()))
    given.assigned(given.assessor)
    given.assessor.DecideValidationCase(given.deciding(SHOWN, SHOWN, note="a welder"))
    assert reason_of(given.assessor.ConcludeValidationCase, request) == "SAME_PERSON"
    made = given.head.ConcludeValidationCase(request)
    assert given.head.ConcludeValidationCase(request) == made  # the kept answer
    assert (made.state, made.outcome, made.decision_note) == (State.STATE_CERTIFIED, 1, "a welder")
    assert not made.HasField("appeal_end_time")
    assert get(given.person, given) == get(given.counsellor, given) == made
    file = given.person.GetCredentialFile(credential_pb2.GetCredentialFileRequest(name=made.credential))
    for said in (b"http://example.org/qualification/welder", b"EQF level 4", b"VKS 4", b"10 credit points"):
        assert said in file.content
    assert b"Ada" not in file.content
    verdict = portfolio.anybody().VerifyCredential(
        credential_pb2.VerifyCredentialRequest(content=file.content)
    )
    assert verdict.verdict.state == credential_pb2.Verdict.STATE_VALID
    appeal = pb.AppealValidationCaseRequest(name=given.name, grounds="none")
    assert reason_of(given.person.AppealValidationCase, appeal) == "WRONG_STATE"
    assert told(portfolio, given.name) == [
        *("INFORMATION", "IDENTIFICATION", "DOCUMENTATION", "SUBMITTED"),
        *("ASSESSMENT", "DECIDED", "CERTIFIED"),
    ]
    assert {
        ("AssignAssessor", given.head.subject),
        ("DecideValidationCase", given.assessor.subject),
        ("ConcludeValidationCase", given.head.subject),
    } <= log_of(given.person)


def test_what_is_handed_in_is_frozen_and_the_assessor_sees_nothing_else(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    look = pb.GetValidationSnapshotRequest(name=given.name)
    frozen = given.person.GetValidationSnapshot(look)
    assert get(given.person, given).snapshot_sha256 == validating.print_of(frozen)
    (work,) = frozen.entries
    changed = entry_pb2.Entry(name=work.name, title="Bakery")
    given.person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=changed))
    late = pb.DocumentElementsRequest(
        name=given.name, documents=[pb.ElementDocument(element="arc", rating=NOT_SHOWN)]
    )
    assert reason_of(given.person.DocumentElements, late) == "WRONG_STATE"
    for early in (given.head, given.assessor):
        assert reason_of(early.GetValidationSnapshot, look) == "NOT_FOUND"
    given.assigned(given.assessor)
    assert given.assessor.GetValidationSnapshot(look) == frozen
    assert frozen.entries[0].title == "Shipyard"
    assert ("GetValidationSnapshot", given.assessor.subject) in log_of(given.person)
    for call, request in [
        (given.assessor.GetHolder, holder_pb2.GetHolderRequest(name=given.person.holder)),
        (given.assessor.GetEntry, entry_pb2.GetEntryRequest(name=work.name)),
    ]:
        assert reason_of(call, request) == "PERMISSION_DENIED"
    given.assessor.DecideValidationCase(given.deciding(SHOWN, NOT_SHOWN))
    assert reason_of(given.assessor.GetValidationSnapshot, look) == "WRONG_STATE"
    assert given.person.GetValidationSnapshot(look) == frozen


def test_the_assessor_downloads_what_was_frozen(portfolio_with_files: Portfolio) -> None:
    given = identified(portfolio_with_files)
    shown, other = stored(given.person), stored(given.person, PDF + b"other")
    documents = [
        pb.ElementDocument(element=element, rating=SHOWN, evidence=[shown.name]) for element in ("arc", "gas")
    ]
    given.person.DocumentElements(pb.DocumentElementsRequest(name=given.name, documents=documents))
    given.person.SubmitValidationCase(pb.SubmitValidationCaseRequest(name=given.name))
    given.assigned(given.assessor)
    file = pb.GetSnapshotFileRequest(name=given.name, evidence=shown.name)
    assert shown.name.rpartition("/")[2] in given.assessor.GetSnapshotFile(file).url
    assert ("GetSnapshotFile", given.assessor.subject) in log_of(given.person)
    assert reason_of(given.second.GetSnapshotFile, file) == "NOT_FOUND"
    file.evidence = other.name
    assert reason_of(given.assessor.GetSnapshotFile, file) == "NOT_FOUND"
    file.evidence = shown.name
    with transaction(portfolio_with_files.app) as tx:  # what a scan finds afterwards counts as well
        set_scan_state(tx, shown.name.rpartition("/")[2], evidence_pb2.Evidence.SCAN_STATE_INFECTED)
    assert reason_of(given.assessor.GetSnapshotFile, file) == "EVIDENCE_INFECTED"
    own = evidence_pb2.GetEvidenceDownloadRequest(name=shown.name)
    assert reason_of(given.assessor.GetEvidenceDownload, own) == "PERMISSION_DENIED"


def test_in_part_makes_the_missing_steps_and_an_appeal_has_the_last_word(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    before = given.person.GetPathway(ways.GetPathwayRequest(name=get(given.person, given).pathway))
    made = given.concluded(SHOWN, PARTLY)
    assert (made.state, made.credential) == (State.STATE_PARTIAL, "")
    way = given.person.GetPathway(ways.GetPathwayRequest(name=made.pathway))
    (added,) = way.steps
    assert (added.title, added.kind, added.name) == (
        "Gas welding",
        ways.Step.KIND_PRACTICE,
        made.elements[1].step,
    )
    assert way.revision == before.revision + 1  # both are asked to agree to it
    appeal = pb.AppealValidationCaseRequest(name=given.name, grounds="nobody let me light one")
    assert given.person.AppealValidationCase(appeal).state == State.STATE_APPEAL
    for involved in (given.assessor, given.head):
        again = pb.AssignAssessorRequest(name=given.name, assessor=involved.subject)
        assert reason_of(given.head.AssignAssessor, again) == "SAME_PERSON"
    assert reason_of(given.assessor.DecideValidationCase, given.deciding(SHOWN, SHOWN)) == "NOT_FOUND"
    assert given.assigned(given.second).state == State.STATE_APPEAL
    last = given.second.DecideValidationCase(given.deciding(SHOWN, SHOWN))
    assert (last.state, last.former_assessor) == (State.STATE_REDECIDED, given.assessor.subject)
    assert last.credential
    assert last.elements[1].former_assessment.rating == PARTLY
    assert reason_of(given.person.AppealValidationCase, appeal) == "WRONG_STATE"
    assert told(portfolio, given.name)[-3:] == ["PARTIAL", "APPEAL", "REDECIDED"]


def test_steps_of_an_ended_pathway_go_into_a_new_one(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    ended = get(given.person, given).pathway
    given.person.AbandonPathway(ways.AbandonPathwayRequest(name=ended, reason="moved"))
    made = given.concluded(NOT_SHOWN, SHOWN)
    assert made.elements[0].step
    assert not made.elements[0].step.startswith(ended)
    fresh = made.elements[0].step.partition("/steps/")[0]
    way = given.person.GetPathway(ways.GetPathwayRequest(name=fresh))
    assert (way.target, way.steps[0].kind) == (made.qualification, ways.Step.KIND_COURSE)


def test_steps_for_which_a_pathway_has_no_room_go_into_a_new_one(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = submitted(portfolio)
    full = get(given.person, given).pathway
    step(given.person, full)
    monkeypatch.setitem(quotas.LIMITS, "pathway_steps", 1)
    made = given.concluded(SHOWN, NOT_SHOWN)
    assert made.elements[1].step
    assert not made.elements[1].step.startswith(full)


@pytest.mark.parametrize("second", [SHOWN, NOT_SHOWN], ids=["certified", "in part"])
def test_a_decision_stands_however_full_a_portfolio_is(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, second: Any
) -> None:
    given = submitted(portfolio)
    full = get(given.person, given).pathway
    step(given.person, full)
    for what, limit in {"credentials": 0, "skill_claims": 0, "pathways": 0, "pathway_revisions": 2}.items():
        monkeypatch.setitem(quotas.LIMITS, what, limit)
    with monkeypatch.context() as careless:
        careless.setattr(Collection, "append", Collection.add)  # control
        careless.setattr(pathways, "create", lambda tx, vault, made, *, refusable: create(tx, vault, made))
        given.assigned(given.assessor)
        given.assessor.DecideValidationCase(given.deciding(SHOWN, second))
        conclude = pb.ConcludeValidationCaseRequest(name=given.name)
        assert reason_of(given.head.ConcludeValidationCase, conclude) == "QUOTA_EXCEEDED"
    made = given.head.ConcludeValidationCase(conclude)
    assert bool(made.credential) is (second == SHOWN)
    assert made.elements[1].step.startswith(full) is False
    assert bool(made.elements[1].step) is (second == NOT_SHOWN)
    more = skill_claim_pb2.SkillClaim(concept_uri="urn:x:mine")
    own = skill_claim_pb2.CreateSkillClaimRequest(parent=given.person.holder, skill_claim=more)
    assert reason_of(given.person.CreateSkillClaim, own) == "QUOTA_EXCEEDED"  # the holder's own


def test_no_counsellor_of_the_holder_assesses_ever(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = submitted(portfolio)
    for near in (given.counsellor, given.person):
        request = pb.AssignAssessorRequest(name=given.name, assessor=near.subject)
        assert reason_of(given.head.AssignAssessor, request) == "ASSESSOR_NOT_INDEPENDENT"
    former = mandate(given.person, given.second, portfolio.organisation, 2)
    ended = given.person.CreateMandate(former)
    given.person.RevokeMandate(mandate_pb2.RevokeMandateRequest(name=ended.name))
    request = pb.AssignAssessorRequest(name=given.name, assessor=given.second.subject)
    assert reason_of(given.head.AssignAssessor, request) == "ASSESSOR_NOT_INDEPENDENT"
    # Who becomes a counsellor while the case is with them decides nothing.
    given.assigned(given.assessor)
    given.person.CreateMandate(mandate(given.person, given.assessor, portfolio.organisation, 1))
    deciding = given.deciding(SHOWN, SHOWN)
    assert reason_of(given.assessor.DecideValidationCase, deciding) == "ASSESSOR_NOT_INDEPENDENT"
    monkeypatch.setattr(validation, "require_independent", lambda *_: None)
    assert given.head.AssignAssessor(request).assessor == given.second.subject  # control


def test_an_appeal_comes_too_late_after_thirty_days(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    made = given.concluded(NOT_SHOWN, NOT_SHOWN)
    assert made.state == State.STATE_REFUSED
    assert not any(element.step for element in made.elements)
    until = made.appeal_end_time.ToDatetime() - made.update_time.ToDatetime()
    assert abs(until - timedelta(days=30)) < timedelta(seconds=1)
    with transaction(portfolio.app) as tx:
        back = "UPDATE validation_cases SET appeal_end = now() WHERE id = :id"
        tx.execute(text(back), {"id": given.name.rpartition("/")[2]})
    appeal = pb.AppealValidationCaseRequest(name=given.name, grounds="late")
    info = refused(given.person.AppealValidationCase, appeal)
    assert (info.reason, bool(info.metadata["appeal_end_time"])) == ("VALIDATION_APPEAL_TOO_LATE", True)


def test_withdrawn_before_a_decision_and_closed_to_the_body(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    given.assigned(given.assessor)
    withdraw = pb.WithdrawValidationCaseRequest(name=given.name)
    assert given.person.WithdrawValidationCase(withdraw).state == State.STATE_WITHDRAWN
    look = pb.GetValidationCaseRequest(name=given.name)
    for staff in (given.head, given.assessor):
        assert reason_of(staff.GetValidationCase, look) == "NOT_FOUND"
    queue = pb.ListSubmittedCasesRequest(parent=given.body)
    assert not given.head.ListSubmittedCases(queue).submitted_cases
    decided = submitted(portfolio)
    decided.assigned(decided.assessor)
    decided.assessor.DecideValidationCase(decided.deciding(SHOWN, SHOWN))
    withdraw.name = decided.name
    assert reason_of(decided.person.WithdrawValidationCase, withdraw) == "WRONG_STATE"


def test_what_is_not_in_order_is_refused(portfolio: Portfolio) -> None:
    given = identified(portfolio)
    person = given.person
    submit = pb.SubmitValidationCaseRequest(name=given.name)
    assert reason_of(person.SubmitValidationCase, submit) == "WRONG_STATE"

    def document(**fields) -> str:
        document = pb.ElementDocument(**({"element": "arc", "rating": SHOWN} | fields))
        request = pb.DocumentElementsRequest(name=given.name, documents=[document])
        return reason_of(person.DocumentElements, request)

    assert document(element="none") == "INVALID_ARGUMENT"
    assert document(entries=["holders/x/entries/y"]) == "INVALID_ARGUMENT"
    rated = pb.ElementDocument(element="arc", rating=NOT_SHOWN)
    person.DocumentElements(pb.DocumentElementsRequest(name=given.name, documents=[rated]))
    info = refused(person.SubmitValidationCase, submit)
    assert (info.reason, info.metadata["elements"]) == ("VALIDATION_NOT_DOCUMENTED", "gas")
    twice = [pb.ValidationElement(id="x", title="x")] * 2
    identify = pb.IdentifyElementsRequest(name=opened_case(portfolio, person)[0].name, elements=twice)
    assert reason_of(person.IdentifyElements, identify) == "INVALID_ARGUMENT"
    stale = pb.DocumentElementsRequest(name=given.name, documents=[rated], etag='"1"')
    assert reason_of(person.DocumentElements, stale) == "ETAG_STALE"
    other = submitted(portfolio)
    other.assigned(other.assessor)
    one = pb.DecideValidationCaseRequest(name=other.name, assessments=other.deciding(3, 3).assessments[:1])
    assert reason_of(other.assessor.DecideValidationCase, one) == "INVALID_ARGUMENT"
    occupation = person.CreatePathway(
        ways.CreatePathwayRequest(
            parent=person.holder, pathway=ways.Pathway(target={"occupation_uri": "http://a/b"})
        )
    )
    ended = pathway(person).name
    person.AbandonPathway(ways.AbandonPathwayRequest(name=ended, reason="moved"))
    for way, body, reason in [
        (occupation.name, given.body, "INVALID_ARGUMENT"),
        (pathway(person).name, "credentialIssuers/none", "INVALID_ARGUMENT"),
        (ended, given.body, "WRONG_STATE"),
    ]:
        case = pb.ValidationCase(pathway=way, awarding_body=body)
        request = pb.CreateValidationCaseRequest(parent=person.holder, validation_case=case)
        assert reason_of(person.CreateValidationCase, request) == reason


def test_what_is_not_in_the_portfolio_is_named_with_its_place(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    own, foreign = entry(person).name, entry(other).name
    named = {"first.entries": [own], "second.entries": [own, foreign, "nonsense"]}
    with transaction(portfolio.app) as tx, pytest.raises(Refusal) as caught:
        check_own(tx, person.subject, ENTRIES, named)
    assert [each.field for each in caught.value.violations] == ["second.entries[1]", "second.entries[2]"]


def test_staff_of_another_body_find_nothing(portfolio: Portfolio) -> None:
    given, other = submitted(portfolio), submitted(portfolio)
    look = pb.GetValidationCaseRequest(name=given.name)
    assert get(given.head, given).state == State.STATE_SUBMITTED
    assert reason_of(other.head.GetValidationCase, look) == "NOT_FOUND"
    queue = pb.ListSubmittedCasesRequest(parent=given.body)
    assert reason_of(other.head.ListSubmittedCases, queue) == "NOT_FOUND"
    unsubmitted = identified(portfolio)
    look.name = unsubmitted.name
    assert reason_of(unsubmitted.head.GetValidationCase, look) == "NOT_FOUND"
    listed = given.person.ListValidationCases(pb.ListValidationCasesRequest(parent=given.person.holder))
    assert [case.name for case in listed.validation_cases] == [given.name]


def test_the_queue_of_a_body_has_an_index(portfolio: Portfolio) -> None:
    with transaction(portfolio.app) as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        plan = tx.execute(
            text(
                "EXPLAIN SELECT id FROM validation_cases WHERE issuer_id = 'x' "
                "AND state BETWEEN 4 AND 11 ORDER BY id DESC LIMIT 50"
            )
        ).scalars()
        assert "validation_cases_handed_in" in "\n".join(plan)


def conclude_twice_at_once(portfolio: Portfolio) -> tuple[list[str], int]:
    """Two colleagues conclude at the same moment; returns what they were told, and how many credentials
    came of it."""
    given = submitted(portfolio)
    given.assigned(given.assessor)
    given.assessor.DecideValidationCase(given.deciding(SHOWN, SHOWN))
    request = pb.ConcludeValidationCaseRequest(name=given.name)

    def conclude(head: Caller) -> str:
        try:
            return State.Name(head.ConcludeValidationCase(request).state)
        except grpc.RpcError as error:
            return str(error.code().name)

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(conclude, (given.head, given.second)))
    held = given.person.ListCredentials(credential_pb2.ListCredentialsRequest(parent=given.person.holder))
    return said, len(held.credentials)


def test_of_two_who_conclude_at_once_one_does(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert conclude_twice_at_once(portfolio) == (["FAILED_PRECONDITION", "STATE_CERTIFIED"], 1)
    # Control: without the lock both read the case before either writes it.
    both, get = threading.Barrier(2, timeout=20), validations.CASES.get

    def unlocked(tx: Any, vault: Any, case_id: str, **options: Any) -> pb.ValidationCase:
        case = get(tx, vault, case_id)
        if case.state == State.STATE_DECIDED:
            both.wait()
        return case

    monkeypatch.setattr(validations.CASES, "get", unlocked)
    assert conclude_twice_at_once(portfolio) == (["STATE_CERTIFIED", "STATE_CERTIFIED"], 2)


@pytest.mark.parametrize("change", ["assessor = holder_id", "former_assessor = 'x', assessor = 'x'"])
def test_the_database_keeps_the_holder_and_the_first_assessor_off(portfolio: Portfolio, change: str) -> None:
    given = submitted(portfolio)
    update = text(f"UPDATE validation_cases SET {change} WHERE id = :id")
    with (
        pytest.raises(IntegrityError, match="validation_cases_"),
        transaction(portfolio.app) as tx,
    ):
        tx.execute(update, {"id": given.name.rpartition("/")[2]})
