"""What a framework may say, and what a file of SmartEvidence brings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from waymark.portfolio.v1 import framework_pb2 as pb

from services.platform.errors import Refusal
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio.domain import frameworks
from services.portfolio.formats import smart_evidence
from services.portfolio.formats.format import DocumentBrokenError
from tests.fuzz.running import corpus
from tests.support.frameworks import SAMPLES, sample
from tests.support.real_data import real_data


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("frameworks/*.json")), ids=lambda path: path.stem)
def test_our_own_frameworks_hold_the_rules_in_every_language(path) -> None:
    version = sample(f"frameworks/{path.stem}", pb.FrameworkVersion())
    assert violations_of(version) == []
    frameworks.check(version)
    assert {*version.titles} == {"de", "en", "nl"}


def test_career_management_has_the_four_areas() -> None:
    version = sample("frameworks/career-management", pb.FrameworkVersion())
    assert [standard.id for standard in version.standards] == ["self", "strengths", "horizons", "networks"]
    assert {element.standard for element in version.elements} == {each.id for each in version.standards}


def circle(version: pb.FrameworkVersion) -> None:
    version.elements[0].parent, version.elements[1].parent = version.elements[1].id, version.elements[0].id


@pytest.mark.parametrize(
    ("spoil", "places"),
    [
        (lambda v: v.standards[1].MergeFrom(pb.FrameworkStandard(id="self")), ["standards[1].id"]),
        (lambda v: setattr(v.elements[2], "standard", "none"), ["elements[2].standard"]),
        (lambda v: setattr(v.elements[0], "parent", v.elements[-1].id), ["elements[0].parent"]),
        (circle, ["elements[0].parent", "elements[1].parent"]),
        (lambda v: v.levels[0].titles.pop("de"), ["levels[0].titles"]),
    ],
    ids=["twice", "no-standard", "other-standard", "circle", "untranslated"],
)
def test_a_draft_is_told_what_is_wrong(
    spoil: Callable[[pb.FrameworkVersion], None], places: list[str]
) -> None:
    version = sample("frameworks/career-management", pb.FrameworkVersion())
    spoil(version)
    with pytest.raises(Refusal) as refused:
        frameworks.check(version)
    found = [each.field.removeprefix("framework_version.") for each in refused.value.violations]
    assert found[: len(places)] == places


def test_the_framework_of_nace_comes_whole() -> None:
    content = real_data("portfolio/smart-evidence/nace_usa.matrix").read_bytes()
    version, left = smart_evidence.read(content, "en")
    assert (dict(version.titles), version.self_assessed) == ({"en": "Career Readiness"}, False)
    assert [level.id for level in version.levels] == ["begun", "incomplete", "partialcomplete", "completed"]
    assert [element.id for element in version.elements] == [f"{number}.0" for number in range(1, 8)]
    assert version.elements[0].short_titles["en"] == "Critical Thinking"
    assert version.descriptions["en"].endswith("career readiness. Source")
    assert set(left) == {"institution"}  # of Mahara


def test_markup_goes_parts_stay_and_what_has_no_place_is_told() -> None:
    version, left = smart_evidence.read(corpus("framework")["good.matrix"], "nl")
    assert version.standards[0].descriptions["nl"] == "One\nTwo & three"
    assert (version.elements[1].id, version.elements[1].parent) == ("1.1", "1.0")
    assert dict(left) == {"institution": 1, "standardelements.evidencetype": 1}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xff", "no JSON object that all readers read alike"),
        (b"{}", "no framework"),
        (b'{"framework": {"standards": 1}}', "no list of objects at standards"),
        (b'{"framework": {"name": ["x"]}}', "something else where a text is to be"),
        (
            corpus("framework")["control_unfit.matrix"],
            "something that a framework cannot have at elements\\[0\\].id",
        ),
    ],
)
def test_a_broken_file_is_refused_saying_why(content: bytes, found: str) -> None:
    with pytest.raises(DocumentBrokenError, match=found):
        smart_evidence.read(content, "en")
