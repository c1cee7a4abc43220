"""`make bench-search`: ranked search with facets and radius over gRPC, beside bare Tantivy and PostgreSQL.

All three answer the same mixed queries on the same courses in one run: over gRPC from client processes that
cost as little as can be (the other two have no callers), bare
Tantivy in this process on the very index that the server reads, and PostgreSQL by full text (GIN,
ts_rank_cd) on the same rows. Each finds and ranks, fetches the first twenty and counts five facets. The
service asks for all words of a search; so do the other two where they are compared with it. Tantivy knows no
circles: bare, it is given the set of all places within one, made beforehand. How it fares with the service's
own filters, which ask for cells, is printed beside.

What is suggested while somebody types is asked for as well, letter by letter; and the same searches of an
index of the first SMALL courses, beside the whole: what grows with them.

The engines are compared once more at ranking alone: any of the words is enough, the ids of the first twenty
are fetched in their order, nothing is counted and no circle is drawn.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text
from tantivy import Occur, Query
from waymark.catalogue.v1.search_pb2 import Facet, SearchCoursesRequest, SuggestTermsRequest
from waymark.catalogue.v1.source_pb2 import FeedFormat

from bench.catalogue import add_run, add_source, add_taxonomy, rig, rows
from bench.load import Caller, Load, run_load
from bench.report import Goal, report
from bench.servers import keys, memory_of, serving
from services.catalogue.app import CatalogueApp
from services.catalogue.domain.distance import distance
from services.catalogue.imports.csv_template import COLUMNS
from services.catalogue.imports.pipeline import FeedImport
from services.catalogue.imports.tags import TagsInUse
from services.catalogue.search import asked, facets, schema, words
from services.catalogue.search.directory import Directory, Snapshot
from services.catalogue.search.filters import understand
from services.catalogue.search.follower import BATCH, Follower
from services.catalogue.search.label_follower import renew
from services.catalogue.search.label_index import labels_directory
from services.catalogue.search.meaning import Concepts
from services.cli.stack.ports import free_port
from services.platform.db.transaction import transaction

PATH = "/waymark.catalogue.v1.SearchService/SearchCourses"
SUGGEST = "/waymark.catalogue.v1.SearchService/SuggestTerms"
SMALL = 10_000  # courses
FACETS = ("FACET_ISCO_CODE", "FACET_MODE", "FACET_LANGUAGE", "FACET_EQF_LEVEL", "FACET_REGION")
DISTINCT = 20_000  # generated courses; the rest are copies of them under other ids
CONNECTIONS = 8  # of all callers together
TIMED = 200  # searches timed one after another
POSTGRES_TABLE = (
    "CREATE TABLE plain AS SELECT id, document, document->>'eqf_level' AS eqf, "
    "document->'offerings'->0->>'mode' AS mode, document->'offerings'->0->>'language' AS language, "
    "document->'occupations'->0->>'isco' AS isco, document->'offerings'->0->'sessions'->0->>'nuts' AS nuts, "
    "(document->'offerings'->0->'sessions'->0->>'lat')::float8 AS lat, "
    "(document->'offerings'->0->'sessions'->0->>'lon')::float8 AS lon, "
    "setweight(to_tsvector('english', document->'titles'->>'en'), 'A') || "
    "to_tsvector('english', coalesce(document->'descriptions'->>'en', '')) AS words FROM courses",
    "CREATE INDEX plain_words ON plain USING gin (words)",
)
_FOUND = (
    "FROM plain, websearch_to_tsquery('english', :query) q WHERE words @@ q AND (:km >= 50000 OR "
    "6371 * acos(least(1, sind(lat) * sind(:latitude) + cosd(lat) * cosd(:latitude) "
    "* cosd(lon - :longitude))) <= :km) "
)
POSTGRES_RANKING = (
    "SELECT id, ts_rank_cd(words, q) AS rank FROM plain, websearch_to_tsquery('english', :query) q "
    "WHERE words @@ q ORDER BY rank DESC LIMIT 20"
)
POSTGRES_SEARCH = (
    f"SELECT id, document, ts_rank_cd(words, q) AS rank {_FOUND} ORDER BY rank DESC LIMIT 20",
    f"SELECT isco, mode, language, eqf, nuts, count(*) {_FOUND} "
    "GROUP BY GROUPING SETS ((isco), (mode), (language), (eqf), (nuts))",
)
GOALS = (
    Goal("p50_ms_2_callers", "≤", 5, "ms"),
    Goal("p99_ms_2_callers", "≤", 25, "ms"),
    Goal("suggest_p99_ms_2_callers", "≤", 20, "ms"),
    Goal("p50_to_that_of_10000_courses", "≤", 3),
    Goal("rate_to_tantivy_8_callers", "≥", 0.7),
    Goal("ranking_times_faster_than_postgres", "≥", 50),
)


def main() -> None:
    """Builds, measures, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    figures: dict[str, float] = {"courses": given.courses}
    with rig() as app, keys() as jwks:
        labels = add_taxonomy(app)
        fill(app, labels, given.courses)
        started = time.perf_counter()
        Follower(app, Directory(app.settings.index_dir)).rebuild(threading.Event())
        figures["index_build_s"] = time.perf_counter() - started
        renew(app, labels_directory(app.settings.index_dir))
        wanted = queries(labels, 1000)
        bare, same = bare_tantivy(app, wanted, given.seconds)
        figures |= {"tantivy_per_s_8_threads": bare, "tantivy_per_s_with_our_filters": same}
        figures |= postgres(app, wanted) | ranking(app, wanted)
        bodies = [request.SerializeToString() for request in wanted]
        few = of_few(app, jwks, bodies, given.seconds)
        with serving("catalogue", environ(app, jwks)) as (address, server):
            two = load(address, bodies, 2, given.seconds)
            eight = load(address, bodies, 8, given.seconds)
            typed = load(address, beginnings(labels), 2, given.seconds, SUGGEST)
            figures["server_mib"] = memory_of(server)
    figures |= {
        "p50_ms_2_callers": two.p50 * 1000,
        "p99_ms_2_callers": two.p99 * 1000,
        "per_s_8_callers": eight.rate,
        "suggest_p50_ms_2_callers": typed.p50 * 1000,
        "suggest_p99_ms_2_callers": typed.p99 * 1000,
        "p50_ms_of_10000_courses": few.p50 * 1000,
        "p50_to_that_of_10000_courses": two.p50 / few.p50,
        "errors": float(sum(sum(each.errors.values()) for each in (few, two, eight, typed))),
        "rate_to_tantivy_8_callers": eight.rate / bare,
        "rate_to_tantivy_with_our_filters": eight.rate / same,
        "service_times_faster_than_postgres": figures["postgres_p50_ms"] / (two.p50 * 1000),
    }
    sys.exit(0 if report("search", figures, GOALS) else 1)


def fill(app: CatalogueApp, labels: list[str], count: int) -> None:
    """Imports DISTINCT generated courses by the one path, and copies them up to `count`."""
    distinct = min(count, DISTINCT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows(rows(labels, distinct))
        source = add_source(app, "generated", FeedFormat.FEED_FORMAT_CSV_TEMPLATE)
        FeedImport(app, add_run(app, source, path), app.engine, threading.Event(), TagsInUse(app.engine)).go()
    with transaction(app) as tx:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        tx.execute(
            text(
                "INSERT INTO courses (id, source_id, external_id, organisation_id, raw_hash, document) "
                "SELECT gen_random_uuid(), source_id, external_id || '-' || n, organisation_id, raw_hash, "
                "document FROM courses, generate_series(1, :copies) n"
            ),
            {"copies": count // distinct - 1},
        )
    settle(app, "courses")


def settle(app: CatalogueApp, table: str) -> None:
    """Vacuums a table that was just filled; else the server would, in the midst of what is measured."""
    with app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
        connection.exec_driver_sql("RESET statement_timeout")


def queries(labels: list[str], count: int, seed: int = 3) -> list[SearchCoursesRequest]:
    """Returns mixed searches: one or two words of occupations, five facets, every third within a circle."""
    pick = random.Random(seed)
    vocabulary = sorted({word for label in labels for word in label.split() if len(word) > 3})
    made = []
    for number in range(count):
        request = SearchCoursesRequest(
            query=" ".join(
                pick.sample(pick.choice(labels).split(), 1) + pick.choices(vocabulary, k=number % 2)
            ),
            language="en",
            facets=[Facet.Value(name) for name in FACETS],
            page_size=20,
        )
        if number % 3 == 0:
            request.near.latitude, request.near.longitude = 50.5, 4.5
            request.radius_km = 50
        made.append(request)
    return made


def beginnings(labels: list[str], count: int = 1000, seed: int = 5) -> list[bytes]:
    """Returns what is asked for while people type labels, letter by letter from the second on."""
    pick = random.Random(seed)
    typed = (label[:end] for label in pick.choices(labels, k=count) for end in range(2, len(label) + 1))
    return [SuggestTermsRequest(query=text).SerializeToString() for text in islice(typed, count)]


class First(Follower):
    """Builds an index of the first SMALL courses."""

    def _pages(self) -> Iterator[Any]:
        yield from islice(super()._pages(), SMALL // BATCH)


def of_few(app: CatalogueApp, jwks: str, bodies: list[bytes], seconds: float) -> Load:
    """Returns the load of two callers on an index of the first SMALL courses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        First(app, Directory(folder)).rebuild(threading.Event())
        renew(app, labels_directory(folder))
        with serving("catalogue", {**environ(app, jwks), "WAYMARK_INDEX_DIR": name}) as (address, _):
            return load(address, bodies, 2, seconds)


def bare_tantivy(
    app: CatalogueApp, requests: list[SearchCoursesRequest], seconds: float
) -> tuple[float, float]:
    """Returns searches per second of Tantivy alone, eight threads: first twenty, count and facets.

    It is asked what the service asks, words and the concepts they name, made ready beforehand.

    With a set of places for each circle, and with the filters of the service.
    """
    snapshot, labels = app.reader.snapshot(), app.labels.snapshot()
    assert snapshot is not None
    assert labels is not None
    view = app.market.view()
    plain, ours = [], []
    for request in requests:
        concepts = Concepts(labels, snapshot.labelled)
        text = asked.understand(request.query, request.language, concepts).every or [Query.empty_query()]
        wanted = understand(request, app.market, view, snapshot)
        ours.append(words.filtered(text, wanted.filters, wanted.excluded))
        circle = [within(snapshot, request)] if request.HasField("near") else []  # the only filter there is
        plain.append(words.filtered(text, circle, wanted.excluded))
    aggregation = facets.aggregation(requests[0].facets)

    def rate(built: list[Query]) -> float:
        end = time.perf_counter() + seconds

        def run(first: int) -> int:
            done = 0
            while time.perf_counter() < end:
                answer(snapshot, built[(first + done * 8) % len(built)], aggregation)
                done += 1
            return done

        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(run, range(8))) / seconds

    return rate(plain), rate(ours)


def within(snapshot: Snapshot, request: SearchCoursesRequest) -> Query:
    """Returns the plain filter for a circle: the set of all places in it."""
    near = request.near
    places = [
        place
        for place, _ in snapshot.searcher.terms_with_prefix("place", "")
        if distance(near.latitude, near.longitude, *map(float, place.split(","))) <= request.radius_km
    ]
    return Query.term_set_query(schema.schema(), "place", places)


def answer(snapshot: Snapshot, query: object, aggregation: dict[str, object]) -> None:
    """One search of bare Tantivy."""
    found = snapshot.searcher.search(query, limit=20, count=True)  # type: ignore[arg-type]
    for _, address in found.hits:
        snapshot.searcher.doc(address)
    snapshot.searcher.aggregate(query, aggregation)  # type: ignore[arg-type]


def postgres(app: CatalogueApp, requests: list[SearchCoursesRequest]) -> dict[str, float]:
    """Returns the median milliseconds of ranked searches for all words, with the five counts."""
    with transaction(app) as tx:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in POSTGRES_TABLE:
            tx.connection.exec_driver_sql(statement)
    settle(app, "plain")
    taken = []
    for request in requests[:TIMED]:
        near = {"latitude": request.near.latitude, "longitude": request.near.longitude}
        km = request.radius_km if request.HasField("near") else 50_000
        started = time.perf_counter()
        with transaction(app, read_only=True) as tx:
            for statement in POSTGRES_SEARCH:
                tx.execute(text(statement), {"query": request.query, "km": km, **near}).all()
        taken.append(time.perf_counter() - started)
    return {"postgres_p50_ms": median(taken) * 1000}


def ranking(app: CatalogueApp, requests: list[SearchCoursesRequest]) -> dict[str, float]:
    """Returns the median milliseconds of both engines for the ids of the first twenty with any of the words.

    Tantivy's time includes making the query, PostgreSQL's its transaction.
    """
    snapshot = app.reader.snapshot()
    assert snapshot is not None
    searcher = snapshot.searcher

    def tantivy(request: SearchCoursesRequest) -> None:
        # The blank says that the word has ended: PostgreSQL looks for whole words too.
        options = [words.exact(f"{word} ", request.language) for word in request.query.split()]
        either = Query.boolean_query([(Occur.Should, option) for option in options if option is not None])
        for _, address in searcher.search(either, limit=20, count=False).hits:
            searcher.doc(address).get_first("id")

    def postgres(request: SearchCoursesRequest) -> None:
        with transaction(app, read_only=True) as tx:
            tx.execute(text(POSTGRES_RANKING), {"query": " or ".join(request.query.split())}).all()

    found = {}
    for name, ask in (("tantivy", tantivy), ("postgres", postgres)):
        taken = []
        for request in requests[:TIMED]:
            started = time.perf_counter()
            ask(request)
            taken.append(time.perf_counter() - started)
        found[f"{name}_ranking_p50_ms"] = median(taken) * 1000
    times = found["postgres_ranking_p50_ms"] / found["tantivy_ranking_p50_ms"]
    return {**found, "ranking_times_faster_than_postgres": times}


def environ(app: CatalogueApp, jwks: str) -> dict[str, str]:
    """Returns the environment of a server of two processes on what `app` stands on."""
    settings = app.settings
    return {
        "WAYMARK_CATALOGUE_DATABASE_URL": settings.database_url,
        "WAYMARK_S3_ENDPOINT": settings.s3_endpoint,
        "WAYMARK_S3_ACCESS_KEY": settings.s3_access_key,
        "WAYMARK_S3_SECRET_KEY": settings.s3_secret_key,
        "WAYMARK_OIDC_ISSUER": settings.issuer,
        "WAYMARK_OIDC_JWKS_URI": jwks,
        "WAYMARK_SECRETS_DIR": str(settings.secrets_dir),
        "WAYMARK_INDEX_DIR": str(settings.index_dir),
        "WAYMARK_LISTEN": f"127.0.0.1:{free_port()}",
        "WAYMARK_PROCESSES": "2",
        "WAYMARK_THREADS": "8",
    }


def load(address: str, bodies: list[bytes], callers: int, seconds: float, path: str = PATH) -> Load:
    """Lets callers search for some seconds, each beginning at another query."""
    step = len(bodies) // callers
    several = [
        Caller(address, path, bodies[n * step :] + bodies[: n * step], connections=CONNECTIONS // callers)
        for n in range(callers)
    ]
    return run_load(several, processes=min(callers, 2), seconds=seconds, cheap=True)


if __name__ == "__main__":
    main()
