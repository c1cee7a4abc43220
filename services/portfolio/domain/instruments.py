"""What is wrong with a draft of an instrument, each finding with its place and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from waymark.portfolio.v1 import instrument_pb2 as pb
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion

from services.platform.errors import Violation
from services.portfolio.domain import scoring
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.frameworks import lacking, twice, untranslated

_AT = "instrument_version"


def check(version: pb.InstrumentVersion, framework: FrameworkVersion | None) -> None:
    """Raises Refusal(INVALID_ARGUMENT) with every finding. `framework`: the published one that it names."""
    found = list(_findings(version, framework))
    refuse(found or list(_outcomes(version, framework or FrameworkVersion())))


def _findings(version: pb.InstrumentVersion, framework: FrameworkVersion | None) -> Iterator[Violation]:
    yield from lacking(_AT, version, ("titles", "parts", "questions"))
    if version.framework_version and framework is None:
        yield Violation(f"{_AT}.framework_version", "is no published version of a framework")
    elif version.framework_version and not scoring.scored(version):
        yield Violation(f"{_AT}.framework_version", "is named, and no question counts for its elements")
    asked = {question.part for question in version.questions}
    yield from _listed(f"{_AT}.parts", version.parts, version)
    for index, part in enumerate(version.parts):
        if part.id not in asked:
            yield Violation(f"{_AT}.parts[{index}]", f"`{part.id}` has no question")
    yield from _listed(f"{_AT}.questions", version.questions, version)
    parts = {part.id: part for part in version.parts}
    elements = {element.id for element in framework.elements} if framework else set()
    for index, question in enumerate(version.questions):
        place = f"{_AT}.questions[{index}]"
        yield from _listed(f"{place}.options", question.options, version)
        if question.part not in parts:
            yield Violation(f"{place}.part", f"`{question.part}` is no part of this version")
        elif question.element:
            yield from _scored(place, question, parts[question.part])
        if question.element and question.element not in elements:
            yield Violation(f"{place}.element", f"`{question.element}` is no element of the framework")
        if len(question.options) == 1:
            yield Violation(f"{place}.options", "must be none, or two at least")
    yield from _thresholds(version, framework)


def _listed(place: str, parts: Sequence[Any], version: pb.InstrumentVersion) -> Iterator[Violation]:
    yield from twice(place, parts)
    yield from untranslated(place, parts, version.titles)


def _scored(place: str, question: pb.Question, part: pb.InstrumentPart) -> Iterator[Violation]:
    if part.special_category:
        yield Violation(f"{place}.element", "is in a part of special categories, which is never scored")
    if part.optional:
        yield Violation(f"{place}.element", "is in a part that may be left out, and so cannot be scored")
    if len(set(scoring.points(question).values())) < 2:
        yield Violation(f"{place}.options", "all count the same: the answer would not matter")


def _thresholds(version: pb.InstrumentVersion, framework: FrameworkVersion | None) -> Iterator[Violation]:
    rules, at = version.scoring, f"{_AT}.scoring"
    if (rules.levels or rules.bands or rules.examples) and not scoring.scored(version):
        yield Violation(at, "scores nothing, as no question has an element")
    yield from _ascending(f"{at}.levels", [each.from_percent for each in rules.levels])
    yield from _ascending(f"{at}.bands", [each.from_percent for each in rules.bands])
    yield from _listed(f"{at}.bands", rules.bands, version)
    levels = [level.id for level in framework.levels] if framework else []
    for index, each in enumerate(rules.levels):
        if each.level not in levels:
            yield Violation(f"{at}.levels[{index}].level", f"`{each.level}` is no level of the framework")
    given = [levels.index(each.level) for each in rules.levels if each.level in levels]
    if given != sorted(set(given)):
        yield Violation(f"{at}.levels", "must have the levels in the order of the framework, each once")


def _ascending(place: str, bounds: Sequence[int]) -> Iterator[Violation]:
    if bounds and (bounds[0] != 0 or sorted(set(bounds)) != list(bounds)):
        yield Violation(place, "must ascend from 0 without a repeat")


def _outcomes(version: pb.InstrumentVersion, framework: FrameworkVersion) -> Iterator[Violation]:
    """Yields bands that no answers come to, and examples that come to something else than they say."""
    at, bands = f"{_AT}.scoring", version.scoring.bands
    there = [scoring.band_at(bands, percent) for percent in scoring.reachable(version)] if bands else []
    reached = {band.id for band in there if band is not None}
    for index, band in enumerate(bands):
        if band.id not in reached:
            yield Violation(f"{at}.bands[{index}]", f"`{band.id}` is never reached, whatever is answered")
    options = {question.id: set(scoring.points(question)) for question in scoring.scored(version)}
    for index, example in enumerate(version.scoring.examples):
        place, choices = f"{at}.examples[{index}]", dict(example.choices)
        if choices.keys() != options.keys():
            yield Violation(f"{place}.choices", "must name each scored question and no other")
        elif wrong := sorted(each for each in choices if choices[each] not in options[each]):
            yield Violation(f"{place}.choices", f"have no such option for {', '.join(wrong)}")
        elif (result := scoring.score(version, framework, choices)).band != example.band:
            said = f"comes to `{result.band}` at {result.percent} percent, not to `{example.band}`"
            yield Violation(f"{place}.band", said)
