"""What answers come to, by nothing but the scoring that an instrument publishes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from waymark.portfolio.v1 import instrument_pb2 as pb
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion
from waymark.portfolio.v1.questionnaire_pb2 import QuestionnaireResult

Choices = Mapping[str, str]  # question id → option id


def scored(version: pb.InstrumentVersion) -> list[pb.Question]:
    """Returns the questions whose answers count."""
    return [question for question in version.questions if question.element]


def points(question: pb.Question) -> dict[str, int]:
    """Returns what each option of a question counts, by option id."""
    return {option.id: option.points * (question.weight or 1) for option in question.options}


def score(
    version: pb.InstrumentVersion, framework: FrameworkVersion, choices: Choices
) -> QuestionnaireResult:
    """Returns the result of answers, without a time. `choices` must have each question that is scored."""
    standard_of = {element.id: element.standard for element in framework.elements}
    sums: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for question in scored(version):
        counted = points(question)
        pair = (counted[choices[question.id]], max(counted.values()))
        for key in ("", f"element {question.element}", f"standard {standard_of[question.element]}"):
            sums[key].append(pair)
    result = QuestionnaireResult()
    if not sums:
        return result
    percents = {key: _percent(pairs) for key, pairs in sums.items()}
    result.percent = percents[""]
    for element in framework.elements:
        if (percent := percents.get(f"element {element.id}")) is not None:
            level = level_at(version.scoring.levels, percent)
            result.elements.add(element=element.id, percent=percent, level=level)
    for standard in framework.standards:
        if (percent := percents.get(f"standard {standard.id}")) is not None:
            result.standards.add(standard=standard.id, percent=percent)
    if (band := band_at(version.scoring.bands, result.percent)) is not None:
        result.band = band.id
        result.titles.update(band.titles)
        result.descriptions.update(band.descriptions)
        result.suggested_tier, result.suggested_channel = band.tier, band.channel
    return result


def band_at(bands: Iterable[pb.ScoringBand], percent: int) -> pb.ScoringBand | None:
    """Returns the band that a percentage falls into, None without bands; `bands` ascend from 0."""
    reached = [band for band in bands if band.from_percent <= percent]
    return reached[-1] if reached else None


def level_at(levels: Iterable[pb.LevelThreshold], percent: int) -> str:
    """Returns the id of the level that a percentage reaches, "" without levels; `levels` ascend from 0."""
    reached = [each.level for each in levels if each.from_percent <= percent]
    return reached[-1] if reached else ""


def reachable(version: pb.InstrumentVersion) -> set[int]:
    """Returns every percentage that answers can come to; a bit of `sums` for each total there can be."""
    sums, most = 1, 0
    for question in scored(version):
        counted = points(question).values()
        more = 0
        for value in set(counted):
            more |= sums << value
        sums, most = more, most + max(counted)
    there = enumerate(reversed(f"{sums:b}"))
    return {_percent([(total, most)]) for total, bit in there if bit == "1"} if most else set()


def _percent(pairs: Iterable[tuple[int, int]]) -> int:
    """Returns the share of the most possible points in percent, a half rounded up."""
    got, most = map(sum, zip(*pairs, strict=True))
    return (200 * got + most) // (2 * most)
