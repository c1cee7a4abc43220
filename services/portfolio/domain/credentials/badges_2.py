"""Open Badges 2.0: an assertion proven by the address it is hosted at, or signed as JWS by its issuer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import validity, vc_jwt
from services.portfolio.domain.credentials.controllers import Fetch, UnreachableError
from services.portfolio.domain.credentials.fields import esco_skills, id_of, many, text, types
from services.portfolio.domain.credentials.findings import Finding, failed, passed, unknown
from services.portfolio.domain.credentials.proving import Trusted
from services.portfolio.domain.credentials.reading import Read
from services.portfolio.domain.credentials.strict_json import UnreadableError, parsed

_CONTEXT = "https://w3id.org/openbadges/v2"
_HOSTED, _SIGNED = {"HostedBadge", "hosted"}, {"SignedBadge", "signed"}


class _WrongError(Exception):
    """Something that does not hold. Text: where in the assertion; `finding`: what."""

    def __init__(self, finding: Finding, where: str) -> None:
        super().__init__(where)
        self.finding = finding


class _Parts(NamedTuple):
    assertion: dict[str, Any]
    badge: dict[str, Any]
    issuer: dict[str, Any]


def is_assertion(document: Mapping[str, Any]) -> bool:
    """True for an assertion of Open Badges 2.0."""
    return "Assertion" in types(document) and _CONTEXT in many(document.get("@context"))


def check(
    read: Read, fetch: Fetch, trusted: Trusted, now: datetime
) -> tuple[pb.CredentialSummary, Sequence[pb.Check]]:
    """Returns what an assertion says and one check for each kind."""
    try:
        parts = _parts(read.document, fetch)
    except UnreachableError:
        parts = _Parts(read.document, {}, {})
    proof = _proof(read, parts, fetch)
    return _summary(parts), (
        proof,
        _issuer(parts, proof, trusted),
        _status(parts, fetch),
        validity.check(parts.assertion, validity.BADGE_2, now),
        _schema(parts),
    )


def _parts(assertion: dict[str, Any], fetch: Fetch) -> _Parts:
    badge = _object(assertion.get("badge"), fetch)
    return _Parts(assertion, badge, _object(badge.get("issuer"), fetch))


def _object(value: Any, fetch: Fetch) -> dict[str, Any]:
    """Returns an object that is given whole, or by the address it is at."""
    if isinstance(value, dict):
        return value
    try:
        return parsed(fetch(id_of(value)))
    except UnreadableError as error:
        raise UnreachableError(id_of(value)) from error


def _proof(read: Read, parts: _Parts, fetch: Fetch) -> pb.Check:
    kind = pb.CHECK_KIND_PROOF
    try:
        _hosted(parts, fetch) if read.token is None else _signed(read, parts, fetch)
    except UnreachableError:
        return unknown(kind, pb.CHECK_FINDING_KEY_UNREACHABLE, "verification")
    except _WrongError as error:
        return failed(kind, error.finding, str(error))
    return passed(kind)


def _hosted(parts: _Parts, fetch: Fetch) -> None:
    """What is at the assertion's own address must be the assertion, and the address one of its issuer."""
    if not _HOSTED & types(parts.assertion.get("verification")):
        raise _WrongError(pb.CHECK_FINDING_PROOF_MISSING, "verification.type")
    address = id_of(parts.assertion)
    if _object(address, fetch) != parts.assertion:
        raise _WrongError(pb.CHECK_FINDING_SIGNATURE_WRONG, "id")
    if not _host(address) or _host(address) != _host(id_of(parts.issuer)):
        raise _WrongError(pb.CHECK_FINDING_KEY_NOT_OF_ISSUER, "id")


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _signed(read: Read, parts: _Parts, fetch: Fetch) -> None:
    if not _SIGNED & types(parts.assertion.get("verification")):
        raise _WrongError(pb.CHECK_FINDING_PROOF_MISSING, "verification.type")
    creator = id_of(parts.assertion["verification"].get("creator")) or id_of(parts.issuer.get("publicKey"))
    key = _object(creator, fetch)
    named = {id_of(each) for each in many(parts.issuer.get("publicKey"))}
    if id_of(key.get("owner")) != id_of(parts.issuer) or creator not in named:
        raise _WrongError(pb.CHECK_FINDING_KEY_MISSING, "verification.creator")
    try:
        public = RSAKey.import_key(str(key.get("publicKeyPem", "")))
        signed = read.token is not None and vc_jwt.holds(read.token, public)
    except (ValueError, TypeError, JoseError):
        signed = False
    if not signed:
        raise _WrongError(pb.CHECK_FINDING_SIGNATURE_WRONG, "verification")


def _issuer(parts: _Parts, proof: pb.Check, trusted: Trusted) -> pb.Check:
    kind = pb.CHECK_KIND_ISSUER
    if proof.outcome != pb.CHECK_OUTCOME_PASSED:
        return unknown(kind, pb.CHECK_FINDING_KEY_NOT_OF_ISSUER)
    if trusted(id_of(parts.issuer)):
        return passed(kind)
    return unknown(kind, pb.CHECK_FINDING_ISSUER_UNKNOWN, "badge.issuer")


def _status(parts: _Parts, fetch: Fetch) -> pb.Check:
    kind = pb.CHECK_KIND_STATUS
    if parts.assertion.get("revoked"):
        return failed(kind, pb.CHECK_FINDING_REVOKED, "revoked")
    address = id_of(parts.issuer.get("revocationList"))
    if not address:
        return passed(kind)
    try:
        listed = many(_object(address, fetch).get("revokedAssertions"))
    except UnreachableError:
        return unknown(kind, pb.CHECK_FINDING_STATUS_UNREACHABLE, "badge.issuer.revocationList")
    if id_of(parts.assertion) in {id_of(each) for each in listed}:
        return failed(kind, pb.CHECK_FINDING_REVOKED, "badge.issuer.revocationList")
    return passed(kind)


def _schema(parts: _Parts) -> pb.Check:
    kind = pb.CHECK_KIND_SCHEMA
    demanded = (
        ("recipient", parts.assertion.get("recipient")),
        ("badge", parts.assertion.get("badge")),
        ("issuedOn", parts.assertion.get("issuedOn")),
        ("verification", parts.assertion.get("verification")),
        ("id", id_of(parts.assertion)),
    )
    missing = next((name for name, value in demanded if not value), "")
    if missing:
        return failed(kind, pb.CHECK_FINDING_SHAPE_WRONG, missing)
    if not parts.badge:
        return unknown(kind, pb.CHECK_FINDING_KEY_UNREACHABLE, "badge")
    fields = [f"badge.{name}" for name in ("name", "description", "criteria") if not parts.badge.get(name)]
    fields += [f"badge.issuer.{name}" for name in ("id", "name") if not parts.issuer.get(name)]
    return failed(kind, pb.CHECK_FINDING_SHAPE_WRONG, fields[0]) if fields else passed(kind)


def _summary(parts: _Parts) -> pb.CredentialSummary:
    summary = pb.CredentialSummary(
        format=pb.CREDENTIAL_FORMAT_OPEN_BADGES_2,
        title=text(parts.badge.get("name")),
        issuer_name=text(parts.issuer.get("name")),
        issuer_id=id_of(parts.issuer)[:2000],
        credential_id=id_of(parts.assertion)[:2000],
        achievement_id=id_of(parts.badge)[:2000],
        skill_uris=esco_skills(parts.badge),
    )
    validity.say(summary, parts.assertion, validity.BADGE_2)
    return summary
