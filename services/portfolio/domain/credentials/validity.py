"""From when and until when a credential is valid, whatever its format calls that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials.fields import first, moment
from services.portfolio.domain.credentials.findings import failed, passed

_EXPIRY = pb.CHECK_KIND_EXPIRY


class Span(NamedTuple):
    """What a format calls begin and end, of several names the first that is there; `blamed`: the field that a
    check names when either is no time."""

    begin: tuple[str, ...]
    end: tuple[str, ...]
    blamed: str


CREDENTIAL = Span(("validFrom", "issuanceDate"), ("validUntil", "expirationDate"), "validFrom")
TOKEN = Span(("nbf",), ("exp",), "nbf")
BADGE_2 = Span(("issuedOn",), ("expires",), "expires")


def say(summary: pb.CredentialSummary, document: Mapping[str, Any], span: Span) -> None:
    """Notes both times in a summary; what is no time is left out, as a check names it."""
    for field, names in ((summary.valid_from, span.begin), (summary.valid_until, span.end)):
        try:
            time = moment(first(document, *names))
        except (ValueError, OverflowError):
            continue
        if time:
            field.FromDatetime(time)


def check(document: Mapping[str, Any], span: Span, now: datetime) -> pb.Check:
    """Checks that a credential is valid at `now` (UTC)."""
    try:
        since, until = moment(first(document, *span.begin)), moment(first(document, *span.end))
    except (ValueError, OverflowError):
        return failed(_EXPIRY, pb.CHECK_FINDING_SHAPE_WRONG, span.blamed)
    if since and since > now:
        return failed(_EXPIRY, pb.CHECK_FINDING_NOT_YET_VALID, span.begin[0])
    if until and until <= now:
        return failed(_EXPIRY, pb.CHECK_FINDING_EXPIRED, span.end[0])
    return passed(_EXPIRY)
