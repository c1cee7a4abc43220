"""Courses whose texts are near in meaning to words, within a time that a search can spare.

Threads and connections of its own ask the server for embeddings and then the database, so neither holds up
a thread of the server for longer than SECONDS. Where one of them is slow or away, a search has its plain
answer, and nobody asks again for REST.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.catalogue.search.embedding import Embedder, EmbeddingError, Vector
from services.catalogue.store.course_vectors import CourseVectors
from services.platform.db.engine import make_engine
from services.platform.settings import Settings
from services.platform.telemetry import metrics

REACH = 200  # courses, of which some may not pass the filters
SECONDS = 0.3  # for both
REST = 2.0  # seconds after a failure
AT_ONCE = 4  # searches of a process; the next ones are answered plainly
KEPT = 1000  # queries whose vectors stay in memory: who turns pages does not wait again
log = structlog.get_logger("search")


class Nearest:
    """Finds them; one a process. `seconds`: how long a search waits."""

    def __init__(self, settings: Settings, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._embedder = Embedder(settings.embeddings_url, settings.embeddings_model)
        self._vectors = CourseVectors(settings.embeddings_model)
        self._engine = make_engine(settings.database_url, AT_ONCE, statement_timeout=seconds)
        self._pool = ThreadPoolExecutor(AT_ONCE, "nearest")
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._rests_until = 0.0
        self._embedded = lru_cache(KEPT)(self._embed)

    def ask(self, query: str, among: Sequence[str] | None) -> Callable[[], Sequence[str]]:
        """Asks, of all courses or of some; returns what waits for the ids, nearest first, none in time."""
        if time.monotonic() < self._rests_until:
            return self._plain("resting")
        if not self._places.acquire(blocking=False):
            return self._plain("busy")
        end = time.monotonic() + self._seconds
        asked = self._pool.submit(self._find, query, among)
        asked.add_done_callback(lambda _: self._places.release())
        return lambda: self._waited(asked, end)

    def close(self) -> None:
        """Gives back threads and connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()

    def _find(self, query: str, among: Sequence[str] | None) -> Sequence[str]:
        vector = self._embedded(query)
        with self._engine.begin() as connection:
            return self._vectors.nearest(connection, vector, REACH, among)

    def _embed(self, query: str) -> Vector:
        return self._embedder.embed([query], "query", self._seconds)[0]

    def _waited(self, asked: Future[Sequence[str]], end: float) -> Sequence[str]:
        try:
            found = asked.result(max(end - time.monotonic(), 0))
        except TimeoutError:
            return self._failed("late", "TIMEOUT")
        except (EmbeddingError, SQLAlchemyError) as error:
            return self._failed(
                "failed", str(error) if isinstance(error, EmbeddingError) else type(error).__name__
            )
        metrics.MEANING_SEARCHES.labels("answered").inc()
        return found

    def _failed(self, outcome: str, why: str) -> Sequence[str]:
        self._rests_until = time.monotonic() + REST
        log.warning("meaning_away", why=why)  # never the words
        return self._plain(outcome)()

    @staticmethod
    def _plain(outcome: str) -> Callable[[], Sequence[str]]:
        metrics.MEANING_SEARCHES.labels(outcome).inc()
        return tuple
