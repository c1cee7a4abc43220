"""Learner facts: which there are, of what type, who can supply them, and which value counts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

Value = str | int | bool | date
# A JSON document in the one form that is hashed.
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


class Source(IntEnum):
    """Where a fact comes from; the same numbers as `FactSource` in the contract."""

    SELF_DECLARED = 1
    PES_REGISTER = 2
    PORTFOLIO_VERIFIED = 3

    @property
    def verified(self) -> bool:
        """True when a decision may rest on it without a person looking."""
        return self is not Source.SELF_DECLARED


class Form(NamedTuple):
    """How a text must be written: the pattern that it matches as a whole, and the same in words."""

    pattern: re.Pattern[str]
    words: str


# Regulation (EC) No 1059/2003: the country's two letters, then one more character for each of three levels.
NUTS = Form(
    re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}"),
    "must be a NUTS code such as BE211: two capital letters, then up to three capital letters or digits",
)


_NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_CALLED: Mapping[type, str] = {
    int: "a whole number, in `number`",
    str: "a text, in `text`",
    bool: "true or false, in `flag`",
    date: "a day, in `date`",
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class FactType:
    """Type of a fact's value, the values allowed (empty: any), how a text is written, and who can supply
    it. `statistics`: it is told for statistics alone, by choice; no rule reads it."""

    type: type[Value]
    suppliers: tuple[str, ...]
    allowed: frozenset[Value] = frozenset()
    low: int = 0
    high: int = 1_000_000
    form: Form | None = None
    statistics: bool = False


_BY_CHOICE = FactType(str, ("pes", "learner"), frozenset({"yes", "no", "not_told"}), statistics=True)
CATALOGUE: Mapping[str, FactType] = {
    "education_level": FactType(int, ("portfolio", "pes", "learner"), low=0, high=8),
    "employment_status": FactType(
        str, ("pes", "learner"), frozenset({"employed", "unemployed", "self_employed", "inactive"})
    ),
    "residence_nuts": FactType(str, ("pes", "learner"), form=NUTS),
    "birth_year": FactType(int, ("pes",), low=1900, high=2100),
    "unemployed_since": FactType(date, ("pes",)),
    "works_hours_per_week": FactType(int, ("pes", "learner"), low=0, high=168),
    "has_disability": FactType(bool, ("pes",)),
    "integration_programme": FactType(bool, ("pes",)),
    "gender": FactType(str, ("pes",), frozenset({"female", "male", "other"})),
    "third_country_national": FactType(bool, ("pes",)),
    "in_education": FactType(bool, ("pes", "learner")),
    "foreign_background": _BY_CHOICE,
    "minority": _BY_CHOICE,
    "housing_exclusion": _BY_CHOICE,
    "degree_of_urbanisation": FactType(int, ("pes",), low=1, high=3, statistics=True),
}
STATISTICS = frozenset(key for key, kind in CATALOGUE.items() if kind.statistics)


class Fact(NamedTuple):
    """A fact about one learner. `valid_until` is the last day it may be relied on; None: no limit."""

    key: str
    value: Value
    source: Source
    observed: date
    valid_until: date | None = None


class Told(NamedTuple):
    """A fact and whom it is about, `learners/{id}`."""

    learner: str
    fact: Fact


def check(fact: Fact, place: str) -> list[Violation]:
    """Returns what is wrong with a fact; `place` is its path in the request, such as `facts[2]`."""
    kind = CATALOGUE.get(fact.key)
    if kind is None:
        return [Violation(f"{place}.key", f"there is no fact {fact.key!r}; there are {', '.join(CATALOGUE)}")]
    if type(fact.value) is not kind.type:
        return [Violation(f"{place}.value", f"must be {_CALLED[kind.type]}")]
    if kind.allowed and fact.value not in kind.allowed:
        return [Violation(f"{place}.value", f"must be one of {', '.join(sorted(map(str, kind.allowed)))}")]
    if kind.form and not kind.form.pattern.fullmatch(str(fact.value)):
        return [Violation(f"{place}.value", kind.form.words)]
    if type(fact.value) is int and not kind.low <= fact.value <= kind.high:
        return [Violation(f"{place}.value", f"must be from {kind.low} to {kind.high}")]
    if fact.valid_until is not None and fact.valid_until < fact.observed:
        return [Violation(f"{place}.valid_until", "must not be before observed_date")]
    return []


def check_all(facts: Sequence[Fact], place: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming every fact that is unknown, of a wrong type or given twice."""
    violations = [v for index, fact in enumerate(facts) for v in check(fact, f"{place}[{index}]")]
    seen: set[tuple[str, Source]] = set()
    for index, fact in enumerate(facts):
        if (fact.key, fact.source) in seen:
            violations.append(Violation(f"{place}[{index}].key", "is given twice"))
        seen.add((fact.key, fact.source))
    if violations:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def choose(facts: Iterable[Fact], today: date, *, verified_only: bool = False) -> dict[str, Fact]:
    """Returns the fact that counts for each key: verified before self-declared, then the latest observed.
    Of what is told for statistics alone it is the latest, and of one day what the learner said.

    Facts past their validity or observed after `today` do not count.
    """
    chosen: dict[str, Fact] = {}
    for fact in facts:
        usable = fact.observed <= today and (fact.valid_until is None or fact.valid_until >= today)
        if not usable or (verified_only and not fact.source.verified):
            continue
        rival = chosen.get(fact.key)
        if rival is None or _rank(fact) > _rank(rival):
            chosen[fact.key] = fact
    return chosen


def snapshot(chosen: Mapping[str, Fact]) -> list[dict[str, str | int | bool | None]]:
    """Returns the facts in the form kept with a decision, by key; `restore` reads it."""
    return [
        {
            "key": fact.key,
            "value": kept_value(fact),
            "source": int(fact.source),
            "observed": fact.observed.isoformat(),
            "valid_until": fact.valid_until.isoformat() if fact.valid_until else None,
        }
        for _, fact in sorted(chosen.items())
    ]


def restore(kept: Iterable[Mapping[str, object]]) -> list[Fact]:
    """Returns the facts that `snapshot` wrote, to replay a decision."""
    return [
        Fact(
            key=str(item["key"]),
            value=value_of(str(item["key"]), item["value"]),
            source=Source(int(str(item["source"]))),
            observed=date.fromisoformat(str(item["observed"])),
            valid_until=date.fromisoformat(str(item["valid_until"])) if item["valid_until"] else None,
        )
        for item in kept
    ]


def kept_value(fact: Fact) -> str | int | bool:
    """Returns the value of a fact in its JSON form; `value_of` reads it."""
    return fact.value.isoformat() if isinstance(fact.value, date) else fact.value


def value_of(key: str, kept: object) -> Value:
    """Returns the value of a fact from its JSON form; days are ISO 8601 text there."""
    if CATALOGUE[key].type is date:
        return date.fromisoformat(str(kept))
    assert isinstance(kept, (str, int, bool))
    return kept


def written_value(key: str, written: str) -> Value:
    """Returns the value that a text says, as people write the values of `key`; raises ValueError with how to
    write it."""
    kind = CATALOGUE[key].type
    if kind is bool:
        if written.lower() not in ("true", "false"):
            raise ValueError("must be true or false")
        return written.lower() == "true"
    if kind is int:
        if not _NUMBER.fullmatch(written):
            raise ValueError("must be a whole number in digits")
        return int(written)
    return day_of(written) if kind is date else written


def day_of(written: str) -> date:
    """Returns a day written as 2026-01-31; raises ValueError with how to write it."""
    try:
        if _DAY.fullmatch(written):  # Python would take weeks and days without hyphens too
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise ValueError("must be a day such as 2026-01-31")


def digest(kept: object) -> str:
    """Returns SHA-256 over a JSON document, hex: shows later what a decision was made on."""
    return digest_of(canonical(kept))


def digest_of(text: str) -> str:
    """Returns SHA-256 over a canonical document, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _rank(fact: Fact) -> tuple[bool, date, int]:
    if fact.key in STATISTICS:  # told by choice, so whoever told it may take it back
        return (False, fact.observed, -int(fact.source))
    return (fact.source.verified, fact.observed, int(fact.source))
