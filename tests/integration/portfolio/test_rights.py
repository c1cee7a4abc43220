"""What holders ask of the office by right: answered in time, done in earnest, held up by the law alone."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.portfolio.v1 import (
    access_log_pb2,
    events_pb2,
)
from waymark.portfolio.v1 import break_glass_pb2 as looks
from waymark.portfolio.v1 import holder_pb2 as holders
from waymark.portfolio.v1 import legal_hold_pb2 as holds
from waymark.portfolio.v1 import rights_request_pb2 as pb

from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.api import calls
from services.portfolio.api import legal_holds as holds_api
from services.portfolio.domain.rights import REMINDED
from services.portfolio.store import break_glass, keeping, locking, read_quota, rights_tables
from services.portfolio.store import rights_requests as store
from tests.integration.portfolio.test_erasure import erase_request, upload
from tests.support.databases import WAITING, sessions
from tests.support.plans import plans
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, refused, soon
from tests.support.waiting import eventually

Kind, State = pb.RightsRequest, pb.RightsRequest
LAW = pb.REFUSAL_GROUND_LEGAL_OBLIGATION


def asked(person: Caller, kind: Any, words: str = "all of it") -> str:
    """Asks for something; returns the name of the request."""
    wanted = pb.RightsRequest(kind=kind, text=words)
    request = pb.CreateRightsRequestRequest(parent=person.holder, rights_request=wanted)
    return str(person.CreateRightsRequest(request).name)


def prepared(desk: Caller, name: str) -> str:
    """Checks who asks and begins to work on it; returns the name again."""
    proof = pb.IDENTITY_PROOF_EID
    desk.CheckRightsRequestIdentity(pb.CheckRightsRequestIdentityRequest(name=name, identity_proof=proof))
    desk.PrepareRightsRequest(pb.PrepareRightsRequestRequest(name=name))
    return name


def delivered(portfolio: Portfolio, person: Caller, kind: Any) -> pb.RightsRequest:
    """Asks for something and has it done."""
    desk = portfolio.staff("caseworker")
    request = pb.DeliverRightsRequestRequest(name=prepared(desk, asked(person, kind)))
    answer: pb.RightsRequest = desk.DeliverRightsRequest(request)
    return answer


def held(portfolio: Portfolio, person: Caller) -> holds.LegalHold:
    """Sets a hold."""
    hold = holds.LegalHold(legal_basis="Art. 17(3)(e): a claim is pending")
    request = holds.CreateLegalHoldRequest(parent=person.holder, legal_hold=hold)
    answer: holds.LegalHold = portfolio.staff("caseworker").CreateLegalHold(request)
    return answer


def told(portfolio: Portfolio, of: str, kind: Any) -> list[Any]:
    """Events of a kind about a resource, in order."""
    rows = select(outbox.c.payload, outbox.c.type).where(outbox.c.aggregateid == of).order_by(outbox.c.id)
    with transaction(portfolio.app, read_only=True) as tx:
        return [
            kind.FromString(row.payload)
            for row in tx.execute(rows)
            if row.type.endswith(kind.DESCRIPTOR.name)
        ]


def log_of(person: Caller) -> list[str]:
    request = access_log_pb2.ListAccessRecordsRequest(parent=person.holder)
    return [each.action for each in person.ListAccessRecords(request).access_records]


def test_a_request_goes_its_way_and_the_holder_sees_each_step(portfolio: Portfolio) -> None:
    person, desk = portfolio.person(given_name="Ada"), portfolio.staff("caseworker")
    name = asked(person, Kind.KIND_ACCESS, "the notes of my counsellor")
    listed = desk.ListDueRightsRequests(pb.ListDueRightsRequestsRequest(page_size=500)).rights_requests
    (waiting,) = (each for each in listed if each.name == name)
    assert (waiting.state, waiting.text) == (State.STATE_RECEIVED, "")  # a list is no look at a person
    assert log_of(person) == []
    read = desk.GetRightsRequest(pb.GetRightsRequestRequest(name=name))
    assert (read.text, read.due_time) == ("the notes of my counsellor", waiting.due_time)
    deliver = pb.DeliverRightsRequestRequest(name=name, note="attached", request_id=str(uuid.uuid4()))
    found = refused(desk.DeliverRightsRequest, deliver)
    assert (found.reason, found.metadata["state"]) == ("WRONG_STATE", "RECEIVED")
    extended = desk.ExtendRightsRequest(pb.ExtendRightsRequestRequest(name=name, reason="in an archive"))
    assert extended.due_time.ToDatetime() - waiting.due_time.ToDatetime() > (
        waiting.due_time.ToDatetime() - waiting.create_time.ToDatetime()
    )
    again = pb.ExtendRightsRequestRequest(name=name, reason="still")
    assert reason_of(desk.ExtendRightsRequest, again) == "WRONG_STATE"
    prepared(desk, name)
    done = desk.DeliverRightsRequest(deliver)
    assert desk.DeliverRightsRequest(deliver) == done
    (shown,) = person.ListRightsRequests(pb.ListRightsRequestsRequest(parent=person.holder)).rights_requests
    assert (shown.state, shown.note, shown.extension_reason) == (
        State.STATE_DELIVERED,
        "attached",
        "in an archive",
    )
    assert (shown.handler, shown.identity_proof) == (desk.subject, pb.IDENTITY_PROOF_EID)
    moves = [event.to_state for event in told(portfolio, name, events_pb2.RightsRequestMoved)]
    assert moves == ["RECEIVED", "IDENTITY_CHECKED", "PREPARING", "DELIVERED"]
    steps = ["Deliver", "Prepare", "Extend", "Get"]
    assert [action for action in log_of(person) if "Identity" not in action] == [
        f"{step}RightsRequest" for step in steps
    ]
    listed = desk.ListDueRightsRequests(pb.ListDueRightsRequestsRequest(page_size=500)).rights_requests
    assert name not in [each.name for each in listed]


def test_a_part_is_refused_and_what_is_not_asked_any_more_is_left(portfolio: Portfolio) -> None:
    person, desk = portfolio.person(), portfolio.staff("supervisor")
    refuse = pb.RefuseRightsRequestRequest(name=asked(person, Kind.KIND_ERASURE), ground=LAW, note="by law")
    assert reason_of(desk.RefuseRightsRequest, refuse) == "WRONG_STATE"
    prepared(desk, refuse.name)
    desk.RefuseRightsRequest(refuse)
    read = person.GetRightsRequest(pb.GetRightsRequestRequest(name=refuse.name))
    assert (read.state, read.refusal_ground, read.note) == (State.STATE_PARTLY_REFUSED, LAW, "by law")
    name = asked(person, Kind.KIND_PORTABILITY)
    person.WithdrawRightsRequest(pb.WithdrawRightsRequestRequest(name=name))
    proof = pb.CheckRightsRequestIdentityRequest(name=name, identity_proof=pb.IDENTITY_PROOF_EID)
    assert reason_of(desk.CheckRightsRequestIdentity, proof) == "WRONG_STATE"
    # Nobody of the office works on rights of their own, and nobody else on anybody's.
    own = portfolio.staff("caseworker", subject=person.subject)
    assert reason_of(own.CheckRightsRequestIdentity, proof) == "SAME_PERSON"
    hold = holds.CreateLegalHoldRequest(parent=person.holder, legal_hold=holds.LegalHold(legal_basis="x"))
    assert reason_of(own.CreateLegalHold, hold) == "SAME_PERSON"
    assert reason_of(portfolio.mandated(person).CreateLegalHold, hold) == "PERMISSION_DENIED"
    nobody = holds.CreateLegalHoldRequest(parent="holders/nobody", legal_hold=hold.legal_hold)
    assert reason_of(desk.CreateLegalHold, nobody) == "NOT_FOUND"


def test_the_office_is_reminded_once_and_again_when_extended(portfolio: Portfolio) -> None:
    person, desk = portfolio.person(), portfolio.staff("caseworker")
    name, later = asked(person, Kind.KIND_ACCESS), asked(person, Kind.KIND_ACCESS)

    def due_in(days: int) -> None:
        row = rights_tables.rights_requests.c
        with transaction(portfolio.app) as tx:
            soon_due = {"due_at": text(f"now() + interval '{days} days'")}
            tx.execute(rights_tables.rights_requests.update().where(row.id == name[-36:]).values(soon_due))

    jobs.remind_of_rights_requests(portfolio.app)
    assert told(portfolio, name, events_pb2.RightsRequestDue) == []
    due_in(6)
    jobs.remind_of_rights_requests(portfolio.app)
    proof = pb.CheckRightsRequestIdentityRequest(name=name, identity_proof=pb.IDENTITY_PROOF_EID)
    desk.CheckRightsRequestIdentity(proof)
    jobs.remind_of_rights_requests(portfolio.app)
    (reminder,) = told(portfolio, name, events_pb2.RightsRequestDue)
    first = pb.ListDueRightsRequestsRequest(due_before=soon(days=7), page_size=500)
    due = [each.name for each in desk.ListDueRightsRequests(first).rights_requests]
    assert name in due
    assert later not in due
    desk.ExtendRightsRequest(pb.ExtendRightsRequestRequest(name=name, reason="many files"))
    jobs.remind_of_rights_requests(portfolio.app)
    due_in(3)
    jobs.remind_of_rights_requests(portfolio.app)
    second = told(portfolio, name, events_pb2.RightsRequestDue)[1:]
    assert [each.due_time.seconds < reminder.due_time.seconds for each in second] == [True]


def test_an_erasure_is_done_as_it_is_delivered(portfolio_with_files: Portfolio) -> None:
    person, desk = portfolio_with_files.person(given_name="Ada"), portfolio_with_files.staff("caseworker")
    key = upload(person)
    entry(person)
    other = asked(person, Kind.KIND_ACCESS)
    name = prepared(desk, asked(person, Kind.KIND_ERASURE, "I have moved"))
    deliver = pb.DeliverRightsRequestRequest(name=name, note="gone", request_id=str(uuid.uuid4()))
    done = desk.DeliverRightsRequest(deliver)
    assert (done.state, done.note) == (State.STATE_DELIVERED, "")
    assert desk.DeliverRightsRequest(deliver) == done
    assert reason_of(person.GetHolder, holders.GetHolderRequest(name=person.holder)) == "NOT_FOUND"
    listed = person.ListRightsRequests(pb.ListRightsRequestsRequest(parent=person.holder)).rights_requests
    assert {(each.name, each.state, each.text) for each in listed} == {
        (name, State.STATE_DELIVERED, ""),
        (other, State.STATE_WITHDRAWN, ""),
    }
    assert len(told(portfolio_with_files, person.holder, events_pb2.SubjectErased)) == 1
    store = portfolio_with_files.app.objects
    assert key not in store.keys("waymark-portfolio-evidence", key)


def test_the_law_holds_an_erasure_up_and_says_why(portfolio: Portfolio) -> None:
    person, desk = portfolio.person(), portfolio.staff("caseworker")
    hold = held(portfolio, person)
    (shown,) = person.ListLegalHolds(holds.ListLegalHoldsRequest(parent=person.holder)).legal_holds
    assert shown == hold
    assert shown.legal_basis.startswith("Art. 17(3)(e)")
    for fields in ({}, {"validate_only": True}):
        assert reason_of(person.EraseHolder, erase_request(person, **fields)) == "ERASURE_HELD"
    name = prepared(desk, asked(person, Kind.KIND_ERASURE))
    deliver = pb.DeliverRightsRequestRequest(name=name)
    assert reason_of(desk.DeliverRightsRequest, deliver) == "ERASURE_HELD"
    assert person.GetHolder(holders.GetHolderRequest(name=person.holder)).name
    lift = holds.LiftLegalHoldRequest(name=hold.name, reason="the claim was settled")
    lifted = desk.LiftLegalHold(lift)
    assert (lifted.state, lifted.lifter) == (holds.LegalHold.STATE_LIFTED, desk.subject)
    assert portfolio.staff("supervisor").LiftLegalHold(lift) == lifted
    moves = told(portfolio, hold.name, events_pb2.LegalHoldMoved)
    assert [event.to_state for event in moves] == ["IN_FORCE", "LIFTED"]
    assert desk.DeliverRightsRequest(deliver).state == State.STATE_DELIVERED


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_hold_that_comes_just_before_an_erasure_counts(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """An erasure waits by the lock on the holder's key, and by the row that the access log belongs to."""
    person, add = lonely_portfolio.person(), holds_api.LEGAL_HOLDS.add
    if not locked:
        monkeypatch.setattr(keeping, "begin", lambda *_: None)
        monkeypatch.setattr(locking, "enter", lambda *_: None)
        monkeypatch.setattr(calls, "log_access", lambda *_: None)
    outcome: list[str] = []
    request = erase_request(person)

    def erase() -> None:
        try:
            person.EraseHolder(request)
            outcome.append("erased")
        except Exception:
            outcome.append("refused")

    def added_while_somebody_erases(*given: Any, **columns: Any) -> Any:
        made = add(*given, **columns)
        threading.Thread(target=erase).start()
        eventually(lambda: sessions(lonely_portfolio.app.engine, WAITING))
        return made

    monkeypatch.setattr(holds_api.LEGAL_HOLDS, "add", added_while_somebody_erases)
    held(lonely_portfolio, person)
    eventually(lambda: outcome)
    assert outcome == ["refused" if locked else "erased"]


def test_hot_queries_have_an_index(portfolio: Portfolio) -> None:
    """With few rows a scan is cheaper, so scans are forbidden; then each statement goes by its own index."""
    engine, person = portfolio.app.engine, portfolio.person()
    page = text(
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
    )

    def plan(work: Any, table: str) -> str:
        with transaction(portfolio.app) as tx, plans(engine, table) as found:
            tx.execute(page)
            work(tx)
        return "\n".join(found)

    signer = portfolio.app.signer
    due = pb.ListDueRightsRequestsRequest(due_before=soon(days=7))
    unseen = looks.ListUnreviewedBreakGlassAccessesRequest()
    found = {
        "rights_requests_open": plan(lambda tx: store.waiting(tx, signer, due), "rights_requests"),
        "rights_requests_unreminded": plan(lambda tx: store.remind(tx, REMINDED), "rights_requests"),
        "legal_holds_in_force": plan(lambda tx: keeping.require_none(tx, person.subject), "legal_holds"),
        "break_glass_unreviewed": plan(
            lambda tx: break_glass.unreviewed(tx, signer, unseen), "break_glass_accesses"
        ),
        "break_glass_opener": plan(
            lambda tx: break_glass.in_force(tx.connection, tx.principal, person.subject),
            "break_glass_accesses",
        ),
        "people_seen_holder": plan(lambda tx: read_quota.close_with(tx, person.subject), "people_seen"),
    }
    assert {name for name, seen in found.items() if name in seen} == set(found)
