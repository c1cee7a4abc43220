"""Nobody is told a regular expression: every pattern of a contract has words, which are of that pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from buf.validate import validate_pb2
from waymark.catalogue.v1.shortage_list_pb2 import CheckShortageRequest
from waymark.vouchers.v1.programme_pb2 import GetProgrammeVersionRequest

from services.platform.rpc import patterns
from services.platform.rpc.interceptors.validation import violations_of
from services.platform.rpc.patterns import words
from tests.support.contract import CONTRACT


def patterns_of(rules: validate_pb2.FieldRules) -> Iterator[str]:
    if rules.string.HasField("pattern"):
        yield rules.string.pattern
    if rules.HasField("repeated"):
        yield from patterns_of(rules.repeated.items)
    if rules.HasField("map"):
        yield from patterns_of(rules.map.keys)
        yield from patterns_of(rules.map.values)


ALL = sorted(
    {
        pattern
        for message in CONTRACT.messages.values()
        for field in message.descriptor.field
        for pattern in patterns_of(field.options.Extensions[validate_pb2.field])
    }
)


@pytest.mark.parametrize("pattern", ALL)
def test_every_pattern_of_a_contract_has_words(pattern: str) -> None:
    said = words(pattern)
    assert said.startswith("must ")
    assert not re.search(r"\[|\^|\$|\\|\{\d", said)
    for example in re.findall(r"\blike ([A-Z0-9+][\w:+ -]*?)(?=,|$)", said):
        assert re.fullmatch(pattern, example), (pattern, example)


def test_no_words_are_of_a_pattern_that_no_contract_has() -> None:
    assert set(patterns._WORDS) - set(ALL) == set()


def test_a_name_is_told_part_by_part() -> None:
    assert words("^programmes/[a-z0-9-]{1,63}/versions/[0-9]{1,9}$") == (
        "must be a name like programmes/{id}/versions/{n}, where {id} is at most 63 small letters, digits and"
        " hyphens and {n} is a number"
    )
    with pytest.raises(KeyError):
        words("^nobody knows this$")


def test_who_calls_is_told_the_words() -> None:
    (place,) = violations_of(CheckShortageRequest(occupation="2512", nuts_code="be2"))
    assert (place.field, place.description.partition(",")[0]) == ("nuts_code", "must be two capital letters")
    (name,) = violations_of(GetProgrammeVersionRequest(name="programmes/x"))
    assert name.description.startswith("must be a name like programmes/{id}/versions/{n}")
