"""The wallet and what is issued into it: kept byte for byte, checked by anybody, taken back for all."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import credential_issuer_pb2 as issuer_pb
from waymark.portfolio.v1 import credential_pb2 as pb
from waymark.portfolio.v1 import events_pb2, holder_pb2
from waymark.portfolio.v1 import issued_credential_pb2 as issued_pb

from services.platform.db.transaction import transaction
from services.platform.outgoing.addresses import Reach
from services.portfolio import jobs
from services.portfolio.api import credentials as credentials_api
from services.portfolio.documents import over
from services.portfolio.domain.credentials import baking, controllers, data_integrity, issuing, keys
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store import issued_credentials
from tests.support.credentials import NOW, badge, fixture
from tests.support.origins import Asked, Reply, origin
from tests.support.portfolio import Caller, Portfolio, reason_of, running, soon

ORIGIN = "https://waymark.test"
VALID, UNCONFIRMED, INVALID = pb.Verdict.STATE_VALID, pb.Verdict.STATE_UNCONFIRMED, pb.Verdict.STATE_INVALID
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>'


@pytest.fixture(scope="module")
def portfolio(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portfolio]:
    """A portfolio service that knows where people reach it."""
    with running(
        postgres, tmp_path_factory.mktemp("credentials"), {"WAYMARK_S3_PUBLIC_ENDPOINT": ORIGIN}
    ) as made:
        yield made


def bring(person: Caller, content: bytes, **fields: Any) -> pb.Credential:
    return person.ImportCredential(
        pb.ImportCredentialRequest(parent=person.holder, content=content, **fields)
    )


def file_of(person: Caller, name: str, form: Any = 0) -> bytes:
    return person.GetCredentialFile(pb.GetCredentialFileRequest(name=name, form=form)).content


def verify(portfolio: Portfolio, content: bytes) -> pb.Verdict:
    return portfolio.anybody().VerifyCredential(pb.VerifyCredentialRequest(content=content)).verdict


def findings(verdict: pb.Verdict) -> set[int]:
    return {check.finding for check in verdict.checks if check.finding}


def body_of(portfolio: Portfolio) -> tuple[Caller, issuer_pb.CredentialIssuer]:
    """Staff of a new awarding body, and the body."""
    organisation = f"organisations/{uuid.uuid4()}"
    wanted = issuer_pb.CredentialIssuer(organisation=organisation, display_name="Quay School")
    manager = portfolio.staff("catalogue_manager")
    made = manager.CreateCredentialIssuer(issuer_pb.CreateCredentialIssuerRequest(credential_issuer=wanted))
    return portfolio.staff("provider", organisation), made


def issuing_to(person: Caller, issuer: str, **fields: Any) -> issued_pb.IssueCredentialRequest:
    achievement = issued_pb.Achievement(
        id="https://quay.example/welding",
        title="Welding",
        description="Welds plates.",
        criteria="Has welded ten.",
        skill_uris=["http://data.europa.eu/esco/skill/welding"],
    )
    wanted = issued_pb.IssuedCredential(holder=person.holder, achievement=achievement, **fields)
    return issued_pb.IssueCredentialRequest(
        parent=issuer, issued_credential=wanted, request_id=str(uuid.uuid4())
    )


def test_a_wallet_keeps_files_as_they_came(portfolio: Portfolio) -> None:
    person, other = portfolio.person(), portfolio.person()
    png = fixture("simple-json.png")
    made = bring(person, png)
    assert (made.summary.title, made.summary.issuer_name) == ("Teamwork Badge", "Example Corp")
    assert (made.content_type, made.sha256) == ("image/png", hashlib.sha256(png).hexdigest())
    assert made.verdict.state == UNCONFIRMED
    assert file_of(person, made.name) == png
    assert person.GetCredential(pb.GetCredentialRequest(name=made.name)) == made
    assert reason_of(
        person.ImportCredential, pb.ImportCredentialRequest(parent=person.holder, content=png)
    ) == ("ALREADY_EXISTS")
    bring(other, png)  # theirs as well
    second = bring(person, fixture("simple-err-expired.json"))
    listed = person.ListCredentials(pb.ListCredentialsRequest(parent=person.holder, page_size=1))
    assert list(listed.credentials) == [second]
    rest = pb.ListCredentialsRequest(parent=person.holder, page_size=1, page_token=listed.next_page_token)
    assert [each.name for each in person.ListCredentials(rest).credentials] == [made.name]
    baked = person.GetBakedCredential(pb.GetBakedCredentialRequest(name=second.name, image=SVG))
    assert json.loads(baking.extract(baked.content)) == json.loads(fixture("simple-err-expired.json"))
    wrong = pb.GetBakedCredentialRequest(name=second.name, image=b"GIF89a")
    assert reason_of(person.GetBakedCredential, wrong) == "CREDENTIAL_IMAGE_UNFIT"
    unread = pb.ImportCredentialRequest(parent=person.holder, content=SVG)
    assert reason_of(person.ImportCredential, unread) == "CREDENTIAL_UNREADABLE"
    person.DeleteCredential(pb.DeleteCredentialRequest(name=made.name, etag=made.etag))
    assert reason_of(person.GetCredentialFile, pb.GetCredentialFileRequest(name=made.name)) == "NOT_FOUND"


def test_a_counsellor_looks_and_the_holder_reads_so_and_nothing_lies_in_the_clear(
    portfolio: Portfolio,
) -> None:
    person = portfolio.person()
    made = bring(person, fixture("simple.json"))
    counsellor = portfolio.mandated(person)
    assert file_of(counsellor, made.name) == fixture("simple.json")
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert [(each.action, each.resource) for each in records] == [("GetCredentialFile", made.name)]
    with transaction(portfolio.app) as tx:
        rows = (
            "SELECT c::text || f::text FROM credentials c JOIN credential_files f ON f.credential_id = c.id"
        )
        stored = " ".join(tx.execute(text(rows)).scalars())
        query = text("SELECT payload FROM outbox WHERE aggregateid = :id")
        event = events_pb2.CredentialImported.FromString(
            tx.execute(query, {"id": person.holder}).scalars().one()
        )
    for word in (b"Teamwork", b"example.com"):
        assert word.decode() not in stored
        assert word.hex() not in stored
    assert (event.credential, event.verdict) == (made.name, "UNCONFIRMED")


def test_what_is_issued_is_verified_by_anybody_in_each_form(portfolio: Portfolio) -> None:
    staff, issuer = body_of(portfolio)
    person = portfolio.person(given_name="Canary")
    request = issuing_to(person, issuer.name, valid_until=soon(days=100))
    issued = staff.IssueCredential(request)
    assert staff.IssueCredential(request) == issued  # a repeat issues nothing more
    (credential,) = person.ListCredentials(pb.ListCredentialsRequest(parent=person.holder)).credentials
    assert credential.name == issued.credential
    content = file_of(person, credential.name)
    document = json.loads(content)
    assert {each["cryptosuite"] for each in document["proof"]} == {data_integrity.RDFC, data_integrity.JCS}
    token = file_of(person, credential.name, pb.CREDENTIAL_FILE_FORM_JWT)
    baked = person.GetBakedCredential(pb.GetBakedCredentialRequest(name=credential.name, image=SVG)).content
    for each in (content, token, baked):
        assert verify(portfolio, each).state == VALID, verify(portfolio, each)
        assert person.subject.encode() not in each
        assert b"Canary" not in each
    (identifier,) = document["credentialSubject"]["identifier"]
    assert identifier["identityHash"] == issuing.identity_hash(person.subject, identifier["salt"])
    forged = json.dumps({**document, "name": "Diving"}).encode()
    assert findings(verify(portfolio, forged)) >= {pb.CHECK_FINDING_SIGNATURE_WRONG}
    (record,) = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert (record.action, record.grant) == ("IssueCredential", issuer.name)
    early = issuing_to(person, issuer.name, valid_until=soon(days=-1))
    assert reason_of(staff.IssueCredential, early) == "INVALID_ARGUMENT"


def test_taking_back_shows_at_once_and_a_page_tells_nothing_of_the_holder(portfolio: Portfolio) -> None:
    staff, issuer = body_of(portfolio)
    person = portfolio.person()
    issued = staff.IssueCredential(issuing_to(person, issuer.name))
    content = file_of(person, issued.credential)

    def page() -> issued_pb.VerificationPage:
        return portfolio.anybody().GetVerificationPage(issued_pb.GetVerificationPageRequest(name=issued.name))

    assert page().valid
    assert person.subject.encode() not in page().SerializeToString()
    for _ in range(2):
        staff.SuspendIssuedCredential(issued_pb.SuspendIssuedCredentialRequest(name=issued.name))
    assert findings(verify(portfolio, content)) == {pb.CHECK_FINDING_SUSPENDED}
    assert not page().valid
    staff.ReinstateIssuedCredential(issued_pb.ReinstateIssuedCredentialRequest(name=issued.name))
    assert verify(portfolio, content).state == VALID
    staff.RevokeIssuedCredential(issued_pb.RevokeIssuedCredentialRequest(name=issued.name))
    again = issued_pb.ReinstateIssuedCredentialRequest(name=issued.name)
    assert reason_of(staff.ReinstateIssuedCredential, again) == "WRONG_STATE"
    assert findings(verify(portfolio, content)) == {pb.CHECK_FINDING_REVOKED}
    checked = person.CheckCredential(pb.CheckCredentialRequest(name=issued.credential))
    assert checked.verdict.state == INVALID
    assert person.GetCredential(pb.GetCredentialRequest(name=issued.credential)) == checked
    with transaction(portfolio.app) as tx:
        query = text("SELECT payload FROM outbox WHERE aggregateid = :id ORDER BY seq")
        payloads = tx.execute(query, {"id": issued.name}).scalars().all()
    states = [events_pb2.IssuedCredentialMoved.FromString(each).to_state for each in payloads]
    assert states == ["ACTIVE", "SUSPENDED", "ACTIVE", "REVOKED"]


def test_former_keys_verify_and_masters_change(portfolio: Portfolio, monkeypatch) -> None:
    staff, issuer = body_of(portfolio)
    person = portfolio.person()
    before = staff.IssueCredential(issuing_to(person, issuer.name))
    rotated = staff.RotateCredentialIssuerKey(issuer_pb.RotateCredentialIssuerKeyRequest(name=issuer.name))
    assert [key.HasField("retire_time") for key in rotated.keys] == [False, True]
    after = staff.IssueCredential(issuing_to(person, issuer.name))
    methods = set()
    for issued in (before, after):
        content = file_of(person, issued.credential)
        methods |= {proof["verificationMethod"] for proof in json.loads(content)["proof"]}
        assert verify(portfolio, content).state == VALID
    assert methods == {key.verification_method for key in rotated.keys}
    monkeypatch.setattr(portfolio.app, "keys", KeyRing(b"n" * 32, list(portfolio.app.keys._masters.values())))
    jobs.rewrap_holder_keys(portfolio.app)
    with transaction(portfolio.app) as tx:
        query = "SELECT DISTINCT master_key_id FROM issuer_keys WHERE wrapped IS NOT NULL"
        assert tx.execute(text(query)).scalars().all() == [portfolio.app.keys.current_id]
    third = staff.IssueCredential(issuing_to(person, issuer.name))
    assert verify(portfolio, file_of(person, third.credential)).state == VALID


def test_others_issue_and_take_back_nothing(portfolio: Portfolio) -> None:
    staff, issuer = body_of(portfolio)
    stranger, _ = body_of(portfolio)
    person = portfolio.person()
    issued = staff.IssueCredential(issuing_to(person, issuer.name))
    assert reason_of(stranger.IssueCredential, issuing_to(person, issuer.name)) == "NOT_FOUND"
    for verb in ("Revoke", "Suspend", "Reinstate", "Get"):
        request = getattr(issued_pb, f"{verb}IssuedCredentialRequest")(name=issued.name)
        assert reason_of(getattr(stranger, f"{verb}IssuedCredential"), request) == "NOT_FOUND"
    listing = issued_pb.ListIssuedCredentialsRequest(parent=issuer.name)
    assert reason_of(stranger.ListIssuedCredentials, listing) == "NOT_FOUND"
    (shown,) = staff.ListIssuedCredentials(listing).issued_credentials
    assert (shown.name, shown.holder, shown.credential) == (issued.name, person.holder, "")
    rotate = issuer_pb.RotateCredentialIssuerKeyRequest(name=issuer.name)
    assert reason_of(stranger.RotateCredentialIssuerKey, rotate) == "NOT_FOUND"
    nobody = portfolio.learner()
    assert reason_of(staff.IssueCredential, issuing_to(nobody, issuer.name)) == "NOT_FOUND"
    names = {
        each.name
        for each in portfolio.anybody()
        .ListCredentialIssuers(issuer_pb.ListCredentialIssuersRequest())
        .credential_issuers
    }
    assert issuer.name in names


def test_after_an_erasure_the_list_still_speaks_and_tells_of_nobody(portfolio: Portfolio) -> None:
    staff, issuer = body_of(portfolio)
    person = portfolio.person()
    issued = staff.IssueCredential(issuing_to(person, issuer.name))
    content = file_of(person, issued.credential)
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    answer = person.EraseHolder(holder_pb2.EraseHolderRequest(name=person.holder, etag=etag))
    assert answer.credentials == 1
    shown = staff.GetIssuedCredential(issued_pb.GetIssuedCredentialRequest(name=issued.name))
    assert shown.holder == ""
    assert verify(portfolio, content).state == VALID
    staff.RevokeIssuedCredential(issued_pb.RevokeIssuedCredentialRequest(name=issued.name))
    assert findings(verify(portfolio, content)) == {pb.CHECK_FINDING_REVOKED}


def test_partners_are_trusted_by_name(portfolio: Portfolio) -> None:
    """P16: the certificate of a partner comes in with what is known of its issuer."""
    seed = keys.new_seed()
    did = keys.did_key(seed).partition("#")[0]
    said = badge(issuer={"id": did, "type": ["Profile"], "name": "Partner"})
    content = json.dumps(
        data_integrity.sign_document(said, seed, keys.did_key(seed), data_integrity.RDFC, now=NOW)
    ).encode()
    person, manager = portfolio.person(), portfolio.staff("catalogue_manager")
    made = bring(person, content)
    assert (made.verdict.state, findings(made.verdict)) == (UNCONFIRMED, {pb.CHECK_FINDING_ISSUER_UNKNOWN})
    wanted = issuer_pb.TrustedIssuer(issuer_id=did, display_name="Partner", reason="agreements/1")
    request = issuer_pb.CreateTrustedIssuerRequest(trusted_issuer=wanted)
    trusted = manager.CreateTrustedIssuer(request)
    assert reason_of(manager.CreateTrustedIssuer, request) == "ALREADY_EXISTS"
    check = pb.CheckCredentialRequest(name=made.name)
    assert person.CheckCredential(check).verdict.state == VALID
    listed = portfolio.anybody().ListTrustedIssuers(issuer_pb.ListTrustedIssuersRequest())
    assert trusted in listed.trusted_issuers
    manager.DeleteTrustedIssuer(issuer_pb.DeleteTrustedIssuerRequest(name=trusted.name))
    assert person.CheckCredential(check).verdict.state == UNCONFIRMED


def test_documents_are_served_as_they_are_checked(portfolio: Portfolio) -> None:
    staff, issuer = body_of(portfolio)
    staff.IssueCredential(issuing_to(portfolio.person(), issuer.name))
    anybody = portfolio.anybody()
    document = json.loads(anybody.GetDidDocument(issuer_pb.GetDidDocumentRequest(name=issuer.name)).data)
    assert document["id"] == issuer.did
    assert controllers.did_web_address(issuer.did) == f"{ORIGIN}/v1/{issuer.name}/did.json"
    assert portfolio.app.documents.get(f"{ORIGIN}/v1/{issuer.name}/did.json") == json.dumps(document).encode()
    name = f"{issuer.name}/statusLists/1-revocation"
    listed = json.loads(anybody.GetStatusList(issued_pb.GetStatusListRequest(name=name)).data)
    assert listed["id"] == f"{ORIGIN}/v1/{name}"
    for wrong in ("1-mood", "2-revocation", "x", "0-revocation", "9999999999-revocation", "²-revocation"):
        request = issued_pb.GetStatusListRequest(name=f"{issuer.name}/statusLists/{wrong}")
        assert reason_of(anybody.GetStatusList, request) == "NOT_FOUND"


def test_no_two_credentials_have_one_bit(portfolio: Portfolio, monkeypatch) -> None:
    staff, issuer = body_of(portfolio)
    tries: Iterator[int] = iter([7, 7, 8, 7, 8])
    monkeypatch.setattr(issued_credentials, "new_place", lambda _: issuing.Place(1, next(tries)))
    bits = set()
    for _ in range(2):
        person = portfolio.person()
        issued = staff.IssueCredential(issuing_to(person, issuer.name))
        status = json.loads(file_of(person, issued.credential))["credentialStatus"]
        bits |= {entry["statusListIndex"] for entry in status}
    assert bits == {"7", "8"}
    monkeypatch.setattr(issued_credentials, "_TRIES", 2)
    late = issuing_to(portfolio.person(), issuer.name)
    assert reason_of(staff.IssueCredential, late) == "OVERLOADED"


def test_a_status_list_is_read_by_its_index(portfolio: Portfolio, monkeypatch) -> None:
    def plan() -> str:
        query = issued_credentials._taken("x", 1, int(issued_pb.IssuedCredential.STATE_REVOKED))
        sql = query.compile(dialect=postgresql.dialect(paramstyle="numeric_dollar"))
        with transaction(portfolio.app) as tx:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            rows = tx.connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {sql}").scalars()
            return "\n".join(rows)

    assert "issued_credentials_taken_back" in plan()
    state = issued_credentials.issued_credentials.c.state
    monkeypatch.setattr(issued_credentials, "_NOT_ACTIVE", state != 1)  # control: as a parameter
    assert "issued_credentials_taken_back" not in plan()


def test_control_nothing_is_trusted_that_was_not_entered(portfolio: Portfolio, monkeypatch) -> None:
    """Control: the list of trusted issuers is what keeps a stranger's badge from being valid."""
    seed = keys.new_seed()
    did = keys.did_key(seed).partition("#")[0]
    said = badge(issuer={"id": did, "type": ["Profile"], "name": "Anybody"})
    content = json.dumps(
        data_integrity.sign_document(said, seed, keys.did_key(seed), data_integrity.JCS, now=NOW)
    ).encode()
    assert verify(portfolio, content).state == UNCONFIRMED
    monkeypatch.setattr(credentials_api.check_file.__globals__["issuers"], "is_trusted", lambda *_: True)
    assert verify(portfolio, content).state == VALID


def test_an_issuer_elsewhere_is_asked_at_its_own_address_and_not_inside(portfolio: Portfolio) -> None:
    """Real calls; control: the reach of production asks nothing on this machine."""
    seed, pages = keys.new_seed(), dict[str, bytes]()

    def answer(asked: Asked) -> Reply:
        return Reply(body=pages[asked.path]) if asked.path in pages else Reply(404)

    with origin(answer) as site:
        did, address = controllers.did_web(site.url), f"{site.url}/status/1"
        document = controllers.did_document(did, {"k": keys.multikey(seed)})
        pages["/.well-known/did.json"] = json.dumps(document).encode()
        elsewhere = issuing.Issuer(site.url, "1", "Elsewhere", "")
        listed = issuing.status_credential(
            elsewhere, issuing.Signer(seed, f"{did}#k"), 1, "revocation", [7], NOW
        )
        pages["/status/1"] = json.dumps(listed).encode()
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7"}
        said = badge(
            issuer={"id": did, "type": ["Profile"], "name": "Elsewhere"},
            credentialStatus={**entry, "id": f"{address}#7", "statusListCredential": address},
        )
        content = json.dumps(
            data_integrity.sign_document(said, seed, f"{did}#k", data_integrity.RDFC, now=NOW)
        ).encode()
        found = findings(verify(portfolio, content))
        # The list says it is another issuer's, so that it proves nothing.
        assert found == {pb.CHECK_FINDING_ISSUER_UNKNOWN, pb.CHECK_FINDING_STATUS_UNUSABLE}
        assert [each.path for each in site.asked] == ["/.well-known/did.json", "/status/1"]
        with pytest.raises(controllers.UnreachableError):
            over(Reach())(f"{site.url}/.well-known/did.json")
        assert len(site.asked) == 2
        assert over(portfolio.app.settings.reach)(address) == pages["/status/1"]
