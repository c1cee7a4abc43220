"""Shortage lists: which entry answers for an occupation, a region and a day.

An entry for an ISCO-08 group holds for all occupations below it (code prefix), an entry for a NUTS region for
all regions below it (code prefix), an entry for a concept URI for that concept alone. Never the other way
round: a shortage of software developers (2512) says nothing about all ICT professionals (25).
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation, invalid

FARTHEST = timedelta(days=2 * 366)  # ahead of which a version is taken for one of a wrong year
MOST_EVIDENCE, EVIDENCE_LENGTH = 20, 200  # of an entry; characters


class Entry(NamedTuple):
    """One occupation in shortage. `uri` or `isco_code` may be empty, never both; `evidence`: what it rests
    on, resource names such as `assessments/{id}`, URIs or words."""

    seq: int
    uri: str
    isco_code: str
    label: str
    nuts_code: str
    severity: int
    cause: int
    line: int
    evidence: Sequence[str] = ()


class Match(NamedTuple):
    """A row whose occupation is not sure; `normal`: its name as of `labels.normal`; `uri`, `isco_code`: what
    it is taken for, both empty where nothing is known."""

    line: int
    label: str
    normal: str
    uri: str
    isco_code: str
    nuts_code: str
    severity: int
    cause: int
    candidates: Sequence[str]
    evidence: Sequence[str]


@dataclass(frozen=True, slots=True)
class Occupation:
    """Occupation asked about; `isco_code` is the whole code known of it, `uri` may be empty."""

    uri: str
    isco_code: str


def holds(entry: Entry, occupation: Occupation, nuts_code: str) -> bool:
    """True when the entry covers the occupation in the region."""
    if not nuts_code.startswith(entry.nuts_code):
        return False
    if entry.uri:
        return entry.uri == occupation.uri
    return bool(entry.isco_code) and occupation.isco_code.startswith(entry.isco_code)


def best(entries: Iterable[Entry], occupation: Occupation, nuts_code: str) -> Entry | None:
    """Returns the entry that answers: the most specific occupation, then region, then the most severe."""
    covering = [entry for entry in entries if holds(entry, occupation, nuts_code)]
    return max(covering, key=specificity, default=None)


def specificity(entry: Entry) -> tuple[int, int, int, int]:
    """Order in which covering entries answer; the earlier line wins a tie."""
    depth = 5 if entry.uri else len(entry.isco_code)
    return depth, len(entry.nuts_code), entry.severity, -entry.seq


@dataclass(frozen=True, slots=True)
class Validity:
    """Days of a published version."""

    number: int
    valid_from: date
    valid_to: date | None


_VALID_FROM = attrgetter("valid_from")


def in_force(versions: Sequence[Validity], day: date) -> Validity | None:
    """Returns the version in force: of those given (by `valid_from`) the last begun, unless it ended."""
    place = bisect_right(versions, day, key=_VALID_FROM)
    started = versions[place - 1] if place else None
    if started is None or (started.valid_to is not None and started.valid_to < day):
        return None
    return started


def check_publication(
    *,
    entry_count: int,
    error_count: int,
    open_count: int,
    accept_findings: bool,
    made_by: Collection[str],
    publisher: str,
) -> None:
    """Raises Refusal unless the draft may be published by this person.

    `open_count`: matches not decided. `made_by`: who drafted it, and who decided what stands in it.
    """
    if publisher in made_by:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
    if not entry_count:
        raise Refusal(reason_pb2.REASON_SHORTAGE_LIST_EMPTY)
    if (error_count or open_count) and not accept_findings:
        counts = {"error_count": str(error_count), "open_match_count": str(open_count)}
        raise Refusal(reason_pb2.REASON_SHORTAGE_LIST_HAS_FINDINGS, metadata=counts)


def check_withdrawal(valid_from: date, today: date, *, publisher: str, withdrawer: str) -> None:
    """Raises Refusal unless the published version may be withdrawn by this person: SAME_PERSON for who
    published it, SHORTAGE_VERSION_IN_FORCE from its first day on."""
    if withdrawer == publisher:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
    if valid_from <= today:
        raise Refusal(
            reason_pb2.REASON_SHORTAGE_VERSION_IN_FORCE, metadata={"valid_from": valid_from.isoformat()}
        )


def check_days(valid_from: date, valid_to: date | None, today: date) -> None:
    """Raises Refusal INVALID_ARGUMENT when the days are in the wrong order, and SHORTAGE_VERSION_TOO_FAR when
    the first is so far ahead that the year must be wrong: once published it would bar all others."""
    if valid_to is not None and valid_to < valid_from:
        raise invalid("valid_to", "must not be before valid_from")
    if valid_from > today + FARTHEST:
        violation = Violation("valid_from", f"must not be after {today + FARTHEST}")
        raise Refusal(reason_pb2.REASON_SHORTAGE_VERSION_TOO_FAR, violations=[violation])


def check_order(valid_from: date, published: Sequence[Validity], list_name: str) -> None:
    """Raises Refusal when a published version starts on the same day or later: history would change."""
    later = [v for v in published if v.valid_from >= valid_from]
    if later:
        raise Refusal(
            reason_pb2.REASON_SHORTAGE_VERSION_OVERLAPS,
            metadata={"version": f"{list_name}/versions/{max(v.number for v in later)}"},
        )


def covered(entry: Entry) -> tuple[object, ...]:
    """Returns what digest and proof are over. Evidence stands there only where there is some, so that what
    was published before it was kept comes out as it did."""
    e = entry
    fields = (e.seq, e.uri, e.isco_code, e.label, e.nuts_code, e.severity, e.cause)
    return (*fields, list(e.evidence)) if e.evidence else fields


def compact(value: object) -> str:
    """Returns JSON without spaces, with nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def digest(entries: Iterable[Entry]) -> str:
    """Returns SHA-256 (hex) over the entries in order: one line each, fields separated by tabs, evidence as a
    JSON array."""
    sha = hashlib.sha256()
    for entry in entries:
        line = (field if isinstance(field, str) else compact(field) for field in covered(entry))
        sha.update(("\t".join(line) + "\n").encode())
    return sha.hexdigest()
