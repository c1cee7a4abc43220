"""What is wrong with a draft of rules, each finding with its place and how to mend it.

These checks are asked when a version is drafted, changed or activated. Versions in force are only compiled:
what was checked less strictly in its day goes on deciding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.vouchers.domain import payment
from services.vouchers.domain.expressions import (
    CONTEXT,
    STRINGS,
    ExpressionError,
    blanked,
    cel_value,
    compile_condition,
)
from services.vouchers.domain.facts import CATALOGUE, FactType, Value
from services.vouchers.domain.programme import Rules, Version, compile_rules

COST_LIMIT = 250  # names, literals and operators of one expression; evaluated in about 10 µs
_STEP = re.compile(r"''|[A-Za-z_][\w.]*|\d[\w.]*|[=!<>]=|&&|\|\||[-+*/%<>!?]")
# Macros run their body once for each element, and nested ones multiply.
_LOOP = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
_FACT = r"\blearner\.([a-z_]+)"
_NUMBER = r"(-?\d+)\b(?![.\w])"
# With arithmetic on either side it is not the fact itself that is compared.
_BEFORE, _AFTER = r"([-+*/%]\s*)?", r"(\s*[-+*/%])?"
_COMPARED = re.compile(
    rf"{_BEFORE}(?:{_FACT}\s*(?:==|!=|<=|>=|<|>)\s*{_NUMBER}|{_NUMBER}\s*(?:==|!=|<=|>=|<|>)\s*{_FACT}){_AFTER}"
)
_CONTEXT_EXAMPLES: dict[str, tuple[object, object]] = {
    "INT": (1, 2026),
    "STRING": ("course", "BE211"),
    "TIMESTAMP": (cel_value(date(2020, 1, 1)), cel_value(date(2026, 12, 31))),
}
_EQUALS = re.compile(rf"{_FACT}\s*(?:==|!=)\s*({STRINGS})|({STRINGS})\s*(?:==|!=)\s*{_FACT}")
_ONE_OF = re.compile(rf"{_FACT}\s+in\s*\[([^\]]*)\]")


def check_draft(name: str, currency: str, version: Version) -> Rules:
    """Returns the compiled rules. Raises Refusal(RULE_INVALID) with every finding, or CURRENCY_MISMATCH."""
    found = list(_findings(version))
    try:
        rules = compile_rules(name, currency, version)
    except Refusal as refusal:
        if refusal.reason != reason_pb2.REASON_RULE_INVALID:
            raise
        raise Refusal(refusal.reason, violations=[*refusal.violations, *found]) from None
    if found:
        raise Refusal(reason_pb2.REASON_RULE_INVALID, violations=found)
    return rules


def _findings(version: Version) -> Iterator[Violation]:
    for index, clause in enumerate(version.clauses):
        place = f"version.clauses[{index}].expression"
        yield from (Violation(place, f"{clause.id}: {said}") for said in _said(clause.expression))
    everyone = ""
    for index, group in enumerate(version.target_groups):
        place = f"version.target_groups[{index}].expression"
        yield from (Violation(place, f"{group.code}: {said}") for said in _said(group.expression))
        if everyone:
            said = f"{group.code}: is never reached, as `{everyone}` before it takes everyone; move it up"
            yield Violation(place, said)
        elif group.expression.strip() == "true":
            everyone = group.code
    yield from payment.problems(version.payment_rule)


def _said(expression: str) -> Iterator[str]:
    """Yields what speaks against an expression although it may compile."""
    text = blanked(expression)
    loops = dict.fromkeys(_LOOP.findall(text))
    if not loops and _never_decided(expression):
        yield "is never decided: it divides by zero, or a date, number or pattern in a text is malformed"
    for macro in loops:
        yield f"`{macro}` repeats its body, which has no limit; write the cases out with `in`, && or ||"
    cost = len(_STEP.findall(text))
    if cost > COST_LIMIT:
        yield f"costs {cost} steps and may cost {COST_LIMIT}; split it into several clauses"
    yield from _numbers_out_of_range(text)
    yield from _unknown_words(expression)


def _never_decided(expression: str) -> bool:
    """True when an expression that compiles has no truth although every fact is known."""
    try:
        condition = compile_condition(expression)
    except ExpressionError:
        return False
    return all(condition.holds(values) is None for values in _everything_known())


@cache
def _everything_known() -> tuple[dict[str, object], ...]:
    """Returns two sets of values for all that expressions may read, different in each."""
    return tuple(
        {
            **{f"learner.{key}": cel_value(_example(kind, high=high)) for key, kind in CATALOGUE.items()},
            **{name: _CONTEXT_EXAMPLES[kind.name()][high] for name, kind in CONTEXT.items()},
        }
        for high in (False, True)
    )


def _example(kind: FactType, *, high: bool) -> Value:
    if kind.allowed:
        return sorted(kind.allowed, key=str)[-1 if high else 0]
    examples: dict[type, tuple[Value, Value]] = {
        int: (kind.low, kind.high),
        str: ("BE211", "NL"),
        bool: (False, True),
        date: (date(2020, 1, 1), date(2026, 12, 31)),
    }
    return examples[kind.type][high]


def _numbers_out_of_range(text: str) -> Iterator[str]:
    for sign, before, number, other, behind, more in _COMPARED.findall(text):
        kind = None if sign or more else CATALOGUE.get(before or behind)
        value = int(number or other)
        if kind is not None and kind.type is int and not kind.low <= value <= kind.high:
            key = before or behind
            yield f"`learner.{key}` is never {value}: it goes from {kind.low} to {kind.high}"


def _unknown_words(expression: str) -> Iterator[str]:
    pairs = [(before or behind, word or other) for before, word, other, behind in _EQUALS.findall(expression)]
    for key, words in _ONE_OF.findall(expression):
        pairs += [(key, word) for word in re.findall(STRINGS, words)]
    for key, quoted in dict.fromkeys(pairs):
        kind = CATALOGUE.get(key)
        if kind is not None and kind.allowed and quoted[1:-1] not in kind.allowed:
            allowed = ", ".join(sorted(map(str, kind.allowed)))
            yield f"`learner.{key}` is never {quoted}: it is one of {allowed}"
