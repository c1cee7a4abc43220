"""Tags of real phrases: the floor that `make bench-tags` asks for, and the measure itself."""

from __future__ import annotations

import pytest

from bench.tags import SETS, Baseline, Span, halves, r_precision, ranked, read_concepts, read_spans
from services.catalogue.domain.naming import Named, Names
from tests.support.real_data import real_data

FLOORS = {"tech": 75.0, "house": 65.0}
PUBLISHED = {"tech": 70.6, "house": 57.8}  # of the baseline


def test_r_precision_as_defined() -> None:
    spans = [Span("a", frozenset({"x"})), Span("b", frozenset({"x", "y"})), Span("c", frozenset({"z"}))]
    assert r_precision(spans, lambda text: ["x", "v", "w"]) == pytest.approx(100 * (1 + 0.5 + 0) / 3)
    many = [Span("a", frozenset("abcdefgh"))]
    assert r_precision(many, lambda text: list("abcdefgh")) == 100  # five of the first five


def test_halves_hold_each_span_once() -> None:
    spans = [Span(str(n), frozenset({"x"})) for n in range(11)]
    one, other = halves(spans)
    assert len(one) == 6
    assert {*one, *other} == {*spans}


@pytest.fixture(scope="module")
def concepts() -> list[Named]:
    real_data("skills-benchmark")
    return read_concepts(real_data())


@pytest.fixture(scope="module")
def names(concepts: list[Named]) -> Names:
    return Names(concepts, "en")


def test_real_phrases_reach_the_floor_and_the_baseline_does_not(concepts: list[Named], names: Names) -> None:
    baseline = Baseline([concept.label for concept in concepts])
    few = concepts[::10]
    one, again = Names(few, "en"), Names(reversed(few), "en")
    for name in SETS:
        spans = [span for span in read_spans(real_data(), name) if span.labels]
        assert r_precision(spans, ranked(names)) >= FLOORS[name]
        usual = r_precision(spans, baseline.rank)
        assert usual == pytest.approx(PUBLISHED[name], abs=0.05)
        assert usual < FLOORS[name]  # so the floor can be missed
        for span in spans[::10]:
            assert again.rank(span.text) == one.rank(span.text)


def test_a_surer_tag_is_more_often_right(names: Names) -> None:
    bands: dict[int, list[bool]] = {0: [], 1: [], 2: []}
    for name in SETS:
        for span in read_spans(real_data(), name):
            for match in names.rank(span.text, 1):
                band = 0 if match.confidence < 0.4 else 1 if match.confidence < 0.8 else 2
                bands[band].append(match.label in span.labels)
    low, middle, high = (sum(band) / len(band) for band in bands.values())
    assert low < 0.25 < middle < 0.6 < 0.85 < high
