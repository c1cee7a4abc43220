"""CEL expressions of programme rules: compiled and type-checked when drafted, evaluated with missing facts.

CEL's own three-valued logic decides what a missing fact means: `a || b` holds when `b` does, whatever `a`.
Standard: Common Expression Language (cel-spec).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache

from cel_expr_python import cel

from services.vouchers.domain import facts

_FACT_TYPES: Mapping[type, cel.Type] = {
    int: cel.Type.INT,
    str: cel.Type.STRING,
    bool: cel.Type.BOOL,
    date: cel.Type.TIMESTAMP,
}
CONTEXT: Mapping[str, cel.Type] = {
    "course.kind": cel.Type.STRING,
    "course.eqf_level": cel.Type.INT,
    "course.price_cents": cel.Type.INT,
    "session.days_to_start": cel.Type.INT,
    "session.days": cel.Type.INT,
    "session.nuts": cel.Type.STRING,
    "today.year": cel.Type.INT,
    "today.date": cel.Type.TIMESTAMP,
}
STRINGS = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""  # a regular expression: literals in either quotes
_STRINGS = re.compile(STRINGS)
_FACT = re.compile(r"\blearner\.([a-z_]+)")


class ExpressionError(Exception):
    """An expression does not compile or is not a condition; the text names line and column."""


@dataclass(frozen=True)
class Condition:
    """A compiled expression of type bool and the learner facts it mentions. `names`: of all that it may read;
    `truth`: what it makes of their values, None for one that is not known."""

    text: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    truth: Callable[[tuple[object, ...]], bool | None]

    def holds(self, values: Mapping[str, object]) -> bool | None:
        """Returns the truth, or None when it cannot be told from `values` (names as `learner.birth_year`)."""
        return self.truth(tuple([values.get(name) for name in self.names]))


def compile_condition(text: str) -> Condition:
    """Compiles a condition; raises ExpressionError for syntax, types, unknown names and non-conditions."""
    try:
        program = _environment().compile(text)
    except RuntimeError as error:
        raise ExpressionError(_readable(str(error))) from None
    if program.return_type() != cel.Type.BOOL:
        kind = program.return_type().name()
        said = f"is a {kind} and must be a condition (BOOL); compare it: `learner.education_level < 4`"
        raise ExpressionError(said)
    keys = dict.fromkeys(_FACT.findall(blanked(text)))
    names = tuple(name for name in _variables() if name.rpartition(".")[2] in text)

    @lru_cache(1024)  # most people give a condition what others have given it before
    def truth(values: tuple[object, ...]) -> bool | None:
        known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        result = program.eval(data=known).value()
        return result if isinstance(result, bool) else None

    return Condition(text, tuple(keys), names, truth)


def blanked(text: str) -> str:
    """Returns an expression with its string literals emptied, so that nothing in them counts as code."""
    return _STRINGS.sub("''", text)


def fact_values(chosen: Mapping[str, facts.Fact]) -> dict[str, object]:
    """Returns facts under the names that expressions use."""
    return {f"learner.{key}": cel_value(fact.value) for key, fact in chosen.items()}


def cel_value(value: facts.Value) -> object:
    """Returns a value as CEL takes it: a day is its first moment, UTC."""
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value


@cache
def _environment() -> cel.Env:
    return cel.NewEnv(variables=_variables())


@cache
def _variables() -> dict[str, cel.Type]:
    kinds = {key: kind for key, kind in facts.CATALOGUE.items() if not kind.statistics}
    learner = {f"learner.{key}": _FACT_TYPES[kind.type] for key, kind in kinds.items()}
    return {**learner, **CONTEXT}


def _readable(text: str) -> str:
    """Returns the first complaint of the compiler with its place and how to mend it."""
    first = text.splitlines()[0].removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:")
    first = (
        first.removesuffix(" [INVALID_ARGUMENT]")
        .replace(" (in container '')", "")
        .partition(" expecting ")[0]
    )
    place = re.match(r"(\d+):(\d+): ", first)
    said = f"line {place[1]}, column {place[2]}: {first[place.end() :]}" if place else first
    return f"{said}; {_remedy(first)}"


def _remedy(said: str) -> str:
    unknown = re.search(r"undeclared reference to '([\w.]+)'", said)
    if unknown and unknown[1].removeprefix("learner.") in facts.STATISTICS:
        return "it is told for statistics alone, and no rule may rest on it"
    if unknown and "." in unknown[1]:
        names = list(_variables())
        near = difflib.get_close_matches(unknown[1], names, n=1)
        meant = f"did you mean `{near[0]}`? " if near else ""
        return f"{meant}There are {', '.join(names)}"
    if unknown:
        return (
            "functions are contains, duration, endsWith, matches, size, startsWith, timestamp; "
            "texts stand in quotes"
        )
    if "no matching overload" in said and re.search("Timestamp|Duration", said):
        return (
            "a day is compared with a day, `learner.unemployed_since < timestamp('2026-07-01T00:00:00Z')`, "
            "and two days differ by hours, `today.date - learner.unemployed_since > duration('4380h')`"
        )
    if "no matching overload" in said:
        return "both sides must be of one type: numbers without quotes, texts in quotes"
    return "a bracket, quote, operand or operator is missing or too much"
