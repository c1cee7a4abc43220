"""Mandates: what a counsellor sees, for how long, and that the holder reads of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import entry_pb2, events_pb2, evidence_pb2, holder_pb2, pathway_pb2, skill_claim_pb2
from waymark.portfolio.v1 import handover_pb2 as hand
from waymark.portfolio.v1 import mandate_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio.api import calls
from services.portfolio.store import access_records
from tests.support.portfolio import Caller, Portfolio, entry, mandate, pathway, reason_of, skill, soon, step
from tests.support.refusals import fields_refused


def records(person: Caller) -> list[log.AccessRecord]:
    found = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder))
    return list(found.access_records)


def test_a_counsellor_sees_from_the_mandate_to_its_end(portfolio: Portfolio) -> None:
    person, counsellor = portfolio.person(given_name="Ada"), portfolio.counsellor()
    look = holder_pb2.GetHolderRequest(name=person.holder)
    assert reason_of(counsellor.GetHolder, look) == "NOT_FOUND"
    given = person.CreateMandate(
        mandate(person, counsellor, portfolio.organisation, pb.MANDATE_PURPOSE_GUIDANCE)
    )
    assert given.state == pb.Mandate.STATE_ACTIVE
    assert counsellor.GetHolder(look).given_name == "Ada"
    revoked = person.RevokeMandate(pb.RevokeMandateRequest(name=given.name))
    assert revoked.state == pb.Mandate.STATE_REVOKED
    assert person.RevokeMandate(pb.RevokeMandateRequest(name=given.name)) == revoked
    assert reason_of(counsellor.GetHolder, look) == "NOT_FOUND"
    assert list(person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates) == [revoked]


def test_a_mandate_says_by_which_ground_in_law(portfolio: Portfolio) -> None:
    person, counsellor, office = portfolio.person(), portfolio.counsellor(), portfolio.organisation

    def giving(**fields: Any) -> pb.CreateMandateRequest:
        wanted = mandate(person, counsellor, office, pb.MANDATE_PURPOSE_GUIDANCE)
        wanted.mandate.MergeFrom(pb.Mandate(**fields))
        return wanted

    assert person.CreateMandate(giving()).legal_basis == pb.MANDATE_LEGAL_BASIS_CONSENT
    task = person.CreateMandate(giving(legal_basis=pb.MANDATE_LEGAL_BASIS_PUBLIC_TASK))
    assert task.legal_basis == pb.MANDATE_LEGAL_BASIS_PUBLIC_TASK
    of_health = giving(legal_basis=pb.MANDATE_LEGAL_BASIS_EXPLICIT_CONSENT)
    assert fields_refused(person.CreateMandate, of_health) == ["mandate.legal_basis"]
    handing = hand.Handover(mandate=task.name, counsellor="another", organisation=office)
    offer = counsellor.CreateHandover(hand.CreateHandoverRequest(parent=person.holder, handover=handing))
    person.AcceptHandover(hand.AcceptHandoverRequest(name=offer.name))
    newest, *_ = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    assert (newest.counsellor, newest.legal_basis) == ("another", task.legal_basis)


def test_a_mandate_is_of_one_person_one_organisation_and_a_time(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    look = holder_pb2.GetHolderRequest(name=person.holder)
    counsellor.GetHolder(look)
    elsewhere = portfolio.counsellor("organisations/other", counsellor.subject)
    assert reason_of(elsewhere.GetHolder, look) == "NOT_FOUND"
    assert reason_of(portfolio.counsellor().GetHolder, look) == "NOT_FOUND"
    with transaction(portfolio.app) as tx:
        tx.execute(text("UPDATE mandates SET expires_at = now()"))
    assert reason_of(counsellor.GetHolder, look) == "NOT_FOUND"
    (ended,) = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    assert ended.state == pb.Mandate.STATE_EXPIRED


def test_a_pathway_mandate_opens_pathways_only(portfolio: Portfolio) -> None:
    person = portfolio.person()
    way, job = pathway(person), entry(person)
    counsellor = portfolio.mandated(person, pb.MANDATE_PURPOSE_PATHWAY)
    assert counsellor.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name)) == way
    closed = {
        "GetHolder": holder_pb2.GetHolderRequest(name=person.holder),
        "GetEntry": entry_pb2.GetEntryRequest(name=job.name),
        "ListEntries": entry_pb2.ListEntriesRequest(parent=person.holder),
        "ListSkillClaims": skill_claim_pb2.ListSkillClaimsRequest(parent=person.holder),
        "ListEvidence": evidence_pb2.ListEvidenceRequest(parent=person.holder),
    }
    for rpc, request in closed.items():
        assert reason_of(getattr(counsellor, rpc), request) == "NOT_FOUND", rpc
    assert [record.action for record in records(person)] == ["GetPathway"]


@pytest.mark.parametrize(
    "change", [{"counsellor": "self"}, {"expire_time": soon(days=-1)}, {"expire_time": soon(days=800)}]
)
def test_a_bad_mandate_is_refused(portfolio: Portfolio, change: dict) -> None:
    person = portfolio.person()
    request = mandate(person, portfolio.counsellor(), portfolio.organisation, pb.MANDATE_PURPOSE_GUIDANCE)
    if "counsellor" in change:
        request.mandate.counsellor = person.subject
    else:
        request.mandate.expire_time.CopyFrom(change["expire_time"])
    assert reason_of(person.CreateMandate, request) == "INVALID_ARGUMENT"


def test_every_look_of_a_counsellor_is_logged_and_none_of_the_holder(portfolio: Portfolio) -> None:
    person = portfolio.person()
    job, claim, way = entry(person), skill(person), pathway(person)
    counsellor = portfolio.mandated(person)
    (grant,) = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    counsellor.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    counsellor.GetEntry(entry_pb2.GetEntryRequest(name=job.name))
    counsellor.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder))
    counsellor.GetSkillClaim(skill_claim_pb2.GetSkillClaimRequest(name=claim.name))
    counsellor.ListEvidence(evidence_pb2.ListEvidenceRequest(parent=person.holder))
    counsellor.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name))
    step(counsellor, way.name)
    found = records(person)
    assert [(record.action, record.resource) for record in reversed(found)] == [
        ("GetHolder", person.holder),
        ("GetEntry", job.name),
        ("ListEntries", person.holder),
        ("GetSkillClaim", claim.name),
        ("ListEvidence", person.holder),
        ("GetPathway", way.name),
        ("AddStep", way.name),
    ]
    assert {(record.subject, record.organisation, record.grant) for record in found} == {
        (counsellor.subject, portfolio.organisation, grant.name)
    }


def test_a_look_that_cannot_be_logged_does_not_happen(portfolio: Portfolio, monkeypatch) -> None:
    person = portfolio.person(given_name="Ada")
    counsellor = portfolio.mandated(person)
    look = holder_pb2.GetHolderRequest(name=person.holder)

    def broken(*args, **kwargs) -> None:
        raise RuntimeError("no log")

    monkeypatch.setattr(access_records, "write", broken)
    assert reason_of(counsellor.GetHolder, look) == "INTERNAL"
    monkeypatch.undo()
    assert counsellor.GetHolder(look).given_name == "Ada"


def test_without_the_decorator_nothing_would_be_logged(portfolio: Portfolio, monkeypatch) -> None:
    """Control: it is `portfolio_call` that writes the log."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    monkeypatch.setattr(calls, "log_access", lambda *_: None)
    counsellor.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    assert records(person) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE access_records SET action = ''", "DELETE FROM access_records", "TRUNCATE access_records"],
)
def test_the_database_keeps_the_log_as_it_was_written(portfolio: Portfolio, statement: str) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    counsellor.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    with pytest.raises(Exception, match="never changed"), transaction(portfolio.app) as tx:
        tx.execute(text(statement))
    with transaction(portfolio.app) as tx:  # control: without the trigger the statement would work
        tx.execute(text("ALTER TABLE access_records DISABLE TRIGGER access_records_stay"))
        tx.execute(text(statement))
        tx.execute(text("ALTER TABLE access_records ENABLE TRIGGER access_records_stay"))


def test_a_kept_answer_is_logged_and_ends_with_the_mandate(portfolio: Portfolio) -> None:
    person = portfolio.person()
    way = pathway(person)
    counsellor = portfolio.mandated(person)
    (grant,) = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    request = pathway_pb2.AgreePathwayRequest(name=way.name, request_id=str(uuid.uuid4()))
    assert counsellor.AgreePathway(request) == counsellor.AgreePathway(request)
    assert [record.action for record in records(person)] == ["AgreePathway"] * 2
    person.RevokeMandate(pb.RevokeMandateRequest(name=grant.name))
    assert reason_of(counsellor.AgreePathway, request) == "NOT_FOUND"
    assert len(records(person)) == 2


def test_a_mandate_is_handed_over_by_the_word_of_the_holder(portfolio: Portfolio) -> None:
    person = portfolio.person()
    former = portfolio.mandated(person, pb.MANDATE_PURPOSE_PATHWAY)
    way = pathway(person)
    heir = portfolio.counsellor("organisations/actiris")
    look = pathway_pb2.GetPathwayRequest(name=way.name)
    (given,) = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    wanted = hand.Handover(mandate=given.name, counsellor=heir.subject, organisation="organisations/actiris")
    offering = hand.CreateHandoverRequest(parent=person.holder, handover=wanted)
    other = portfolio.mandated(person, pb.MANDATE_PURPOSE_PATHWAY)
    assert reason_of(other.CreateHandover, offering) == "NOT_FOUND"  # not theirs to hand over
    declined = former.CreateHandover(offering)
    person.DeclineHandover(hand.DeclineHandoverRequest(name=declined.name))
    offer = former.CreateHandover(offering)
    accept = hand.AcceptHandoverRequest(name=offer.name)
    # Control: without the holder's word nothing changes.
    assert reason_of(heir.GetPathway, look) == "NOT_FOUND"
    assert former.GetPathway(look).name == way.name
    for nobody in (former, heir):
        assert reason_of(nobody.AcceptHandover, accept) == "PERMISSION_DENIED"
    done = person.AcceptHandover(accept)
    assert (done.state, heir.GetPathway(look).name) == (hand.Handover.STATE_ACCEPTED, way.name)
    assert reason_of(former.GetPathway, look) == "NOT_FOUND"
    after = {
        each.name: each for each in person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    }
    fresh = after[done.new_mandate]
    assert (fresh.purpose, fresh.expire_time) == (given.purpose, given.expire_time)
    assert after[given.name].state == pb.Mandate.STATE_REVOKED
    assert reason_of(person.AcceptHandover, accept) == "WRONG_STATE"
    listed = heir.ListHandovers(hand.ListHandoversRequest(parent=person.holder)).handovers
    assert [each.state for each in listed] == [hand.Handover.STATE_ACCEPTED, hand.Handover.STATE_DECLINED]
    with transaction(portfolio.app) as tx:
        told = tx.execute(
            text("SELECT payload FROM outbox WHERE aggregateid = :id ORDER BY seq"), {"id": offer.name}
        )
        assert [events_pb2.HandoverMoved.FromString(row.payload).to_state for row in told] == [
            "OFFERED",
            "ACCEPTED",
        ]


def test_a_mandate_that_has_ended_is_not_handed_over(portfolio: Portfolio) -> None:
    person = portfolio.person()
    former = portfolio.mandated(person)
    (given,) = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates
    wanted = hand.Handover(mandate=given.name, counsellor="heir", organisation="organisations/actiris")
    offering = hand.CreateHandoverRequest(parent=person.holder, handover=wanted)
    offer = former.CreateHandover(offering)
    for to in (
        {"counsellor": person.subject},
        {"counsellor": former.subject, "organisation": given.organisation},
    ):
        bad = hand.CreateHandoverRequest(parent=person.holder, handover=wanted)
        bad.handover.MergeFrom(hand.Handover(**to))
        assert reason_of(former.CreateHandover, bad) == "INVALID_ARGUMENT"
    person.RevokeMandate(pb.RevokeMandateRequest(name=given.name))
    accept = hand.AcceptHandoverRequest(name=offer.name)
    assert reason_of(person.AcceptHandover, accept) == "WRONG_STATE"
    assert reason_of(former.CreateHandover, offering) == "NOT_FOUND"
    assert len(person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates) == 1
