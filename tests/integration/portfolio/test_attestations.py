"""P17: an employer attests a skill by a link that works once, and both can prove it."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Select, text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import attestation_pb2 as pb
from waymark.portfolio.v1 import credential_pb2, events_pb2
from waymark.portfolio.v1 import skill_claim_pb2 as skill_pb

from services.platform.db.transaction import transaction
from services.portfolio.store import attestation_requests
from tests.support.portfolio import Caller, Portfolio, reason_of, refused, skill, soon

State = pb.AttestationRequest.State


def asking(person: Caller, claim: str, **fields: Any) -> pb.CreateAttestationRequestRequest:
    wanted = pb.AttestationRequest(
        **{"skill_claim": claim, "expire_time": soon(days=7), "label": "Scheldt Logistics"} | fields
    )
    return pb.CreateAttestationRequestRequest(parent=person.holder, attestation_request=wanted)


def giving(token: str, **fields: Any) -> pb.GiveAttestationRequest:
    said = {
        "attester": "Tom Maes",
        "employer": "Scheldt Logistics",
        "position": "shift leader",
        "level": skill_pb.SKILL_LEVEL_ADVANCED,
        "comment": "Two years at the dock.",
    }
    return pb.GiveAttestationRequest(token=token, attestation=pb.Attestation(**said | fields))


def listed(person: Caller) -> list[pb.AttestationRequest]:
    request = pb.ListAttestationRequestsRequest(parent=person.holder)
    return list(person.ListAttestationRequests(request).attestation_requests)


def test_an_employer_attests_and_both_can_prove_it(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada", family_name="Claes")
    claim = skill(person, label={"en": "welding"}, level=skill_pb.SKILL_LEVEL_FOUNDATION)
    made = person.CreateAttestationRequest(asking(person, claim.name))
    employer = portfolio.anybody()
    shown = employer.OpenAttestationRequest(pb.OpenAttestationRequestRequest(token=made.token))
    assert (shown.holder_name, shown.concept_uri, dict(shown.label)) == (
        "Ada Claes",
        claim.concept_uri,
        {"en": "welding"},
    )
    request = giving(made.token)
    request.request_id = str(uuid.uuid4())
    given = employer.GiveAttestation(request)
    assert employer.GiveAttestation(request) == given
    verified = employer.VerifyCredential(credential_pb2.VerifyCredentialRequest(content=given.credential))
    assert verified.verdict.state == credential_pb2.Verdict.STATE_VALID
    assert verified.statement.startswith("Tom Maes, shift leader, Scheldt Logistics attests")
    assert verified.subject_id == f"urn:uuid:{claim.name[-36:]}"
    (found,) = listed(person)
    assert (found.state, found.label) == (State.STATE_GIVEN, "Scheldt Logistics")
    file = person.GetCredentialFile(credential_pb2.GetCredentialFileRequest(name=found.credential))
    assert file.content == given.credential
    assert b"Tom Maes, shift leader, Scheldt Logistics attests" in file.content
    claims = person.ListSkillClaims(skill_pb.ListSkillClaimsRequest(parent=person.holder)).skill_claims
    levels = {each.source: each.level for each in claims}
    assert levels == {
        skill_pb.SKILL_SOURCE_SELF: skill_pb.SKILL_LEVEL_FOUNDATION,
        skill_pb.SKILL_SOURCE_EMPLOYER: skill_pb.SKILL_LEVEL_ADVANCED,
    }
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert [(each.action, each.grant) for each in records] == [
        ("GiveAttestation", found.name),
        ("OpenAttestationRequest", found.name),
    ]
    with transaction(portfolio.app) as tx:
        query = text("SELECT payload FROM outbox WHERE aggregateid = :id")
        (payload,) = tx.execute(query, {"id": person.holder}).scalars()
        stored = " ".join(tx.execute(text("SELECT a::text FROM attestation_requests a")).scalars())
    assert events_pb2.AttestationGiven.FromString(payload).attestation_request == found.name
    for secret in ("Scheldt", made.token):
        assert secret not in stored
        assert secret.encode().hex() not in stored


def test_nobody_makes_more_of_what_an_employer_said(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio.person()
    token = person.CreateAttestationRequest(asking(person, skill(person).name)).token
    portfolio.anybody().GiveAttestation(giving(token, level=skill_pb.SKILL_LEVEL_FOUNDATION))
    claims = person.ListSkillClaims(skill_pb.ListSkillClaimsRequest(parent=person.holder)).skill_claims
    (attested,) = (each for each in claims if each.source == skill_pb.SKILL_SOURCE_EMPLOYER)
    more = skill_pb.UpdateSkillClaimRequest(
        skill_claim=skill_pb.SkillClaim(name=attested.name, level=skill_pb.SKILL_LEVEL_EXPERT)
    )
    assert reason_of(person.UpdateSkillClaim, more) == "SKILL_CLAIM_ATTESTED"
    assert person.GetSkillClaim(skill_pb.GetSkillClaimRequest(name=attested.name)) == attested
    monkeypatch.setattr(skill_pb, "SKILL_SOURCE_SELF", skill_pb.SKILL_SOURCE_EMPLOYER)  # control
    assert person.UpdateSkillClaim(more).level == skill_pb.SKILL_LEVEL_EXPERT


def test_a_second_employer_is_heard_too(portfolio: Portfolio) -> None:
    person = portfolio.person()
    claim = skill(person)
    for level in (skill_pb.SKILL_LEVEL_EXPERT, skill_pb.SKILL_LEVEL_INDEPENDENT):
        token = person.CreateAttestationRequest(asking(person, claim.name)).token
        portfolio.anybody().GiveAttestation(giving(token, level=level))
    claims = person.ListSkillClaims(skill_pb.ListSkillClaimsRequest(parent=person.holder)).skill_claims
    assert [each.level for each in claims if each.source == skill_pb.SKILL_SOURCE_EMPLOYER] == [
        skill_pb.SKILL_LEVEL_INDEPENDENT
    ]
    wallet = credential_pb2.ListCredentialsRequest(parent=person.holder)
    assert len(person.ListCredentials(wallet).credentials) == 2


def test_a_link_works_once_under_concurrency(portfolio: Portfolio) -> None:
    person = portfolio.person()
    token = person.CreateAttestationRequest(asking(person, skill(person).name)).token
    outcomes: list[str] = []

    def give(number: int) -> None:
        try:
            portfolio.anybody().GiveAttestation(giving(token, attester=f"Nobody {number}"))
            outcomes.append("given")
        except Exception as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=give, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("given") == 1
    assert refused(portfolio.anybody().GiveAttestation, giving(token)).metadata["state"] == "GIVEN"


def test_control_without_the_lock_a_link_works_twice(portfolio: Portfolio, monkeypatch) -> None:
    person = portfolio.person()
    claim = skill(person).name
    portfolio.anybody().GiveAttestation(giving(person.CreateAttestationRequest(asking(person, claim)).token))
    token = person.CreateAttestationRequest(asking(person, claim)).token
    both, lock = threading.Barrier(2, timeout=20), attestation_requests.lock

    def unlocked(tx: Any, token_hash: bytes) -> attestation_requests.Locked:
        monkeypatch.setattr(Select, "with_for_update", lambda query, **_: query)
        link = lock(tx, token_hash)
        both.wait()
        monkeypatch.undo()
        return link

    monkeypatch.setattr(attestation_requests, "lock", unlocked)
    with ThreadPoolExecutor(2) as pool:
        give = portfolio.anybody().GiveAttestation
        list(pool.map(give, (giving(token, attester=f"Nobody {number}") for number in range(2))))
    wallet = credential_pb2.ListCredentialsRequest(parent=person.holder)
    assert len(person.ListCredentials(wallet).credentials) == 3


@pytest.mark.parametrize("end", ["EXPIRED", "WITHDRAWN"])
def test_an_ended_link_shows_nothing_and_takes_nothing(portfolio: Portfolio, end: str, monkeypatch) -> None:
    person, anybody = portfolio.person(), portfolio.anybody()
    made = person.CreateAttestationRequest(asking(person, skill(person).name))
    if end == "EXPIRED":
        with transaction(portfolio.app) as tx:
            tx.execute(
                text("UPDATE attestation_requests SET expires_at = now() WHERE holder_id = :h"),
                {"h": person.subject},
            )
    else:
        withdraw = pb.WithdrawAttestationRequestRequest(name=made.attestation_request.name)
        assert person.WithdrawAttestationRequest(withdraw).state == State.STATE_WITHDRAWN
        assert person.WithdrawAttestationRequest(withdraw).state == State.STATE_WITHDRAWN
    opening = pb.OpenAttestationRequestRequest(token=made.token)
    assert refused(anybody.OpenAttestationRequest, opening).metadata["state"] == end
    assert reason_of(anybody.GiveAttestation, giving(made.token)) == "SHARE_LINK_ENDED"
    monkeypatch.setattr(attestation_requests, "require_usable", lambda *_: None)  # control
    anybody.GiveAttestation(giving(made.token))


def test_only_own_claims_can_be_asked_for_and_only_by_the_token(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    claim = skill(person)
    assert reason_of(other.CreateAttestationRequest, asking(other, claim.name)) == "NOT_FOUND"
    assert reason_of(other.CreateAttestationRequest, asking(person, claim.name)) == "NOT_FOUND"
    late = asking(person, claim.name, expire_time=soon(days=91))
    assert reason_of(person.CreateAttestationRequest, late) == "INVALID_ARGUMENT"
    made = person.CreateAttestationRequest(asking(person, claim.name))
    opening = pb.OpenAttestationRequestRequest(token=made.token.swapcase())
    assert reason_of(portfolio.anybody().OpenAttestationRequest, opening) == "NOT_FOUND"
    portfolio.anybody().GiveAttestation(giving(made.token))
    used = pb.WithdrawAttestationRequestRequest(name=made.attestation_request.name)
    assert reason_of(person.WithdrawAttestationRequest, used) == "WRONG_STATE"
