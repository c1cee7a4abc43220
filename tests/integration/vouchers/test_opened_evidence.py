"""Evidence of a delivery is opened by whom it concerns, and no transaction waits for its bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.objects.clamd import Clamd
from services.vouchers import handing_in as checking
from services.vouchers import jobs
from services.vouchers.api import evidence as evidence_api
from services.vouchers.store import evidence as store
from tests.integration.vouchers import test_allocations as allocations
from tests.integration.vouchers import test_fact_files as fact_files
from tests.integration.vouchers import test_retention as retention
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_evidence import PDF, in_two, put, started, ticket
from tests.integration.vouchers.test_subject_erased import erase
from tests.support.clamd import EICAR, scanner
from tests.support.quality import told
from tests.support.uploads import idle_while_compared
from tests.support.voucher_callers import Person
from tests.support.vouchers import World

ATTENDANCE, COMPLETION = pb.DeliveryEvidence.KIND_ATTENDANCE, pb.DeliveryEvidence.KIND_COMPLETION


def handed_in(world: World, redemption: Any) -> list[str]:
    """Delivers with a list of who attended and a certificate; returns their names."""
    pieces = [ticket(world, redemption, kind=kind) for kind in (ATTENDANCE, COMPLETION)]
    unused = ticket(world, redemption)
    assert [put(piece) for piece in (*pieces, unused)] == [200] * 3
    found = [str(piece.name) for piece in pieces]
    request = pb.DeliverRedemptionRequest(name=redemption.name, evidence=found)
    world.provider.redemptions.DeliverRedemption(request)
    return found


def listed(person: Person, redemption: str) -> list[str]:
    request = pb.ListDeliveryEvidenceRequest(parent=redemption)
    return [each.name for each in person.redemptions.ListDeliveryEvidence(request).evidence]


def download(person: Person, name: str) -> Any:
    request = pb.GetDeliveryEvidenceDownloadRequest(name=name)
    return person.redemptions.GetDeliveryEvidenceDownload(request)


def learner_of(world: World, redemption: Any) -> Person:
    return world.person("learner", subject=redemption.learner.removeprefix("learners/"))


def test_opened_by_staff_provider_and_what_is_theirs_by_the_learner(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption = started(stored)
    names = handed_in(stored, redemption)
    for person in (stored.caseworker, stored.payer, stored.auditor, stored.provider):
        assert listed(person, redemption.name) == names
    answer = download(stored.caseworker, names[0])
    served = httpx.get(answer.url, verify=False)
    assert served.content == PDF
    assert served.headers["content-disposition"].startswith("attachment")
    learner = learner_of(stored, redemption)
    assert listed(learner, redemption.name) == names[1:]
    assert download(learner, names[1]).url
    assert refused(lambda: download(learner, names[0])) == "NOT_FOUND"
    for stranger in (stored.person("provider", org="organisations/other"), stored.learner()):
        assert refused(lambda who=stranger: listed(who, redemption.name)) == "NOT_FOUND"
        assert refused(lambda who=stranger: download(who, names[1])) == "NOT_FOUND"
    monkeypatch.setattr(evidence_api, "_sees_all", lambda *_: True)  # control: without the rule
    assert listed(learner, redemption.name) == names


def test_a_part_has_the_evidence_of_its_instalment(stored: World) -> None:
    redemption = in_two(stored)
    first = handed_in(stored, redemption)
    accepted = stored.caseworker.redemptions.AcceptRedemption(
        pb.AcceptRedemptionRequest(name=redemption.name)
    )
    second = handed_in(stored, redemption)
    assert listed(stored.auditor, accepted.instalments[0].redemption) == first
    assert listed(stored.auditor, redemption.name) == first + second


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_nothing_is_delivered_unchecked_when_an_instalment_begins_meanwhile(
    stored: World, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    redemption = in_two(stored)
    later = ticket(stored, redemption, kind=COMPLETION)  # and nothing is uploaded
    handed_in(stored, redemption)
    accept = pb.AcceptRedemptionRequest(name=redemption.name)
    before = checking.check

    def check(app: Any, pieces: Any, call: Any) -> None:
        """What is there to check was asked for; now the first instalment is accepted and the next begins."""
        assert stored.caseworker.redemptions.AcceptRedemption(accept).state == pb.Redemption.STATE_STARTED
        before(app, pieces, call)

    monkeypatch.setattr(checking, "check", check)
    if not guarded:
        monkeypatch.setattr(evidence_api, "_need_checked", lambda _: None)
    request = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[later.name])
    if guarded:
        assert refused(lambda: stored.provider.redemptions.DeliverRedemption(request)) == "UPLOAD_MISSING"
        return
    delivered = stored.provider.redemptions.DeliverRedemption(request)
    assert delivered.state == pb.Redemption.STATE_DELIVERED  # by a file that nobody has ever seen


def test_scanned_when_handed_in_and_again_when_opened(stored: World) -> None:
    with scanner() as scans:
        stored.app.scanner = Clamd(scans.address)
        redemption = started(stored)
        infected = ticket(stored, redemption, PDF + EICAR)
        assert put(infected, PDF + EICAR) == 200
        request = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[infected.name])
        assert refused(lambda: stored.provider.redemptions.DeliverRedemption(request)) == "EVIDENCE_INFECTED"
        assert stored.app.objects.keys(store.BUCKET, infected.name.rpartition("/")[2]) == []
        names = handed_in(stored, redemption)
        assert download(stored.caseworker, names[0]).url
        scans.reply = b"stream: Known-since-today FOUND\0"
        assert refused(lambda: download(stored.caseworker, names[0])) == "EVIDENCE_INFECTED"
    assert refused(lambda: download(stored.caseworker, names[0])) == "UNAVAILABLE"
    stored.app.scanner = None  # control: nobody looks
    assert download(stored.caseworker, names[0]).url


def test_no_transaction_waits_while_bytes_are_compared(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = idle_while_compared(monkeypatch, stored.app.settings.database_url)
    handed_in(stored, started(stored))
    of_people = allocations.created(stored, stored.programme(allocations.APTIC), "learner\n")
    allocations.ran(stored, of_people)
    fact_files.started(stored, fact_files.handed_over(stored, fact_files.HEADER))
    assert seen == [0] * 4
    piece = ticket(stored, started(stored))
    put(piece)
    with transaction(stored.app) as tx:  # control: as it was
        tx.execute(text("SELECT 1"))
        told = (piece.size_bytes, piece.content_type, piece.sha256)
        stored.app.objects.verify(store.BUCKET, piece.name.rpartition("/")[2], *told)
    assert seen[4:] == [1]


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "control"])
def test_a_delivery_is_sent_back_and_handed_in_anew(
    stored: World, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    redemption = started(stored)
    wrong, right = handed_in(stored, redemption)
    request = pb.ReturnDeliveryRequest(
        name=redemption.name,
        reason_code=pb.Redemption.END_REASON_EVIDENCE_INSUFFICIENT,
        reason="page 2 is missing",
    )
    if not noted:
        monkeypatch.setattr(store, "send_back", lambda *_: None)
    returned = stored.payer.redemptions.ReturnDelivery(request)
    assert (returned.state, list(returned.evidence)) == (pb.Redemption.STATE_STARTED, [])
    read = stored.provider.redemptions.GetRedemption(pb.GetRedemptionRequest(name=redemption.name))
    assert (read.end_reason, read.end_note) == (request.reason_code, request.reason)
    assert [event.reason for event in told(stored, events_pb2.DeliveryReturned)] == ["EVIDENCE_INSUFFICIENT"]
    assert refused(lambda: stored.payer.redemptions.ReturnDelivery(request)) == "WRONG_STATE"
    mended = ticket(stored, redemption, kind=ATTENDANCE)
    put(mended)
    again = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[right, mended.name])
    if not noted:
        assert refused(lambda: stored.provider.redemptions.DeliverRedemption(again)) == "EVIDENCE_USED"
        return
    delivered = stored.provider.redemptions.DeliverRedemption(again)
    assert (delivered.end_reason, delivered.end_note) == (0, "")
    stored.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=redemption.name))
    listing = pb.ListDeliveryEvidenceRequest(parent=redemption.name)
    kept = stored.auditor.redemptions.ListDeliveryEvidence(listing).evidence
    assert [each.name for each in kept if each.HasField("return_time")] == [wrong]
    assert stored.verify().intact


def stored_keys(world: World, names: list[str]) -> list[bool]:
    """Sweeps; returns of which pieces the bytes are still there."""
    jobs.sweep_evidence(world.app)
    return [bool(world.app.objects.keys(store.BUCKET, name.rpartition("/")[2])) for name in names]


@pytest.fixture
def ageless(stored: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Files lie in a bucket of their own, and what nobody knows goes at once."""
    monkeypatch.setattr(store, "BUCKET", f"waymark-test-{stored.system.subject}")
    monkeypatch.setattr(jobs, "UNKNOWN_FOR", timedelta(days=-1))
    return stored


def test_files_go_with_the_facts_of_the_case(ageless: World) -> None:
    redemption = started(ageless)
    names = handed_in(ageless, redemption)
    ageless.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=redemption.name))
    retention.run(ageless, *retention.CLOSED)
    retention.make_older(ageless, 4)
    retention.kept(ageless)
    assert stored_keys(ageless, names) == [True, True]  # control: not yet
    retention.make_older(ageless, 2)
    retention.kept(ageless)
    assert stored_keys(ageless, names) == [False, False]
    request = pb.ListDeliveryEvidenceRequest(parent=redemption.name)
    (piece, _) = ageless.auditor.redemptions.ListDeliveryEvidence(request).evidence
    assert (piece.size_bytes, len(piece.sha256)) == (len(PDF), 64)
    assert piece.HasField("delete_time")
    assert refused(lambda: download(ageless.auditor, names[0])) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        (pb.Redemption.END_REASON_NOT_COMPLETED, False),
        (pb.Redemption.END_REASON_SUSPECTED_MISUSE, True),
        (None, True),
    ],
    ids=["nothing paid", "may tell against the provider", "paid"],
)
def test_an_erasure_takes_files_of_what_was_never_paid(ageless: World, reason: Any, left: bool) -> None:
    redemption = started(ageless)
    names = handed_in(ageless, redemption)
    if reason is None:
        ageless.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=redemption.name))
        retention.run(ageless, "UPDATE redemptions SET state = 7")
    else:
        request = pb.RejectRedemptionRequest(name=redemption.name, reason_code=reason)
        ageless.caseworker.redemptions.RejectRedemption(request)
    retention.run(ageless, "UPDATE vouchers SET state = 4")
    erase(ageless, learner_of(ageless, redemption))
    jobs.forget_erased(ageless.app)
    assert stored_keys(ageless, names) == [left, left]
