"""The chart of progress: what it says is also in words, and lines differ by more than colour."""

from __future__ import annotations

import re

import pytest
from lxml import etree
from waymark.portfolio.v1 import questionnaire_pb2 as pb
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion
from waymark.portfolio.v1.instrument_pb2 import InstrumentVersion

from services.portfolio.charts import lines, progress
from services.portfolio.charts.lines import Line
from tests.support.frameworks import sample

SVG = {"s": "http://www.w3.org/2000/svg"}


def completed(day: int, percent: int, **standards: int) -> pb.Questionnaire:
    scores = [pb.StandardScore(standard=key, percent=value) for key, value in standards.items()]
    made = pb.Questionnaire(name=f"holders/x/questionnaires/{day}")
    made.result.MergeFrom(pb.QuestionnaireResult(percent=percent, standards=scores))
    made.result.complete_time.FromJsonString(f"2026-05-{day:02}T10:00:00Z")
    return made


def drawn(language: str, *found: pb.Questionnaire) -> pb.GetQuestionnaireProgressResponse:
    framework = sample("frameworks/career-management", FrameworkVersion())
    return progress.drawn(found, sample("instruments/career-check", InstrumentVersion()), framework, language)


def test_the_picture_says_what_it_shows() -> None:
    answer = drawn("en", completed(3, 25, self=33, networks=0), completed(20, 60, self=100, networks=58))
    root = etree.fromstring(answer.svg.encode())
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title description")
    assert root.findtext("s:title", namespaces=SVG) == "How I manage my career: progress"
    said = root.findtext("s:desc", namespaces=SVG)
    assert said is not None
    assert said.startswith("Percent of all points")
    assert answer.table in said
    assert answer.table.split("\n") == [
        "Day         Whole  Self   Networks",
        "2026-05-03  25 %   33 %   0 %",
        "2026-05-20  60 %   100 %  58 %",
    ]
    drawn_lines = root.findall("s:polyline", SVG)
    assert len(drawn_lines) == 3
    for what in ("stroke", "stroke-dasharray"):
        assert len({line.get(what) for line in drawn_lines}) == 3
    heights = [int(y) for y in re.findall(r",(\d+)", drawn_lines[1].get("points"))]
    assert heights[0] > heights[1] == lines._TOP


@pytest.mark.parametrize(
    ("language", "whole"),
    [("nl", "Geheel"), ("de-AT", "Gesamt"), ("fi", "Whole"), ("el", "Σύνολο"), ("fr", "Ensemble")],
)
def test_words_are_in_the_language_that_is_asked_for(language: str, whole: str) -> None:
    answer = drawn(language, completed(3, 25, self=33))
    assert whole in answer.table
    assert ("Zelf" in answer.table) == (language == "nl")


def test_nothing_and_one_are_drawn_too_and_texts_are_escaped() -> None:
    nothing = progress.drawn([], InstrumentVersion(), FrameworkVersion(), "en")
    assert nothing.table == "Nothing has been completed yet."
    for svg in (
        nothing.svg,
        drawn("en", completed(3, 25)).svg,
        lines.svg("<&", "]]>", ["<"], [Line("<b>", [5])]),
    ):
        root = etree.fromstring(svg.encode())
        assert root.findall("s:polyline", SVG) == []


def test_a_standard_that_an_earlier_version_had_not_asked_for_has_a_gap() -> None:
    answer = drawn("en", completed(3, 25, self=33), completed(20, 60, self=50, networks=58))
    assert answer.table.split("\n")[1] == "2026-05-03  25 %   33 %  –"


def contrast(colour: str) -> float:
    """Contrast with white (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 1.05 / (sum(w * each for w, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05)


def test_every_line_stands_out_and_no_two_share_mark_or_dash() -> None:
    assert all(contrast(colour) >= 4.5 for colour, _, _ in lines._STYLES)
    for what in zip(*lines._STYLES, strict=True):
        assert len(set(what)) == lines.MOST
    more = [Line(str(number), [number]) for number in range(20)]
    assert lines.svg("x", "x", ["d"], more).count("translate") == 2 * lines.MOST
    assert lines.table("d", ["1"], more).count("%") == 20
