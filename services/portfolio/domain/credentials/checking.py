"""The whole check of a credential: what it says, and a verdict with one check for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import badges_2, revocation, shapes, validity
from services.portfolio.domain.credentials.controllers import Fetch
from services.portfolio.domain.credentials.fields import esco_skills, first, id_of, many, text, types
from services.portfolio.domain.credentials.findings import passed, verdict
from services.portfolio.domain.credentials.proving import Trusted, check_issuer, prove
from services.portfolio.domain.credentials.reading import Read
from services.portfolio.domain.credentials.strict_json import UnreadableError


class Checked(NamedTuple):
    """What a credential says, and whether that holds."""

    summary: pb.CredentialSummary
    verdict: pb.Verdict


def check(read: Read, fetch: Fetch, trusted: Trusted, now: datetime) -> Checked:
    """Checks a credential at `now` (UTC); raises UnreadableError for no format that is read here."""
    if badges_2.is_assertion(read.document):
        summary, checks = badges_2.check(read, fetch, trusted, now)
        return Checked(summary, verdict(checks, now))
    document = read.document
    summary = summary_of(document)
    proven = prove(read, fetch)
    checks = [
        proven.check,
        check_issuer(id_of(document.get("issuer")), proven, fetch, trusted),
        revocation.check(document, fetch, now),
        _expiry(read, now),
        shapes.check(document, summary.format),
    ]
    return Checked(summary, verdict(checks, now))


def untouched(now: datetime) -> pb.Verdict:
    """Returns the verdict on what has just been issued here: all of it holds."""
    return verdict([passed(kind) for kind in pb.CheckKind.values() if kind], now)


def summary_of(document: Mapping[str, Any]) -> pb.CredentialSummary:
    """Returns what a verifiable credential says; raises UnreadableError when it is none."""
    issuer, subject = document.get("issuer"), next(iter(many(document.get("credentialSubject"))), None)
    subject = subject if isinstance(subject, Mapping) else {}
    issuer_fields = issuer if isinstance(issuer, Mapping) else {}
    achievement = first(subject, "achievement", "hasClaim")
    achievement = achievement if isinstance(achievement, Mapping) else {}
    display = document.get("displayParameter")
    titles = [document.get("name"), achievement.get("name"), achievement.get("title")]
    titles.insert(0, display.get("title") if isinstance(display, Mapping) else None)
    summary = pb.CredentialSummary(
        format=_format(document),
        title=next((found for title in titles if (found := text(title))), ""),
        issuer_name=text(first(issuer_fields, "name", "legalName")),
        issuer_id=id_of(issuer)[:2000],
        credential_id=id_of(document)[:2000],
        achievement_id=id_of(achievement)[:2000],
        skill_uris=esco_skills(achievement),
    )
    validity.say(summary, document, validity.CREDENTIAL)
    return summary


def _format(document: Mapping[str, Any]) -> pb.CredentialFormat.ValueType:
    named = types(document)
    if shapes.EUROPEAN_TYPES & named:
        return pb.CREDENTIAL_FORMAT_EUROPEAN
    if (shapes.ACHIEVEMENT_TYPES | {shapes.ENDORSEMENT}) & named:
        return pb.CREDENTIAL_FORMAT_OPEN_BADGES_3
    if "VerifiableCredential" in named:
        return pb.CREDENTIAL_FORMAT_VERIFIABLE
    raise UnreadableError("is no credential of a kind that is read here")


def _expiry(read: Read, now: datetime) -> pb.Check:
    found = validity.check(read.document, validity.CREDENTIAL, now)
    if read.token is None or found.outcome != pb.CHECK_OUTCOME_PASSED:
        return found
    return validity.check(read.token.claims, validity.TOKEN, now)
