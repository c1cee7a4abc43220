"""Search finds what people mean: how well, over real courses and real ESCO, must not fall."""

from __future__ import annotations

from statistics import mean

import pytest

from bench import relevance
from bench.relevance import PlainBm25, Scale, World, read_judged
from tests.support.real_data import real_data

# A little below what was measured, see decision 0120.
FLOOR = 0.71
FLOORS = {
    "words": 0.84,
    "phrase": 0.86,
    "typo": 0.8,
    "prefix": 0.74,
    "label": 0.63,
    "meaning": 0.33,
    "language": 0.75,
    "sentence": 0.5,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return relevance.build(real_data(), tmp_path_factory.mktemp("relevance"))


@pytest.fixture(scope="module")
def scale(world: World) -> Scale:
    return Scale(read_judged(), world.all_titles)


def test_relevance_does_not_fall(world: World, scale: Scale) -> None:
    ours = scale.ndcg(world.ours)
    assert len(ours) >= 60
    by_kind = scale.by_kind(ours)
    assert mean(ours) >= FLOOR
    assert {kind: round(value, 2) for kind, value in by_kind.items() if value < FLOORS[kind]} == {}
    assert mean(ours) >= 1.9 * mean(scale.ndcg(PlainBm25(world.states).rank))
    # Control: without concepts it is below the floor.
    assert mean(scale.ndcg(world.words_only)) < FLOOR
