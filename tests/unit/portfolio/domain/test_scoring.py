"""What answers come to, and what a draft of an instrument is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from waymark.portfolio.v1 import instrument_pb2 as pb
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion

from services.platform.errors import Refusal
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio.domain import instruments, scoring
from tests.support.frameworks import SAMPLES, sample

Band = pb.ScoringBand


def pair(path: str) -> tuple[pb.InstrumentVersion, FrameworkVersion | None]:
    """A sample and the framework that it names."""
    version = sample(f"instruments/{path}", pb.InstrumentVersion())
    name = version.framework_version.split("/")[1] if version.framework_version else ""
    return version, sample(f"frameworks/{name}", FrameworkVersion()) if name else None


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("instruments/*.json")), ids=lambda path: path.stem)
def test_our_own_instruments_hold_the_rules_in_every_language(path: Path) -> None:
    version, framework = pair(path.stem)
    assert violations_of(version) == []
    instruments.check(version, framework)
    assert {*version.titles} == {"de", "en", "nl"}


def small() -> tuple[pb.InstrumentVersion, FrameworkVersion]:
    """Two elements of one standard, three questions; the second counts twice."""
    framework = FrameworkVersion(
        titles={"en": "x"},
        standards=[{"id": "s", "titles": {"en": "x"}}],
        elements=[{"id": each, "standard": "s", "titles": {"en": "x"}} for each in ("a", "b", "unasked")],
        levels=[{"id": each, "titles": {"en": "x"}} for each in ("low", "high")],
    )
    options = [{"id": f"o{points}", "points": points, "titles": {"en": "x"}} for points in (0, 1, 3)]
    asked = [("one", "a", 0), ("two", "a", 2), ("three", "b", 1)]
    questions = [
        {
            "id": key,
            "part": "me",
            "element": element,
            "weight": weight,
            "options": options,
            "titles": {"en": "x"},
        }
        for key, element, weight in asked
    ]
    bands = [
        {
            "id": "far",
            "titles": {"en": "far"},
            "channel": Band.CHANNEL_INDIVIDUAL,
            "tier": Band.TIER_INTENSIVE,
        },
        {"id": "near", "from_percent": 50, "titles": {"en": "near"}, "channel": Band.CHANNEL_ONLINE},
    ]
    levels = [{"level": "low"}, {"level": "high", "from_percent": 67}]
    version = pb.InstrumentVersion(
        titles={"en": "x"},
        framework_version="frameworks/x/versions/1",
        parts=[{"id": "me", "titles": {"en": "x"}, "filled_by": pb.InstrumentPart.FILLER_HOLDER}],
        questions=questions,  # type: ignore[arg-type]
        scoring={"levels": levels, "bands": bands},  # type: ignore[arg-type]
    )
    return version, framework


def test_points_are_weighed_and_rounded_half_up() -> None:
    version, framework = small()
    result = scoring.score(version, framework, {"one": "o0", "two": "o3", "three": "o0"})
    assert result.percent == 50  # 6 of 12
    assert [(each.element, each.percent, each.level) for each in result.elements] == [
        ("a", 67, "high"),  # 6 of 9
        ("b", 0, "low"),
    ]
    assert [(each.standard, each.percent) for each in result.standards] == [("s", 50)]
    assert (result.band, result.suggested_channel) == ("near", Band.CHANNEL_ONLINE)
    result = scoring.score(version, framework, {"one": "o1", "two": "o1", "three": "o1"})
    assert (result.percent, result.band, result.suggested_tier) == (33, "far", Band.TIER_INTENSIVE)
    assert dict(result.titles) == {"en": "far"}


def test_what_can_be_reached_is_what_every_set_of_answers_comes_to() -> None:
    version, framework = small()
    keys = [question.id for question in version.questions]
    every = (dict(zip(keys, choice, strict=True)) for choice in product(("o0", "o1", "o3"), repeat=3))
    found = {scoring.score(version, framework, choices).percent for choices in every}
    assert scoring.reachable(version) == found
    many = pb.InstrumentVersion(questions=list(version.questions) * 66)
    assert scoring.reachable(many) == set(range(101))


def test_without_scored_questions_there_is_no_score() -> None:
    version, _ = pair("school-questionnaire")
    assert not scoring.score(version, FrameworkVersion(), {}).ListFields()


def example(choices: dict[str, str], band: str) -> Callable[[pb.InstrumentVersion], None]:
    return lambda version: version.scoring.examples.add(choices=choices, band=band) and None


ALL = {"one": "o0", "two": "o0", "three": "o0"}


@pytest.mark.parametrize(
    ("spoil", "place", "said"),
    [
        (lambda v: v.parts.add(id="me", titles={"en": "x"}), "parts[1].id", "used twice"),
        (lambda v: v.parts.add(id="more", titles={"en": "x"}), "parts[1]", "has no question"),
        (lambda v: setattr(v.questions[0], "part", "none"), "questions[0].part", "no part"),
        (lambda v: setattr(v.questions[0], "element", "none"), "questions[0].element", "no element"),
        (lambda v: v.questions[1].ClearField("options"), "questions[1].options", "would not matter"),
        (
            lambda v: [o.ClearField("points") for o in v.questions[1].options],
            "questions[1].options",
            "matter",
        ),
        (lambda v: setattr(v.parts[0], "special_category", True), "questions[0].element", "never scored"),
        (lambda v: setattr(v.parts[0], "optional", True), "questions[0].element", "cannot be scored"),
        (lambda v: v.titles.update(nl="x"), "parts[0].titles", "lacks the language nl"),
        (lambda v: setattr(v.scoring.levels[1], "level", "none"), "scoring.levels[1].level", "no level"),
        (lambda v: setattr(v.scoring.levels[1], "level", "low"), "scoring.levels", "each once"),
        (
            lambda v: v.scoring.bands[1].descriptions.update(nl="x"),
            "scoring.bands[1].descriptions",
            "language en",
        ),
        (lambda v: setattr(v.scoring.bands[0], "from_percent", 5), "scoring.bands", "ascend from 0"),
        (lambda v: setattr(v.scoring.bands[1], "from_percent", 0), "scoring.bands", "without a repeat"),
        (lambda v: v.scoring.bands.add(id="x", from_percent=96, titles={"en": "x"}), None, ""),
        (lambda v: v.scoring.bands[1:2] and setattr(v.scoring.bands[1], "from_percent", 49), None, ""),
        (example(ALL, "near"), "scoring.examples[0].band", "comes to `far` at 0 percent"),
        (example({"one": "o0"}, "far"), "scoring.examples[0].choices", "each scored question"),
        (example(ALL | {"two": "none"}, "far"), "scoring.examples[0].choices", "no such option for two"),
        (example(ALL, "far"), None, ""),
    ],
)
def test_a_draft_is_told_what_is_wrong(
    spoil: Callable[[pb.InstrumentVersion], None], place: str | None, said: str
) -> None:
    version, framework = small()
    instruments.check(version, framework)
    spoil(version)
    if place is None:
        instruments.check(version, framework)
        return
    with pytest.raises(Refusal) as refused:
        instruments.check(version, framework)
    found = {
        each.field.removeprefix("instrument_version."): each.description for each in refused.value.violations
    }
    assert said in found[place]


def test_a_band_between_two_totals_is_never_reached() -> None:
    version, framework = small()
    del version.questions[1:]  # 0, 33 or 100 percent
    instruments.check(version, framework)  # from 50 on there is 100
    version.scoring.bands.add(id="top", from_percent=90, titles={"en": "x"})
    with pytest.raises(Refusal) as refused:
        instruments.check(version, framework)
    assert [each.description for each in refused.value.violations] == [
        "`near` is never reached, whatever is answered"
    ]


def test_a_framework_must_be_there_and_be_used() -> None:
    version, framework = small()
    with pytest.raises(Refusal) as refused:
        instruments.check(version, None)
    assert refused.value.violations[0].description == "is no published version of a framework"
    for question in version.questions:
        question.element = ""
    version.ClearField("scoring")
    with pytest.raises(Refusal) as refused:
        instruments.check(version, framework)
    assert "no question counts" in refused.value.violations[0].description
