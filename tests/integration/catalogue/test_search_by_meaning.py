"""Search by meaning, by a real model: what it finds, what keeps it fresh, and plain answers without it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.engine import make_url
from waymark.catalogue.v1 import search_pb2

from services.catalogue.course_embedding import embed_courses, embed_next
from services.catalogue.search import fusion
from services.catalogue.search.embedding import Embedder, EmbeddingError
from services.catalogue.search.nearest import AT_ONCE, Nearest
from services.catalogue.service import DEFINITION
from services.catalogue.store import course_vectors
from services.catalogue.store.course_vectors import CourseVectors
from services.platform.db.roles import add_extension
from services.platform.db.transaction import transaction
from services.platform.events.jobs import run_jobs
from services.platform.settings import Settings
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import Catalogue, day, until_settled
from tests.support.databases import Databases
from tests.support.embeddings import embeddings
from tests.support.parts import S3Address
from tests.support.servers import Serve
from tests.support.waiting import eventually

__all__ = ["embeddings"]

Reason = search_pb2.SearchReason
METAL, OLD = "joining pieces of iron by heat", "s'occuper de personnes âgées"
ROWS = [
    row("W", "Welding for beginners", subjects="evening", kind="course"),
    row("C", "Caring for elderly residents", subjects="evening", kind="course"),
    row("B", "Sourdough bread at home", subjects="evening", kind="workshop", eqf_level="2"),
    row("X", "Bookkeeping with spreadsheets", kind="course"),
    *(
        row(f"N{place}", title, kind="course")
        for place, title in enumerate(("Pruning apple trees", "Spanish for holidays", "Guitar chords"))
    ),
    *(
        row(f"M{place}", title, kind="course", eqf_level="2")
        for place, title in enumerate(
            ("Tax law", "Forklift licence", "Portrait painting", "First aid at sea")
        )
    ),
]
PATIENT = 60.0  # seconds: how busy a machine is says nothing of a test


@pytest.fixture
def catalogue(serve: Serve, database: Databases, s3: S3Address, embeddings: str) -> Iterator[Catalogue]:
    """A catalogue with a dozen courses, embedded, and search by meaning on."""
    made = database("catalogue")
    add_extension(database.admin_url, "catalogue", "vector", name=str(make_url(made.url).database))
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
        "WAYMARK_S3_PUBLIC_ENDPOINT": s3.endpoint,
        "WAYMARK_EMBEDDINGS_URL": embeddings,
    }
    catalogue = Catalogue(serve(DEFINITION, made.url, environ=environ))
    use(catalogue, Nearest(catalogue.app.settings, PATIENT))
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(*ROWS))
    embed(catalogue)
    catalogue.wait_for(lambda: search(catalogue).total_size == len(ROWS))
    return catalogue


def use(catalogue: Catalogue, found_by: Nearest | None) -> None:
    """Searches by this from now on."""
    if former := catalogue.app.__dict__.get("nearest"):
        former.close()
    catalogue.app.__dict__["nearest"] = found_by


def embed(catalogue: Catalogue) -> None:
    until_settled(catalogue.app.engine)
    while embed_next(catalogue.app):
        pass


def search(catalogue: Catalogue, query: str = "", **values: Any) -> Any:
    return catalogue.search(query, **{"as_of": day("2030-01-15"), **values})


def titles(answer: Any) -> list[str]:
    return [hit.titles["en"].split()[0] for hit in answer.hits]


def kinds(hit: Any) -> set[str]:
    named = {Reason.Kind.Name(reason.kind).removeprefix("KIND_") for reason in hit.reasons}
    return named & {"WORDS", "SOME_WORDS", "SIMILAR_WORDS", "MEANING"}


def outcome(name: str) -> float:
    return REGISTRY.get_sample_value("waymark_meaning_searches_total", {"outcome": name}) or 0.0


def test_words_find_what_shares_none_of_them(catalogue: Catalogue) -> None:
    before = outcome("answered")
    for query, language, expected in ((METAL, "en", "Welding"), (OLD, "fr", "Caring")):
        answer = search(catalogue, query, language=language)
        assert (titles(answer)[0], kinds(answer.hits[0])) == (expected, {"MEANING"})
        assert answer.total_size < len(ROWS) / 2  # what is as far as most is no hit
    assert outcome("answered") == before + 2
    both = search(catalogue, "bookkeeping", facets=["FACET_KIND"])
    assert kinds(both.hits[0]) == {"WORDS", "MEANING"}
    assert sum(value.count for value in both.facets[0].values) == both.total_size
    # Filters hold, by the few that pass as well as by the index; quotes and another order are about words.
    assert "Welding" not in titles(search(catalogue, METAL, eqf_level_to=3))
    assert titles(search(catalogue, "baking loaves", eqf_level_to=3))[0] == "Sourdough"
    assert search(catalogue, f'"{METAL}"').total_size == 0
    assert search(catalogue, METAL, order_by="SEARCH_ORDER_NEXT_START").total_size == 0
    # Control: without it, nobody finds them.
    use(catalogue, None)
    assert search(catalogue, METAL).total_size == 0


def test_pages_hold_each_course_once(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "WINDOW", 1)  # so that what words find goes on beyond it
    monkeypatch.setattr(fusion, "SIZE", 2)
    monkeypatch.setattr(fusion, "FEW", 1)  # by the index
    monkeypatch.setattr(course_vectors, "NEARER", -9.0)  # whatever is nearest
    assert titles(search(catalogue, METAL, kinds=["course"]))[0] == "Welding"
    assert "Welding" not in titles(search(catalogue, METAL, eqf_level_to=3))
    asked = {"query": "evening", "kinds": ["course", "workshop"]}
    whole = search(catalogue, **asked)
    assert {"Welding", "Caring", "Sourdough"} <= set(titles(whole))
    seen, page_token = [], ""
    for _ in range(whole.total_size):
        page = search(catalogue, **asked, page_size=1, page_token=page_token)
        seen += titles(page)
        page_token = page.next_page_token
    assert (seen, page_token) == (titles(whole), "")


def test_vectors_follow_courses(catalogue: Catalogue) -> None:
    vectors = CourseVectors(catalogue.app.settings.embeddings_model)

    def known() -> dict[str, bytes]:
        with transaction(catalogue.app, read_only=True) as tx:
            ids = {
                row.external_id: row.id
                for row in tx.execute(text("SELECT external_id, id::text FROM courses"))
            }
            found = vectors.digests(tx, ids.values())
            return {name: found[course] for name, course in ids.items() if course in found}

    before = known()
    assert len(before) == len(ROWS)
    assert not embed_next(catalogue.app)  # nothing is new
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE courses SET removed_time = now() WHERE external_id = 'W'"))
        title = """UPDATE courses SET document = jsonb_set(document, '{titles,en}', '"Raising sheep"')"""
        tx.execute(text(title + " WHERE external_id = 'B'"))
    embed(catalogue)
    after = known()
    assert set(after) == set(before) - {"W"}
    assert {name for name in after if after[name] != before[name]} == {"B"}
    # Another model begins anew, in a table of its own.
    with transaction(catalogue.app) as tx:
        CourseVectors("another").make(tx, 3)
        assert not vectors.there(tx)
    embed(catalogue)
    assert known() == after


def test_a_plain_answer_comes_in_time_when_the_server_is_silent_or_the_database_fails(
    catalogue: Catalogue, embeddings: str
) -> None:
    counted = {name: outcome(name) for name in ("late", "failed", "resting")}
    settings = catalogue.app.settings
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        use(catalogue, Nearest(_with(settings, embeddings_url=url)))
        began = time.monotonic()
        assert titles(search(catalogue, "bookkeeping")) == ["Bookkeeping"]
        assert time.monotonic() - began < PATIENT / 4
        assert titles(search(catalogue, "bookkeeping")) == ["Bookkeeping"]
        with pytest.raises(EmbeddingError, match="TIMEOUT"):
            Embedder(url, "any").embed(["bookkeeping"], "query", 0.1)
    assert outcome("late") + outcome("failed") == counted["late"] + counted["failed"] + 1
    assert outcome("resting") == counted["resting"] + 1
    counted["failed"] = outcome("failed")
    use(catalogue, Nearest(_with(settings, embeddings_model="no table of it"), PATIENT))
    assert titles(search(catalogue, "bookkeeping")) == ["Bookkeeping"]
    assert outcome("failed") == counted["failed"] + 1
    # Control: with both in order it is not plain.
    use(catalogue, Nearest(settings, PATIENT))
    assert "MEANING" in kinds(search(catalogue, "bookkeeping").hits[0])


def test_few_searches_wait_for_a_silent_server(serve: Serve, database: Databases) -> None:
    busy = outcome("busy")
    app = serve(DEFINITION, database("catalogue").url).app
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        found_by = Nearest(_with(app.settings, embeddings_url=url), 0.5)
        asked = [found_by.ask("bookkeeping", None) for _ in range(AT_ONCE)]
        assert outcome("busy") == busy  # control: so many may
        assert found_by.ask("bookkeeping", None)() == ()
        assert outcome("busy") == busy + 1
        assert [each() for each in asked] == [()] * AT_ONCE
        found_by.close()


def test_off_by_default_nothing_is_there(catalogue: Catalogue, serve: Serve, database: Databases) -> None:
    off = serve(DEFINITION, database("catalogue").url).app
    (job,) = [job for job in DEFINITION.jobs if job.run is embed_courses]

    @contextmanager
    def at_work(app: Any) -> Iterator[None]:
        stop = threading.Event()
        working = threading.Thread(target=run_jobs, args=(app, [job], stop))
        working.start()
        yield
        stop.set()
        working.join()

    def begun() -> bool:
        return job.name in {thread.name for thread in threading.enumerate()}

    with at_work(off):
        time.sleep(0.2)  # longer than threads take to start
        assert (off.nearest, begun()) == (None, False)
    with at_work(catalogue.app):  # control
        eventually(begun)


def _with(settings: Settings, **values: str) -> Settings:
    return replace(settings, **values)  # type: ignore[arg-type]
