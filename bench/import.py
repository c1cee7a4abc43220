"""`make bench-import`: how fast feeds come in and courses are tagged, and that memory stays flat.

Feeds: a generated one of 200 000 courses in the CSV template, the same with its rows in another order
(unchanged record by record, another file), and an XCRI-CAP 1.2 one (the real feed of 965 courses where the
shared data is there). A table of as many places as one call takes. PostgreSQL runs with fsync on.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
import tempfile
import threading
from pathlib import Path

from waymark.catalogue.v1.source_pb2 import FeedFormat

from bench.catalogue import ROOT, Clock, Peak, add_run, add_skills, add_source, add_taxonomy, rig, rows
from bench.report import Goal, report
from services.catalogue import skill_tagging
from services.catalogue.app import CatalogueApp
from services.catalogue.imports.csv_template import COLUMNS
from services.catalogue.imports.pipeline import FeedImport
from services.catalogue.imports.place_csv import LIMITS, read_places
from services.catalogue.imports.tags import TagsInUse
from services.catalogue.store import feed_runs, places
from services.platform.db.transaction import transaction

REAL = ROOT / ".." / "shared" / "data" / "feeds" / "xcri-cap-1.2" / "ou-conversion.xml"
TAGGED = 5_000  # courses
GOALS = (
    Goal("read_records_per_s", "≥", 5_000, "records/s"),
    Goal("upsert_courses_per_s", "≥", 2_000, "courses/s"),
    Goal("unchanged_records_per_s", "≥", 20_000, "records/s"),
    Goal("tagged_courses_per_s", "≥", 250, "courses/s"),
    Goal("memory_rise_mib", "≤", 128, "MiB"),
    Goal("places_s", "≤", 10, "s"),  # the deadline of callers that name none
    Goal("places_memory_rise_mib", "≤", 128, "MiB"),
)


def main() -> None:
    """Imports, measures, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=200_000)
    count = parser.parse_args().courses
    figures: dict[str, float] = {"courses": count}
    with rig() as app, tempfile.TemporaryDirectory() as folder:
        labels = add_taxonomy(app)
        generated = list(rows(labels, count))
        feed, turned = Path(folder) / "feed.csv", Path(folder) / "turned.csv"
        write(feed, generated)
        write(turned, generated[::-1])
        del generated
        source = add_source(app, "generated", FeedFormat.FEED_FORMAT_CSV_TEMPLATE)
        warm_up(app, labels, Path(folder))
        with Peak() as peak:
            first = run(app, source, feed)
            again = run(app, source, turned)
        figures |= {
            "feed_mib": feed.stat().st_size / 2**20,
            "read_records_per_s": count / first["read"],
            "upsert_courses_per_s": count / first["apply"],
            "unchanged_records_per_s": count / again["read"],
            "memory_rise_mib": peak.mib,
        }
        if REAL.exists():
            source = add_source(app, "open-university", FeedFormat.FEED_FORMAT_XCRI_CAP_1_2)
            real = run(app, source, REAL)
            figures |= {"xcri_read_records_per_s": 965 / real["read"], "xcri_whole_run_s": sum(real.values())}
        figures |= tag(app) | add_places(app)
    sys.exit(0 if report("import", figures, GOALS) else 1)


def tag(app: CatalogueApp) -> dict[str, float]:
    """Tags courses with skills as the consumer does; returns how fast."""
    add_skills(app)
    skill_tagging.look_at_next(app)  # makes what it finds skills by
    with Clock() as clock:
        for _ in range(TAGGED // skill_tagging.BATCH):
            skill_tagging.look_at_next(app)
    return {"tagged_courses_per_s": TAGGED / clock.seconds}


def add_places(app: CatalogueApp) -> dict[str, float]:
    """Takes in a table of as many rows as one call may; returns how long that takes, and in what memory."""
    pick = random.Random(7)
    lines = ["postcode,town,latitude,longitude"]
    for number in range(LIMITS.rows):
        at = f"{pick.uniform(47, 55):.6f},{pick.uniform(6, 15):.6f}"
        lines.append(f"{pick.randrange(10_000, 99_999)},Town number {number % 30_000} on the river,{at}")
    table = io.BytesIO("\n".join(lines).encode())
    del lines
    with Peak() as peak, Clock() as clock, transaction(app) as tx:
        row = places.add_version(tx, "DE", "bench", read_places(table))
    if row.place_count != 2 * LIMITS.rows:
        raise SystemExit(f"the table is not what it should be: {row}")
    return {"places_s": clock.seconds, "places_memory_rise_mib": peak.mib}


def warm_up(app: CatalogueApp, labels: list[str], folder: Path) -> None:
    """Imports a small feed, so that what every process loads once does not count as growth."""
    path = folder / "warm.csv"
    write(path, list(rows(labels, 3000, seed=1)))
    run(app, add_source(app, "warm-up", FeedFormat.FEED_FORMAT_CSV_TEMPLATE), path)


def write(path: Path, lines: list[list[str]]) -> None:
    """Writes a file of the CSV template."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(lines)


def run(app: CatalogueApp, source: str, path: Path) -> dict[str, float]:
    """Takes a feed the whole way; returns seconds of reading (with checks and comparison) and of applying."""
    name = add_run(app, source, path)
    feed = FeedImport(app, name, app.engine, threading.Event(), TagsInUse(app.engine))
    with Clock() as read:
        feed.stage()
        feed.judge()
    with Clock() as apply:
        feed.apply()
    feed.finish()
    with transaction(app, read_only=True) as tx:
        row = feed_runs.read(tx.connection, name)
    if row.records_in != row.records_accepted or not row.complete:
        raise SystemExit(f"the run is not what it should be: {row}")
    return {"read": read.seconds, "apply": apply.seconds}


if __name__ == "__main__":
    main()
