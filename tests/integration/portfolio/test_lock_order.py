"""An erasure and a change of the same holder meet: one waits for the other, and the database ends neither."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import grpc
import pytest
from waymark.portfolio.v1 import attestation_pb2, goal_pb2, holder_pb2, share_link_pb2
from waymark.portfolio.v1 import credential_issuer_pb2 as issuers_pb
from waymark.portfolio.v1 import issued_credential_pb2 as issued
from waymark.portfolio.v1 import rights_request_pb2 as rights
from waymark.portfolio.v1.rights_request_pb2 import RightsRequest

from services.platform.telemetry import metrics
from services.portfolio.api import attestations, rights_requests
from services.portfolio.store import access_records, locking, planning, read_quota, share_links
from tests.support.databases import WAITING, sessions
from tests.support.portfolio import Caller, Portfolio, share, skill, soon
from tests.support.waiting import eventually

Call = Callable[[], Any]


class Ready(NamedTuple):
    """A change that can be made, the attribute that it calls when it has locked something, and the erasure
    that is to meet it there; none: by the holder."""

    change: Call
    place: Any
    name: str
    erase: Call | None = None


Prepare = Callable[[Portfolio, Caller], Ready]


def goal(_portfolio: Portfolio, person: Caller) -> Ready:
    """Locks a goal, then the holder's key, which the trigger takes that keeps what is overwritten."""
    made = person.CreateGoal(goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="a")))
    change = goal_pb2.UpdateGoalRequest(goal=goal_pb2.Goal(name=made.name, title="b"))
    return Ready(lambda: person.UpdateGoal(change), planning.Kept, "change")


def link(portfolio: Portfolio, person: Caller) -> Ready:
    """Locks a link, then the holder's row, as the log of looks names it."""
    request = share_link_pb2.OpenShareLinkRequest(token=share(person, ["holder"]).token)
    return Ready(lambda: portfolio.anybody().OpenShareLink(request), share_links, "count_use")


def attestation(portfolio: Portfolio, person: Caller) -> Ready:
    """Locks a request, then the holder's key, as a new claim names it."""
    wanted = attestation_pb2.AttestationRequest(skill_claim=skill(person).name, expire_time=soon(days=1))
    asking = attestation_pb2.CreateAttestationRequestRequest(parent=person.holder, attestation_request=wanted)
    token = person.CreateAttestationRequest(asking).token
    said = attestation_pb2.Attestation(attester="Tom", employer="Scheldt", level=2)
    giving = attestation_pb2.GiveAttestationRequest(token=token, attestation=said)
    return Ready(lambda: portfolio.anybody().GiveAttestation(giving), attestations, "vouch")


def award(portfolio: Portfolio, person: Caller) -> Ready:
    """Locks the holder's key, as a new credential names it, then the holder's row."""
    organisation = f"organisations/{uuid.uuid4()}"
    body = issuers_pb.CredentialIssuer(organisation=organisation, display_name="Quay")
    made = portfolio.staff("catalogue_manager").CreateCredentialIssuer(
        issuers_pb.CreateCredentialIssuerRequest(credential_issuer=body)
    )
    achieved = issued.Achievement(id="https://a.example/b", title="b", description="b", criteria="b")
    wanted = issued.IssuedCredential(holder=person.holder, achievement=achieved)
    request = issued.IssueCredentialRequest(parent=made.name, issued_credential=wanted)
    staff = portfolio.staff("provider", organisation)
    return Ready(lambda: staff.IssueCredential(request), access_records, "write")


def first_look(portfolio: Portfolio, person: Caller) -> Ready:
    """Locks a mandate, as the day is counted, then the holder's row, as the count of people names it."""
    counsellor, request = portfolio.mandated(person), holder_pb2.GetHolderRequest(name=person.holder)
    return Ready(lambda: counsellor.GetHolder(request), read_quota, "count")


def two_requests(portfolio: Portfolio, person: Caller) -> Ready:
    """Two of the office each keep the holder's row, as the log of looks names it, and each then erase."""
    first, second = (asked_for(portfolio, person) for _ in range(2))
    return Ready(first, rights_requests, "erase", second)


def asked_for(portfolio: Portfolio, person: Caller) -> Call:
    """Has a holder ask the office for an erasure, and returns what delivers it."""
    asked = RightsRequest(kind=RightsRequest.KIND_ERASURE)
    name = person.CreateRightsRequest(
        rights.CreateRightsRequestRequest(parent=person.holder, rights_request=asked)
    ).name
    office = portfolio.staff("caseworker")
    office.CheckRightsRequestIdentity(
        rights.CheckRightsRequestIdentityRequest(name=name, identity_proof=rights.IDENTITY_PROOF_EID)
    )
    office.PrepareRightsRequest(rights.PrepareRightsRequestRequest(name=name))
    return lambda: office.DeliverRightsRequest(rights.DeliverRightsRequestRequest(name=name))


def person_leaves(person: Caller) -> Call:
    """Returns the erasure that a holder asks for, who has just read what is there."""
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    request = holder_pb2.EraseHolderRequest(name=person.holder, etag=etag)
    return lambda: person.EraseHolder(request)


def meet(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, prepare: Prepare) -> float:
    """Has a holder erased while a change of theirs is under way; returns how many transactions the database
    ended for it, each of which was run again."""
    person = portfolio.person()
    change, place, name, erasure = prepare(portfolio, person)
    inner, begun = getattr(place, name), list[None]()

    def erase() -> None:
        with suppress(grpc.RpcError):  # ended a second time
            (erasure or person_leaves(person))()

    eraser = threading.Thread(target=erase)

    def with_something_locked(*given: Any, **named: Any) -> Any:
        if not begun:
            begun.append(eraser.start())
            eventually(lambda: sessions(portfolio.app.engine, WAITING))
        return inner(*given, **named)

    conflicts = metrics.RPC_RETRIES.labels("conflict")
    before = conflicts._value.get()
    monkeypatch.setattr(place, name, with_something_locked)
    with suppress(grpc.RpcError):  # of a change that was run again, and came too late then
        change()
    eraser.join()
    return float(conflicts._value.get() - before)


@pytest.fixture
def in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the order away."""
    for name in ("enter", "enter_by", "enter_alone"):
        monkeypatch.setattr(locking, name, lambda *_: None)


CHANGES = [goal, link, attestation, award, two_requests]


@pytest.mark.parametrize("prepare", [*CHANGES, first_look])
def test_an_erasure_waits_for_a_change(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, prepare: Prepare
) -> None:
    assert meet(lonely_portfolio, monkeypatch, prepare) == 0


@pytest.mark.parametrize("prepare", CHANGES)
@pytest.mark.usefixtures("in_any_order")
def test_control_out_of_order_they_wait_for_each_other(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, prepare: Prepare
) -> None:
    assert meet(lonely_portfolio, monkeypatch, prepare) > 0


def test_control_a_look_that_begins_with_the_mandate(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "enter", lambda *_: None)
    assert meet(lonely_portfolio, monkeypatch, first_look) > 0
