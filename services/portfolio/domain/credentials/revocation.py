"""Whether the issuer took a credential back: the lists that credentials name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import validity
from services.portfolio.domain.credentials.controllers import Fetch, UnreachableError
from services.portfolio.domain.credentials.fields import first, id_of, many, moment
from services.portfolio.domain.credentials.findings import Finding, failed, passed, unknown
from services.portfolio.domain.credentials.proving import check_issuer, prove
from services.portfolio.domain.credentials.reading import read
from services.portfolio.domain.credentials.status_list import is_set
from services.portfolio.domain.credentials.strict_json import parsed

_STATUS = pb.CHECK_KIND_STATUS
_BITSTRINGS = ("BitstringStatusListEntry", "StatusList2021Entry")
_LIST = "1EdTechRevocationList"
MOST_ENTRIES = 5
_FINDINGS = {"revocation": pb.CHECK_FINDING_REVOKED, "suspension": pb.CHECK_FINDING_SUSPENDED}


class _UnusableError(Exception):
    """A list is not the issuer's, not valid now, or not one that is read here."""


def check(document: Mapping[str, Any], fetch: Fetch, now: datetime) -> pb.Check:
    """Asks every list that a credential names; one without any cannot be taken back."""
    entries = many(document.get("credentialStatus"))
    if len(entries) > MOST_ENTRIES:
        return unknown(_STATUS, pb.CHECK_FINDING_STATUS_UNUSABLE, "credentialStatus")
    try:
        found = [finding for entry in entries if (finding := _ask(entry, document, fetch, now))]
    except UnreachableError:
        return unknown(_STATUS, pb.CHECK_FINDING_STATUS_UNREACHABLE, "credentialStatus")
    except (_UnusableError, ValueError, OverflowError, KeyError, TypeError):
        return unknown(_STATUS, pb.CHECK_FINDING_STATUS_UNUSABLE, "credentialStatus")
    return failed(_STATUS, min(found), "credentialStatus") if found else passed(_STATUS)


def _ask(entry: Any, document: Mapping[str, Any], fetch: Fetch, now: datetime) -> Finding | None:
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    issuer = id_of(document.get("issuer"))
    if kind in _BITSTRINGS:
        purpose = str(entry.get("statusPurpose"))
        bits = _bits(str(entry.get("statusListCredential")), purpose, issuer, fetch, now)
        return _FINDINGS.get(purpose) if is_set(bits, int(entry["statusListIndex"])) else None
    if kind == _LIST:
        listed = parsed(fetch(id_of(entry)))
        if id_of(listed.get("issuer", issuer)) != issuer:
            raise _UnusableError
        rows = many(first(listed, "revokedCredential", "revokedCredentials"))
        own = [row for row in rows if id_of(row) == document.get("id")]
        # An entry says whether it is one; without a word it is.
        taken = any(not isinstance(row, Mapping) or row.get("revoked", True) for row in own)
        return pb.CHECK_FINDING_REVOKED if taken else None
    raise _UnusableError


def _bits(address: str, purpose: str, issuer: str, fetch: Fetch, now: datetime) -> str:
    """Returns the encoded list at an address: signed by the issuer, valid now, and for this purpose."""
    found = read(fetch(address))
    document = found.document
    proven = prove(found, fetch)
    signed = check_issuer(issuer, proven, fetch, lambda _: True).outcome == pb.CHECK_OUTCOME_PASSED
    if not signed or id_of(document.get("issuer")) != issuer:
        raise _UnusableError
    end = moment(first(document, *validity.CREDENTIAL.end))
    subject = document.get("credentialSubject")
    if (end and end <= now) or not isinstance(subject, Mapping):
        raise _UnusableError
    if purpose not in many(subject.get("statusPurpose")):
        raise _UnusableError
    return str(subject.get("encodedList", ""))
