"""What a check finds: on the real Open Badges, on European credentials, and on badges made to deceive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import (
    baking,
    contexts,
    data_integrity,
    keys,
    proving,
    reading,
    status_list,
    vc_jwt,
)
from services.portfolio.domain.credentials.multiformats import unpadded
from services.portfolio.domain.credentials.strict_json import UnreadableError
from tests.support.credentials import DID, NOW, Internet, award_example, badge, checked, fixture
from tests.support.real_data import real_data

VALID, UNCONFIRMED, INVALID = pb.Verdict.STATE_VALID, pb.Verdict.STATE_UNCONFIRMED, pb.Verdict.STATE_INVALID
KEY = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>'


def controller(address: str, key: str = KEY) -> dict[str, Any]:
    """The document of an issuer of the fixtures, as its address would answer."""
    method = f"{address}#{key}"
    one = {"id": method, "type": "Multikey", "controller": address, "publicKeyMultibase": key}
    return {"id": address, "verificationMethod": [one], "assertionMethod": [method]}


EXAMPLE, EDTECH, STATE = (
    "https://example.com/issuers/876543",
    "https://1edtech.edu/issuers/565049",
    "https://state.gov/issuers/565049",
)
WELLSPRING = "dc.1edtech.org/wellspring2022/wellspring-portal"
ORG = "da1e96e9-afcc-4eed-b9a2-2ddf7353214c"
WELLSPRING_DID = f"did:web:{WELLSPRING.replace('/', ':')}:org:{ORG}"
REVOKED_ID = f"https://{WELLSPRING}/credential/54418d3f-ec01-4652-800a-861c890a51a1"


@pytest.fixture(scope="module")
def internet() -> Internet:
    """The addresses that the fixtures name, with documents that fit them."""
    svg = reading.read(fixture("simple-jwt.svg"))
    assert svg.token is not None
    edtech = controller(EDTECH)
    edtech["assertionMethod"].append({"id": "#rsa", "publicKeyJwk": svg.token.header["jwk"]})
    png = "z6MkrvfzkMnvCroEUP2DVc9SHPE48CRsvHiVSusHioxTYu1x"
    example = controller(EXAMPLE)
    other = controller(EXAMPLE, png)
    for part in ("verificationMethod", "assertionMethod"):
        example[part] += other[part]
    revoked = {
        "id": "x",
        "issuer": WELLSPRING_DID,
        "revokedCredential": [{"id": REVOKED_ID, "revoked": True}],
    }
    return Internet(
        {
            EXAMPLE: example,
            EDTECH: edtech,
            STATE: controller(STATE, "z6MkoMGF38Ck9xkdqrbZt4h9eHb1qc3GhAAkoSWa4Vy3SHRN"),
            f"https://{WELLSPRING}/org/{ORG}/did.json": controller(WELLSPRING_DID),
            f"https://{WELLSPRING}/api/revocations/{ORG}": revoked,
        }
    )


def findings(verdict: pb.Verdict) -> dict[str, str]:
    """Kinds that did not pass, with why."""
    return {
        pb.CheckKind.Name(check.kind).removeprefix("CHECK_KIND_"): pb.CheckFinding.Name(
            check.finding
        ).removeprefix("CHECK_FINDING_")
        for check in verdict.checks
        if check.outcome != pb.CHECK_OUTCOME_PASSED
    }


VERDICTS: list[tuple[str, int, dict[str, str]]] = [
    ("simple.json", VALID, {}),
    ("simple-multiple-proofs.json", VALID, {}),
    ("simple-did-web-method.json", VALID, {}),
    ("simple-eddsa-2022.json", VALID, {}),
    ("simple-json.png", VALID, {}),
    ("simple-jwt.svg", VALID, {}),
    ("endorsement-valid.json", VALID, {}),
    # The proof holds; the issuer, a bare UUID, has no key by which anybody could tell.
    ("simple-did-key-method.json", UNCONFIRMED, {"ISSUER": "KEY_NOT_OF_ISSUER"}),
    ("credential-status-revoked.json", INVALID, {"STATUS": "REVOKED"}),
    ("simple-err-expired.json", INVALID, {"EXPIRY": "EXPIRED"}),
    ("simple-err-context.json", INVALID, {"SCHEMA": "SHAPE_WRONG", "PROOF": "TERMS_UNDEFINED"}),
    ("simple-err-credential-subject-type.json", INVALID, {"SCHEMA": "SHAPE_WRONG"}),
    ("simple-err-evidence-type.json", INVALID, {"SCHEMA": "SHAPE_WRONG"}),
    ("simple-err-issuer-type.json", INVALID, {"SCHEMA": "SHAPE_WRONG"}),
    ("simple-err-issuer.json", INVALID, {"SCHEMA": "SHAPE_WRONG", "ISSUER": "KEY_NOT_OF_ISSUER"}),
    ("simple-err-proof-value.json", INVALID, {"PROOF": "SIGNATURE_WRONG"}),
    ("simple-noproof.json", INVALID, {"PROOF": "PROOF_MISSING"}),
    # Its header names no key, neither by address nor whole: nothing tells by what it was signed.
    ("simple.jwt", INVALID, {"PROOF": "KEY_MISSING"}),
    # An example of every field: the key that its proof names did not sign what it says now.
    ("complete.json", INVALID, {"PROOF": "SIGNATURE_WRONG", "STATUS": "STATUS_UNREACHABLE"}),
]


def test_every_real_badge_has_a_verdict() -> None:
    assert sorted(name for name, *_ in VERDICTS) == sorted(
        each.name for each in real_data("portfolio/open-badges-3.0").iterdir()
    )


@pytest.mark.parametrize(("name", "state", "finding"), VERDICTS)
def test_each_real_badge_gets_the_verdict_that_its_name_says(
    internet: Internet, name: str, state: int, finding: dict[str, str]
) -> None:
    found = checked(fixture(name), internet)
    shown = findings(found.verdict)
    assert found.verdict.state == state, shown
    assert finding.items() <= shown.items()
    if state == INVALID:
        assert found.summary.format == pb.CREDENTIAL_FORMAT_OPEN_BADGES_3
    if state == VALID:
        untrusted = checked(fixture(name), internet, trusted=False).verdict
        assert (untrusted.state, findings(untrusted)) == (UNCONFIRMED, {"ISSUER": "ISSUER_UNKNOWN"})
        alone = checked(
            fixture(name), Internet()
        ).verdict  # nobody answers: the key cannot be told to be theirs
        assert alone.state == UNCONFIRMED


def test_european_credentials_are_checked_by_shape() -> None:
    content = (real_data("portfolio/elm-edc") / "credential-sample.jsonld").read_bytes()
    found = checked(content, Internet())
    assert found.summary.format == pb.CREDENTIAL_FORMAT_EUROPEAN
    assert (found.summary.title, found.summary.issuer_name) == ("Some kind of credential", "some legal name")
    assert "SCHEMA" not in findings(found.verdict)
    assert findings(found.verdict)["PROOF"] == "PROOF_MISSING"
    broken = json.loads(content)
    del broken["displayParameter"]["title"]
    assert findings(checked(broken, Internet()).verdict)["SCHEMA"] == "SHAPE_WRONG"


@pytest.mark.parametrize("form", ["general", "flattened", "compact", "two seals"])
def test_the_seal_of_a_european_credential_is_told_not_to_be_checked(form: str) -> None:
    document = json.loads((real_data("portfolio/elm-edc") / "credential-sample.jsonld").read_bytes())
    del document["validUntil"], document["expirationDate"]
    content = json.dumps(document).encode()
    header = {"alg": "RS256", "x5c": ["MII"], "sigT": "2026-01-01T00:00:00Z"}
    protected, payload = (unpadded(part) for part in (json.dumps(header).encode(), content))
    seal = {"protected": protected, "signature": "AAAA"}
    sealed = {
        "general": json.dumps({"payload": payload, "signatures": [seal]}),
        "flattened": json.dumps({"payload": payload, **seal}),
        "compact": f"{protected}.{payload}.AAAA",
        "two seals": json.dumps({"payload": payload, "signatures": [seal, seal]}),
    }
    found = checked(sealed[form], Internet())
    assert (found.summary.title, found.summary.format) == (
        "Some kind of credential",
        pb.CREDENTIAL_FORMAT_EUROPEAN,
    )
    assert found.verdict.state == UNCONFIRMED
    assert findings(found.verdict)["PROOF"] == "PROOF_UNSUPPORTED"
    for broken in ({"payload": payload}, {"payload": 7, **seal}, {"payload": payload, "signatures": 1}):
        with pytest.raises(UnreadableError):
            checked(json.dumps(broken), Internet())


def test_a_badge_sealed_by_a_key_that_is_found_is_checked_in_each_serialisation() -> None:
    seed = keys.new_seed()
    protected, payload, signature = vc_jwt.sign_token(badge(), seed, f"{DID}#k").split(".")
    seal = {"payload": payload, "protected": protected, "signature": signature}
    assert checked(json.dumps(seal), award_example(seed)).verdict.state == VALID
    forged = json.dumps(seal | {"signature": signature[::-1]})
    assert findings(checked(forged, award_example(seed)).verdict)["PROOF"] == "SIGNATURE_WRONG"


def signed(seed: bytes, method: str = f"{DID}#k", **fields: Any) -> dict[str, Any]:
    """A badge of award.example, or one that says so."""
    return data_integrity.sign_document(badge(**fields), seed, method, data_integrity.RDFC, now=NOW)


def test_a_badge_signed_by_somebody_else_is_not_the_issuers() -> None:
    own, thief = keys.new_seed(), keys.new_seed()
    web = award_example(own)
    assert checked(signed(own), web).verdict.state == VALID
    forged = checked(signed(thief, keys.did_key(thief)), web).verdict
    assert (forged.state, findings(forged)) == (INVALID, {"ISSUER": "KEY_NOT_OF_ISSUER"})
    token = vc_jwt.sign_token(badge(), thief, keys.did_key(thief))
    assert findings(checked(token, web).verdict) == {"ISSUER": "KEY_NOT_OF_ISSUER"}
    assert checked(vc_jwt.sign_token(badge(), own, f"{DID}#k"), web).verdict.state == VALID
    nobody = signed(thief, keys.did_key(thief), issuer={"type": ["Profile"]})
    assert findings(checked(nobody, web).verdict)["ISSUER"] == "KEY_NOT_OF_ISSUER"


def test_without_the_binding_a_forged_badge_passes(monkeypatch) -> None:
    """Control: only the comparison of key and issuer stands between a thief and a valid badge."""
    thief = keys.new_seed()
    monkeypatch.setattr(proving, "_is_of", lambda found, issuer, fetch: True)
    found = checked(signed(thief, keys.did_key(thief)), award_example(keys.new_seed()))
    assert found.verdict.state == VALID


def test_a_document_of_somebody_else_at_the_address_proves_nothing() -> None:
    seed = keys.new_seed()
    web = award_example(seed)
    (page,) = web.pages.values()
    for wrong in ({"id": "did:web:other.example"}, {"assertionMethod": []}):
        fake = Internet({address: {**page, **wrong} for address in web.pages})
        assert checked(signed(seed), fake).verdict.state != VALID


@pytest.mark.parametrize(("purpose", "finding"), [("revocation", "REVOKED"), ("suspension", "SUSPENDED")])
def test_status_lists_tell_what_was_taken_back(purpose: str, finding: str) -> None:
    seed, address = keys.new_seed(), "https://award.example/status/1"
    entry = {
        "id": f"{address}#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": "7",
        "statusListCredential": address,
    }
    badge_ = signed(seed, credentialStatus=entry)
    web = award_example(seed)

    def answer(bits: list[int], key: bytes = seed, **fields: Any) -> str:
        subject = {"id": f"{address}#list", "type": "BitstringStatusList", "statusPurpose": purpose}
        subject["encodedList"] = status_list.encoded(bits)
        listed = {
            "@context": [contexts.V2],
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": DID,
            "credentialSubject": subject,
            **fields,
        }
        web.pages[address] = data_integrity.sign_document(
            listed, key, f"{DID}#k", data_integrity.JCS, now=NOW
        )
        return findings(checked(badge_, web).verdict).get("STATUS", "")

    assert answer([6, 8]) == ""
    assert answer([7]) == finding
    assert answer([], validUntil="2026-05-01T00:00:00Z") == "STATUS_UNUSABLE"
    # One that the issuer did not sign could give a revoked credential its life back.
    assert answer([], key=keys.new_seed()) == "STATUS_UNUSABLE"
    del web.pages[address]
    assert findings(checked(badge_, web).verdict) == {"STATUS": "STATUS_UNREACHABLE"}


def test_status_lists_unpack_no_further_than_they_may(monkeypatch) -> None:
    bits = status_list.encoded([0, 9, 131_071])
    assert [index for index in (0, 1, 9, 131_071) if status_list.is_set(bits, index)] == [0, 9, 131_071]
    assert len(bits) < 200
    for index in (-1, 131_072):
        with pytest.raises(status_list.ListBrokenError):
            status_list.is_set(bits, index)
    bomb = status_list.encoded([], entries=status_list.MOST_BYTES * 16)
    with pytest.raises(status_list.ListBrokenError):
        status_list.is_set(bomb, 3)
    monkeypatch.setattr(status_list, "MOST_BYTES", 1 << 30)  # control: the cap is what stops it
    assert not status_list.is_set(bomb, 3)


@pytest.mark.parametrize("image", [fixture, lambda name: SVG], ids=["png", "svg"])
@pytest.mark.parametrize("text", ['{"type": "x"}', "a.b.c"])
def test_what_is_baked_comes_out_again(image: Any, text: str) -> None:
    picture = image("simple-json.png")
    baked, kind = baking.bake(picture, text)
    assert baking.extract(baked) == text
    again, _ = baking.bake(baked, '{"other": 1}')
    assert baking.extract(again) == '{"other": 1}'
    assert text.encode() not in again
    assert kind in ("image/png", "image/svg+xml")


def test_broken_and_hostile_files_are_refused() -> None:
    png = fixture("simple-json.png")
    doctype = b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG
    twice = b'{"type": "VerifiableCredential", "type": "x"}'
    deep = b'{"a":' * 100 + b"1" + b"}" * 100
    for content in (
        png[:-30],
        png.replace(b"Teamwork Badge", b"Homework Badge"),
        SVG,
        doctype,
        twice,
        deep,
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"type": "VerifiableCredential", "a": 1e999}',
        b'{"type": "VerifiableCredential", "name": "\\ud800"}',
        b"a.b.c",
        b"\xff\xfe",
        b'{"type": "Person"}',
    ):
        with pytest.raises(UnreadableError):
            checked(content, Internet())


HOST = "https://badges.example"


def assertion(**fields: Any) -> dict[str, Any]:
    """An Open Badges 2.0 assertion with badge and issuer by address."""
    return {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "Assertion",
        "id": f"{HOST}/assertions/1",
        "recipient": {"type": "email", "hashed": False, "identity": "a@b.example"},
        "badge": f"{HOST}/badges/1",
        "issuedOn": "2026-01-01T00:00:00Z",
        "verification": {"type": "HostedBadge"},
        **fields,
    }


def badges_2(key: RSAKey | None = None) -> Internet:
    badge_ = {"id": f"{HOST}/badges/1", "type": "BadgeClass", "name": "Welding", "description": "Welds"}
    issuer: dict[str, Any] = {"id": f"{HOST}/issuer", "type": "Profile", "name": "Badges"}
    issuer |= {"publicKey": f"{HOST}/key", "revocationList": f"{HOST}/revoked"}
    pages = {
        f"{HOST}/badges/1": badge_ | {"criteria": {"narrative": "x"}, "issuer": f"{HOST}/issuer"},
        f"{HOST}/issuer": issuer,
        f"{HOST}/revoked": {"revokedAssertions": []},
        f"{HOST}/assertions/1": assertion(),
    }
    if key:
        pem = key.as_pem(private=False).decode()
        pages[f"{HOST}/key"] = {"id": f"{HOST}/key", "owner": f"{HOST}/issuer", "publicKeyPem": pem}
    return Internet(pages)


def test_badges_of_version_2_hosted() -> None:
    web = badges_2()
    found = checked(assertion(), web)
    assert found.verdict.state == VALID
    assert (found.summary.title, found.summary.issuer_name) == ("Welding", "Badges")
    changed = assertion(recipient={"type": "email", "identity": "thief@b.example"})
    assert findings(checked(changed, web).verdict)["PROOF"] == "SIGNATURE_WRONG"
    web.pages["https://thief.example/1"] = stolen = assertion(id="https://thief.example/1")
    assert findings(checked(stolen, web).verdict)["PROOF"] == "KEY_NOT_OF_ISSUER"
    web.pages[f"{HOST}/revoked"] = {"revokedAssertions": [f"{HOST}/assertions/1"]}
    assert findings(checked(assertion(), web).verdict)["STATUS"] == "REVOKED"
    assert checked(assertion(), Internet()).verdict.state == UNCONFIRMED


def test_badges_of_version_2_signed() -> None:
    key, thief = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
    web = badges_2(key)
    said = assertion(verification={"type": "SignedBadge", "creator": f"{HOST}/key"})
    assert checked(jws.serialize_compact({"alg": "RS256"}, json.dumps(said), key), web).verdict.state == VALID
    forged = jws.serialize_compact({"alg": "RS256"}, json.dumps(said), thief)
    assert findings(checked(forged, web).verdict)["PROOF"] == "SIGNATURE_WRONG"
    web.pages["https://thief.example/key"] = {
        "owner": f"{HOST}/issuer",
        "publicKeyPem": thief.as_pem(private=False).decode(),
    }
    said["verification"]["creator"] = "https://thief.example/key"
    own_key = jws.serialize_compact({"alg": "RS256"}, json.dumps(said), thief)
    assert findings(checked(own_key, web).verdict)["PROOF"] == "KEY_MISSING"
