"""What formats demand of a credential: each function returns the path of what is wrong, "" for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials.contexts import BADGE_CONTEXTS, V1, V2
from services.portfolio.domain.credentials.fields import id_of, many, moment, types
from services.portfolio.domain.credentials.findings import failed, passed, unknown

ACHIEVEMENT_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})
ENDORSEMENT = "EndorsementCredential"
EUROPEAN_TYPES = frozenset({"EuropeanDigitalCredential", "EuropassCredential"})
_SCHEMAS = "https://purl.imsglobal.org/spec/ob/v3p0/schema/"
_EUROPEAN_SCHEMAS = "http://data.europa.eu/snb/"
_DATES = {V1: ("issuanceDate", "expirationDate"), V2: ("validFrom", "validUntil")}
_SCHEMA = pb.CHECK_KIND_SCHEMA


def check(document: Mapping[str, Any], format_: pb.CredentialFormat.ValueType) -> pb.Check:
    """Checks that a credential is written as its format says."""
    if format_ == pb.CREDENTIAL_FORMAT_OPEN_BADGES_3:
        faults, schemas = _badge(document), _SCHEMAS
    elif format_ == pb.CREDENTIAL_FORMAT_EUROPEAN:
        faults, schemas = _european(document), _EUROPEAN_SCHEMAS
    else:
        return unknown(_SCHEMA, pb.CHECK_FINDING_SCHEMA_UNKNOWN)
    wrong = next(faults, "")
    if wrong:
        return failed(_SCHEMA, pb.CHECK_FINDING_SHAPE_WRONG, wrong)
    named = [id_of(schema) for schema in many(document.get("credentialSchema"))]
    if all(schema.startswith(schemas) for schema in named):
        return passed(_SCHEMA)
    return unknown(_SCHEMA, pb.CHECK_FINDING_SCHEMA_UNKNOWN, "credentialSchema")


def _badge(document: Mapping[str, Any]) -> Iterator[str]:
    contexts = [each for each in many(document.get("@context")) if isinstance(each, str)]
    if not contexts or contexts[0] not in _DATES or not BADGE_CONTEXTS & set(contexts):
        yield "@context"
        return
    if "VerifiableCredential" not in types(document):
        yield "type"
    yield from _issuer(document.get("issuer"))
    yield from _times(document, *_DATES[contexts[0]])
    subjects = many(document.get("credentialSubject"))
    if not subjects:
        yield "credentialSubject"
    endorses = ENDORSEMENT in types(document)
    for subject in subjects:
        yield from _endorsement(subject) if endorses else _achievement_subject(subject)
    for number, evidence in enumerate(many(document.get("evidence"))):
        if "Evidence" not in types(evidence):
            yield f"evidence[{number}].type"


def _issuer(issuer: Any) -> Iterator[str]:
    if not id_of(issuer):
        yield "issuer"
    elif isinstance(issuer, Mapping) and "Profile" not in types(issuer):
        yield "issuer.type"


def _times(document: Mapping[str, Any], begin: str, end: str) -> Iterator[str]:
    if begin not in document:
        yield begin
    for name in (begin, end, "awardedDate"):
        try:
            moment(document.get(name))
        except (ValueError, OverflowError):
            yield name


def _achievement_subject(subject: Any) -> Iterator[str]:
    if "AchievementSubject" not in types(subject):
        yield "credentialSubject.type"
        return
    if not id_of(subject) and not many(subject.get("identifier")):
        yield "credentialSubject.id"
    achievement = subject.get("achievement")
    if not isinstance(achievement, Mapping):
        yield "credentialSubject.achievement"
        return
    if "Achievement" not in types(achievement):
        yield "credentialSubject.achievement.type"
    for name in ("id", "name", "description"):
        if not isinstance(achievement.get(name), str):
            yield f"credentialSubject.achievement.{name}"
    criteria = achievement.get("criteria")
    if not isinstance(criteria, Mapping) or not (criteria.get("id") or criteria.get("narrative")):
        yield "credentialSubject.achievement.criteria"


def _endorsement(subject: Any) -> Iterator[str]:
    if "EndorsementSubject" not in types(subject):
        yield "credentialSubject.type"
    elif not id_of(subject):
        yield "credentialSubject.id"


def _european(document: Mapping[str, Any]) -> Iterator[str]:
    """As the application profile `edc-generic-no-cv` says what must be there."""
    if "VerifiableCredential" not in types(document):
        yield "type"
    if not id_of(document.get("issuer")):
        yield "issuer"
    display = document.get("displayParameter")
    if not isinstance(display, Mapping) or not display.get("title") or not display.get("primaryLanguage"):
        yield "displayParameter"
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping) or not {"Person", "Agent"} & types(subject):
        yield "credentialSubject"
    if not document.get("credentialProfiles"):
        yield "credentialProfiles"
    if "validFrom" not in document and "issuanceDate" not in document:
        yield "validFrom"
    for name in ("validFrom", "issuanceDate", "validUntil", "expirationDate"):
        yield from _times({name: document[name]}, name, name) if name in document else ()
