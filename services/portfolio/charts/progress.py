"""How the results of one instrument went over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from waymark.portfolio.v1 import questionnaire_pb2 as pb
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion
from waymark.portfolio.v1.instrument_pb2 import InstrumentVersion

from services.platform.days import day_of
from services.platform.paper.pages import LANGUAGES, words_of
from services.portfolio.charts.lines import Line, svg, table
from services.portfolio.formats.texts import chosen

_FOLDER = Path(__file__).parent / "texts"


def drawn(
    found: Sequence[pb.Questionnaire],
    instrument: InstrumentVersion,
    framework: FrameworkVersion,
    language: str,
) -> pb.GetQuestionnaireProgressResponse:
    """Returns figures, chart and table of completed questionnaires, the oldest first. `instrument` and
    `framework`: of the newest, by which parts are called; `language`: of the words, BCP 47."""
    primary = language.partition("-")[0].lower()
    words = words_of(_FOLDER, primary if primary in LANGUAGES else "en")
    language = language if language in instrument.titles else primary
    answer = pb.GetQuestionnaireProgressResponse()
    for each in found:
        answer.points.add(
            questionnaire=each.name,
            complete_time=each.result.complete_time,
            percent=each.result.percent,
            standards=each.result.standards,
        )
    days = [day_of(point.complete_time.ToDatetime(UTC)).isoformat() for point in answer.points]
    lines = _lines(answer, framework, words["whole"], language)
    answer.table = table(words["day"], days, lines) if days else words["none"]
    title = f"{chosen(instrument.titles, language)}: {words['title']}" if days else words["title"]
    answer.svg = svg(title, f"{words['said']}\n{answer.table}", days, lines)
    return answer


def _lines(
    answer: pb.GetQuestionnaireProgressResponse, framework: FrameworkVersion, whole: str, language: str
) -> list[Line]:
    scores = [{each.standard: each.percent for each in point.standards} for point in answer.points]
    lines = [Line(whole, [point.percent for point in answer.points])]
    for standard in framework.standards:
        values = [score.get(standard.id) for score in scores]
        if any(value is not None for value in values):
            lines.append(Line(chosen(standard.titles, language), values))
    return lines
