"""Skills by the word of others: of peers, of who assessed a validation case, of a valid credential."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from sqlalchemy import false, text
from waymark.portfolio.v1 import attestation_pb2 as attestations
from waymark.portfolio.v1 import credential_issuer_pb2 as issuers
from waymark.portfolio.v1 import credential_pb2 as pb
from waymark.portfolio.v1 import document_pb2, legal_hold_pb2, page_pb2, share_link_pb2, skill_profile_pb2
from waymark.portfolio.v1 import validation_pb2 as validations
from waymark.portfolio.v1.skill_claim_pb2 import (
    SKILL_LEVEL_ADVANCED,
    SKILL_SOURCE_ASSESSOR,
    SKILL_SOURCE_CREDENTIAL,
    SKILL_SOURCE_EMPLOYER,
    SKILL_SOURCE_PEER,
    SKILL_SOURCE_SELF,
    ListSkillClaimsRequest,
    SkillClaim,
)

from services.platform.db.transaction import transaction
from services.portfolio import jobs, vouching
from services.portfolio.domain.credentials import data_integrity, keys
from services.portfolio.store import keeping, skill_claims
from services.portfolio.store.vault import open_vault
from tests.integration.portfolio.test_attestations import asking, giving
from tests.integration.portfolio.test_legal_holds import lifted
from tests.integration.portfolio.test_rights import held as put_on_hold
from tests.support.credentials import badge
from tests.support.portfolio import Caller, Portfolio, reason_of, refused, share, skill
from tests.support.validations import NOT_SHOWN, SHOWN, Given, submitted

ESCO = "http://data.europa.eu/esco/skill/"


def claims(person: Caller, source: int) -> list[SkillClaim]:
    request = ListSkillClaimsRequest(parent=person.holder)
    return [each for each in person.ListSkillClaims(request).skill_claims if each.source == source]


def certificate(**fields: Any) -> tuple[str, bytes]:
    """A certificate aligned with two skills and with something else, of an issuer with a key of its own."""
    seed = keys.new_seed()
    method = keys.did_key(seed)
    did = method.partition("#")[0]
    said = badge(issuer={"id": did, "type": ["Profile"], "name": "Partner"}, **fields)
    said["credentialSubject"]["achievement"]["alignment"] = [
        {"type": ["Alignment"], "targetName": "skill", "targetUrl": url}
        for url in (
            f"{ESCO}weld",
            f"{ESCO.replace('http', 'https')}cut",
            "https://x.example/7",
            f"{ESCO}weld",
        )
    ]
    now = datetime.now(UTC)
    signed = data_integrity.sign_document(said, seed, method, data_integrity.RDFC, now=now)
    return did, json.dumps(signed).encode()


def trusted(portfolio: Portfolio, did: str) -> None:
    wanted = issuers.TrustedIssuer(issuer_id=did, display_name="Partner", reason="agreements/1")
    manager = portfolio.staff("catalogue_manager")
    manager.CreateTrustedIssuer(issuers.CreateTrustedIssuerRequest(trusted_issuer=wanted))


def bring(person: Caller, content: bytes) -> pb.Credential:
    return person.ImportCredential(pb.ImportCredentialRequest(parent=person.holder, content=content))


def taking(name: str, *uris: str) -> pb.ClaimCredentialSkillsRequest:
    return pb.ClaimCredentialSkillsRequest(name=name, skill_uris=uris)


def test_the_holder_takes_over_what_a_valid_credential_is_aligned_with(portfolio: Portfolio) -> None:
    person = portfolio.person()
    own = skill(person, "weld", label={"en": "weld"})
    did, content = certificate()
    made = bring(person, content)
    assert list(made.summary.skill_uris) == [f"{ESCO}weld", f"{ESCO}cut"]
    assert claims(person, SKILL_SOURCE_CREDENTIAL) == []  # nothing before the holder says so
    weld = taking(made.name, f"{ESCO}weld")
    assert reason_of(person.ClaimCredentialSkills, weld) == "CREDENTIAL_NOT_VALID"  # not trusted
    trusted(portfolio, did)
    person.CheckCredential(pb.CheckCredentialRequest(name=made.name))
    more = refused(person.ClaimCredentialSkills, taking(made.name, f"{ESCO}weld", f"{ESCO}bake"))
    assert more.reason == "INVALID_ARGUMENT"
    assert claims(person, SKILL_SOURCE_CREDENTIAL) == []
    (taken,) = person.ClaimCredentialSkills(weld).skill_claims
    assert (taken.basis, dict(taken.label), taken.level) == (made.name, {"en": "weld"}, 0)
    assert [each.name for each in person.ClaimCredentialSkills(weld).skill_claims] == [taken.name]
    person.ClaimCredentialSkills(taking(made.name, f"{ESCO}cut"))
    assert {each.concept_uri for each in claims(person, SKILL_SOURCE_CREDENTIAL)} == {
        f"{ESCO}weld",
        f"{ESCO}cut",
    }
    person.DeleteCredential(pb.DeleteCredentialRequest(name=made.name))
    assert claims(person, SKILL_SOURCE_CREDENTIAL) == []
    assert [each.name for each in claims(person, SKILL_SOURCE_SELF)] == [own.name]


def test_a_claim_that_rests_on_another_credential_by_now_stays(portfolio: Portfolio) -> None:
    person, made = portfolio.person(), []
    for number in range(2):
        did, content = certificate(id=f"urn:uuid:0198c0de-0000-7000-8000-00000000000{number}")
        trusted(portfolio, did)
        made.append(bring(person, content).name)
        person.ClaimCredentialSkills(taking(made[-1], f"{ESCO}weld"))
    person.DeleteCredential(pb.DeleteCredentialRequest(name=made[0]))
    assert [each.basis for each in claims(person, SKILL_SOURCE_CREDENTIAL)] == [made[1]]


def test_what_was_valid_when_it_was_checked_and_is_over_shows_nothing(portfolio: Portfolio) -> None:
    person = portfolio.person()
    with transaction(portfolio.app) as tx:
        soon = tx.execute(text("SELECT clock_timestamp() + interval '1.5 s'")).scalar_one()
    did, content = certificate(validUntil=soon.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    trusted(portfolio, did)
    made = bring(person, content)
    assert made.verdict.state == pb.Verdict.STATE_VALID
    with transaction(portfolio.app) as tx:
        tx.execute(text("SELECT pg_sleep(2)"))
    assert reason_of(person.ClaimCredentialSkills, taking(made.name, f"{ESCO}weld")) == "CREDENTIAL_NOT_VALID"


def test_who_assessed_vouches_for_what_was_shown_and_an_appeal_corrects_it(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    assert claims(given.person, SKILL_SOURCE_ASSESSOR) == []
    given.concluded(SHOWN, NOT_SHOWN)
    (said,) = claims(given.person, SKILL_SOURCE_ASSESSOR)
    assert (said.concept_uri, said.basis, said.level) == ("http://a/arc", given.name, 0)
    appeal = validations.AppealValidationCaseRequest(name=given.name, grounds="gas, too")
    given.person.AppealValidationCase(appeal)
    given.assigned(given.second)
    given.second.DecideValidationCase(given.deciding(NOT_SHOWN, SHOWN))
    assert claims(given.person, SKILL_SOURCE_ASSESSOR) == []


def appealed(portfolio: Portfolio, given: Given) -> validations.ValidationCase:
    """Has an appeal not find shown what the assessor had found, while a legal hold is in force."""
    given.concluded(SHOWN, NOT_SHOWN)
    appeal = validations.AppealValidationCaseRequest(name=given.name, grounds="gas, too")
    given.person.AppealValidationCase(appeal)
    given.assigned(given.second)
    put_on_hold(portfolio, given.person)
    decided: validations.ValidationCase = given.second.DecideValidationCase(given.deciding(NOT_SHOWN, SHOWN))
    return decided


def counted(portfolio: Portfolio, person: Caller) -> dict[str, bool]:
    """Whether the concept of `submitted` counts, by what shows or takes skills."""
    profile = skill_profile_pb2.GetSkillProfileRequest(name=person.holder)
    written = document_pb2.ExportDocumentRequest(name=person.holder, format=document_pb2.DOCUMENT_FORMAT_HTML)
    document = b"".join(each.data for each in person.ExportDocument(written))
    link = share(person, ["skill_claims"]).token
    opened = portfolio.anybody().OpenShareLink(share_link_pb2.OpenShareLinkRequest(token=link))
    return {
        "profile": "http://a/arc" in person.GetSkillProfile(profile).skills,
        "document": b"http://a/arc" in document,
        "link": "http://a/arc" in {each.concept_uri for each in opened.portfolio.skill_claims},
    }


@pytest.mark.parametrize("held", [True, False], ids=["held", "control"])
def test_what_an_appeal_did_not_find_stays_while_the_law_keeps_it(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, *, held: bool
) -> None:
    given = submitted(portfolio)
    if not held:
        monkeypatch.setattr(keeping, "is_held", lambda _: false())
    last = appealed(portfolio, given)
    assert last.state == validations.ValidationCase.STATE_REDECIDED  # the decision stands either way
    stay = [
        (each.concept_uri, each.HasField("take_back_time"))
        for each in claims(given.person, SKILL_SOURCE_ASSESSOR)
    ]
    assert stay == ([("http://a/arc", True)] if held else [])


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "control"])
def test_what_was_taken_back_counts_for_nothing(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, *, marked: bool
) -> None:
    given = submitted(portfolio)
    if not marked:
        monkeypatch.setattr(skill_claims.SkillClaims, "_there", lambda _: ())
    appealed(portfolio, given)
    assert set(counted(portfolio, given.person).values()) == {not marked}
    (kept,) = claims(given.person, SKILL_SOURCE_ASSESSOR)
    page = page_pb2.Page(title="Work", blocks=[page_pb2.PageBlock(skill_claim=kept.name)])
    naming = page_pb2.CreatePageRequest(parent=given.person.holder, page=page)
    if marked:
        assert reason_of(given.person.CreatePage, naming) == "INVALID_ARGUMENT"
    else:
        given.person.CreatePage(naming)


def test_the_last_hold_that_is_lifted_lets_go_of_what_was_taken_back(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    put_on_hold(portfolio, given.person)
    appealed(portfolio, given)
    request = legal_hold_pb2.ListLegalHoldsRequest(parent=given.person.holder)
    holds = list(given.person.ListLegalHolds(request).legal_holds)
    assert len(holds) == 2
    for hold in holds:
        jobs.empty_trash(portfolio.app)
        assert len(claims(given.person, SKILL_SOURCE_ASSESSOR)) == 1
        lifted(portfolio, hold)
    jobs.empty_trash(portfolio.app)
    assert claims(given.person, SKILL_SOURCE_ASSESSOR) == []


def test_what_is_said_again_after_it_was_taken_back_counts(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    appealed(portfolio, given)
    (before,) = claims(given.person, SKILL_SOURCE_ASSESSOR)
    with transaction(portfolio.app) as tx:
        vault = open_vault(tx, portfolio.app.keys, given.person.subject)
        vouching.vouch(tx, vault, SKILL_SOURCE_ASSESSOR, "http://a/arc", given.name)
    (again,) = claims(given.person, SKILL_SOURCE_ASSESSOR)
    assert (again.name, again.HasField("take_back_time")) == (before.name, False)
    assert set(counted(portfolio, given.person).values()) == {True}
    jobs.empty_trash(portfolio.app)
    assert len(claims(given.person, SKILL_SOURCE_ASSESSOR)) == 1


def test_what_is_not_shown_at_all_is_claimed_by_nobody(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    given.concluded(NOT_SHOWN, NOT_SHOWN)
    assert claims(given.person, SKILL_SOURCE_ASSESSOR) == []


@pytest.mark.parametrize("peer", [True, False])
def test_a_peer_is_asked_as_one_and_names_no_employer(portfolio: Portfolio, *, peer: bool) -> None:
    person = portfolio.person()
    claim = skill(person).name
    source = SKILL_SOURCE_PEER if peer else SKILL_SOURCE_EMPLOYER
    made = person.CreateAttestationRequest(asking(person, claim, source=source))
    assert made.attestation_request.source == source
    anybody, word = portfolio.anybody(), giving(made.token, employer="", position="")
    opened = anybody.OpenAttestationRequest(attestations.OpenAttestationRequestRequest(token=made.token))
    assert opened.source == source
    if not peer:
        assert refused(anybody.GiveAttestation, word).reason == "INVALID_ARGUMENT"
        assert claims(person, source) == []
        word = giving(made.token)
    anybody.GiveAttestation(word)
    (said,) = claims(person, source)
    request = attestations.ListAttestationRequestsRequest(parent=person.holder)
    (asked,) = person.ListAttestationRequests(request).attestation_requests
    assert (said.level, said.basis) == (SKILL_LEVEL_ADVANCED, asked.credential)
    other = SKILL_SOURCE_EMPLOYER if peer else SKILL_SOURCE_PEER
    assert claims(person, other) == []


def test_nobody_is_asked_to_speak_as_somebody_else(portfolio: Portfolio) -> None:
    person = portfolio.person()
    request = asking(person, skill(person).name, source=SKILL_SOURCE_ASSESSOR)
    assert reason_of(person.CreateAttestationRequest, request) == "INVALID_ARGUMENT"


@pytest.mark.parametrize("locked", [True, False])
def test_of_two_who_speak_at_once_both_are_heard(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    person = portfolio.person()
    claim = skill(person).name
    tokens = [person.CreateAttestationRequest(asking(person, claim)).token for _ in range(2)]
    # The office's issuer comes to be with its first word, and who comes at the same moment waits for it.
    other = portfolio.person()
    first = other.CreateAttestationRequest(asking(other, skill(other).name)).token
    portfolio.anybody().GiveAttestation(giving(first))
    both, newest = threading.Barrier(2, timeout=20), vouching.SKILL_CLAIMS.newest
    lock = vouching.one_at_a_time

    def meeting(tx: Any, holder: str) -> None:
        both.wait()
        lock(tx, holder)

    def finding(*args: Any, **equal: Any) -> list[SkillClaim]:
        found = newest(*args, **equal)
        both.wait()
        return found

    if locked:
        monkeypatch.setattr(vouching, "one_at_a_time", meeting)
    else:  # control: both find no claim before either makes one
        monkeypatch.setattr(vouching, "one_at_a_time", lambda *_: None)
        monkeypatch.setattr(vouching.SKILL_CLAIMS, "newest", finding)

    def give(token: str) -> str:
        try:
            portfolio.anybody().GiveAttestation(giving(token))
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(give, tokens))
    assert said == (["OK", "OK"] if locked else ["INTERNAL", "OK"])
    monkeypatch.undo()
    assert len(claims(person, SKILL_SOURCE_EMPLOYER)) == 1
