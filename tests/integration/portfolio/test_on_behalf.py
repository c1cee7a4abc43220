"""Acting on behalf: a counsellor writes for a holder who let them, and the holder reads what and who."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import (
    access_log_pb2,
    entry_pb2,
    evidence_pb2,
    handover_pb2,
    holder_pb2,
    validation_pb2,
)
from waymark.portfolio.v1 import mandate_pb2 as mandates
from waymark.portfolio.v1 import on_behalf_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio.api import calls
from services.portfolio.service import DEFINITION
from tests.support.portfolio import PDF, Caller, Portfolio, entry, evidence_of, mandate, reason_of
from tests.support.uploads import put
from tests.support.validations import SHOWN, opened_case


def records(caller: Caller, holder: str) -> list[pb.OnBehalfRecord]:
    """What was written on behalf of a holder, oldest first."""
    found = caller.ListOnBehalfRecords(pb.ListOnBehalfRecordsRequest(parent=holder)).on_behalf_records
    return list(reversed(found))


def adding(holder: str, title: str = "Dockhand") -> entry_pb2.CreateEntryRequest:
    job = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK, title=title)
    return entry_pb2.CreateEntryRequest(parent=holder, entry=job, request_id=str(uuid.uuid4()))


def test_each_write_on_behalf_is_recorded_for_the_holder(portfolio: Portfolio) -> None:
    person = portfolio.person()
    helper = portfolio.mandated(person, act_on_behalf=True)
    (given,) = person.ListMandates(mandates.ListMandatesRequest(parent=person.holder)).mandates
    request = adding(person.holder)
    made = helper.CreateEntry(request)
    assert helper.CreateEntry(request) == made  # a repeat is a look, and no second write
    helper.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=entry_pb2.Entry(name=made.name, title="Foreman")))
    helper.GetEntry(entry_pb2.GetEntryRequest(name=made.name))
    entry(person)  # what the holder writes is not on behalf of anybody
    case, _ = opened_case(portfolio, person)
    person.IdentifyElements(
        validation_pb2.IdentifyElementsRequest(
            name=case.name, elements=[validation_pb2.ValidationElement(id="x", title="x")]
        )
    )
    document = validation_pb2.ElementDocument(element="x", rating=SHOWN, entries=[made.name])  # type: ignore[arg-type]
    helper.DocumentElements(validation_pb2.DocumentElementsRequest(name=case.name, documents=[document]))
    found = records(person, person.holder)
    assert [(each.action, each.resource) for each in found] == [
        ("CreateEntry", made.name),
        ("UpdateEntry", made.name),
        ("DocumentElements", case.name),
    ]
    assert {(each.counsellor, each.organisation, each.mandate) for each in found} == {
        (helper.subject, portfolio.organisation, given.name)
    }
    assert records(helper, person.holder) == found  # to print it for the person
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [each.action for each in log.access_records].count("CreateEntry") == 2
    # What nobody could take back is not done on anybody's behalf.
    removing = entry_pb2.DeleteEntryRequest(name=made.name)
    assert reason_of(helper.DeleteEntry, removing) == "PERMISSION_DENIED"


def test_a_paper_is_brought_in_on_behalf(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person()
    helper = portfolio_with_files.mandated(person, act_on_behalf=True)
    request = evidence_pb2.CreateEvidenceRequest(parent=person.holder, evidence=evidence_of())
    assert reason_of(portfolio_with_files.mandated(person).CreateEvidence, request) == "NOT_FOUND"  # control
    made = helper.CreateEvidence(request)
    put(made.ticket.url, made.ticket.headers, PDF).raise_for_status()
    name = made.evidence.name
    helper.GetEvidenceUpload(evidence_pb2.GetEvidenceUploadRequest(name=name))
    helper.FinalizeEvidence(evidence_pb2.FinalizeEvidenceRequest(name=name))
    helper.SetEvidencePoster(evidence_pb2.SetEvidencePosterRequest(name=name))
    found = records(person, person.holder)
    written = ("CreateEvidence", "GetEvidenceUpload", "FinalizeEvidence", "SetEvidencePoster")
    assert [(each.action, each.resource) for each in found] == [(action, name) for action in written]
    stored = person.GetEvidence(evidence_pb2.GetEvidenceRequest(name=made.evidence.name))
    assert stored.state == evidence_pb2.Evidence.STATE_STORED


def test_without_the_permission_nothing_is_written(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    assert reason_of(counsellor.CreateEntry, adding(person.holder)) == "NOT_FOUND"
    helper = portfolio.mandated(person, act_on_behalf=True)
    helper.CreateEntry(adding(person.holder))  # control: the permission is what the other lacks
    for purpose in (mandates.MANDATE_PURPOSE_CASE, mandates.MANDATE_PURPOSE_PATHWAY):
        request = mandate(person, portfolio.counsellor(), portfolio.organisation, purpose)
        request.mandate.act_on_behalf = True
        assert reason_of(person.CreateMandate, request) == "INVALID_ARGUMENT"
    mine = [
        each
        for each in person.ListMandates(mandates.ListMandatesRequest(parent=person.holder)).mandates
        if each.act_on_behalf
    ]
    person.RevokeMandate(mandates.RevokeMandateRequest(name=mine[0].name))
    assert reason_of(helper.CreateEntry, adding(person.holder)) == "NOT_FOUND"
    assert len(records(person, person.holder)) == 1


def test_without_the_relationship_and_the_grant_anybody_would_write(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, serve, database
) -> None:
    """Control: the relationship and the grant keep those out who have no permission."""
    made = database("portfolio")
    always = dict(DEFINITION.relationships) | {"mandate.behalf": lambda *_: True}
    open_house = Portfolio(serve(replace(DEFINITION, relationships=always), made.url), made)
    person = open_house.person()
    counsellor = open_house.mandated(person)
    assert reason_of(counsellor.CreateEntry, adding(person.holder)) == "NOT_FOUND"  # no grant to name
    monkeypatch.setattr(calls, "log_access", lambda *_: "")
    assert counsellor.CreateEntry(adding(person.holder)).title == "Dockhand"
    assert records(person, person.holder) == []


def test_a_write_that_cannot_be_recorded_does_not_happen(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio.person()
    helper = portfolio.mandated(person, act_on_behalf=True)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no record")

    monkeypatch.setattr("services.portfolio.store.on_behalf_records.write", broken)
    assert reason_of(helper.CreateEntry, adding(person.holder)) == "INTERNAL"
    assert not person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries


def test_a_record_is_never_changed_and_goes_with_the_holder(portfolio: Portfolio) -> None:
    person = portfolio.person()
    portfolio.mandated(person, act_on_behalf=True).CreateEntry(adding(person.holder))
    for statement in ("UPDATE on_behalf_records SET action = ''", "TRUNCATE on_behalf_records"):
        with pytest.raises(Exception, match="never changed"), transaction(portfolio.app) as tx:
            tx.execute(text(statement))
    with transaction(portfolio.app) as tx:  # control
        tx.execute(text("ALTER TABLE on_behalf_records DISABLE TRIGGER on_behalf_records_stay"))
        tx.execute(text("UPDATE on_behalf_records SET action = action"))
        tx.execute(text("ALTER TABLE on_behalf_records ENABLE TRIGGER on_behalf_records_stay"))
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    person.EraseHolder(holder_pb2.EraseHolderRequest(name=person.holder, etag=etag))
    assert records(person, person.holder) == []
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [each.action for each in log.access_records] == ["CreateEntry"]  # stays


def test_a_hand_over_does_not_hand_the_permission_over(portfolio: Portfolio) -> None:
    person = portfolio.person()
    helper = portfolio.mandated(person, act_on_behalf=True)
    (given,) = person.ListMandates(mandates.ListMandatesRequest(parent=person.holder)).mandates
    heir = portfolio.counsellor("organisations/actiris")
    wanted = handover_pb2.Handover(
        mandate=given.name, counsellor=heir.subject, organisation="organisations/actiris"
    )
    offer = helper.CreateHandover(handover_pb2.CreateHandoverRequest(parent=person.holder, handover=wanted))
    person.AcceptHandover(handover_pb2.AcceptHandoverRequest(name=offer.name))
    heir.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder))
    assert reason_of(heir.CreateEntry, adding(person.holder)) == "NOT_FOUND"
