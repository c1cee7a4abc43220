"""Which feed runs get the places of a process."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from services.catalogue.domain.feed_places import LARGE, choose


class Run(NamedTuple):
    organisation_id: str
    number: int = 1
    size_bytes: int = 1


HUGE = LARGE + 1


@pytest.mark.parametrize(
    ("places", "busy", "waiting", "begin"),
    [
        (3, [], [Run("a"), Run("b"), Run("c"), Run("d")], "abc"),  # the oldest first
        (3, [], [Run("a", 1), Run("a", 2), Run("a", 3)], "aa"),  # never all of one organisation
        (3, [], [Run("a", 1), Run("a", 2), Run("a", 3), Run("b")], "aba"),  # in turns
        (3, [Run("a")], [Run("a", 2), Run("b"), Run("c")], "bc"),  # who has none comes first
        (3, [Run("a", 1, HUGE), Run("b", 1, HUGE)], [Run("c", 1, HUGE), Run("d")], "d"),  # never all large
        (2, [Run("a", 1, HUGE)], [Run("b", 1, HUGE)], ""),
        (2, [Run("a", 1, HUGE)], [Run("a", 2), Run("b")], "b"),
        (1, [], [Run("a", 1, HUGE), Run("b")], "a"),  # one place has nothing to share
        (2, [Run("a"), Run("b")], [Run("c")], ""),
    ],
)
def test_places(places: int, busy: list[Run], waiting: list[Run], begin: str) -> None:
    assert "".join(run.organisation_id for run in choose(places, busy, waiting)) == begin
