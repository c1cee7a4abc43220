"""What the catalogue's benchmarks share: a durable database and an object store of their own, and courses."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import psutil
from sqlalchemy import insert

from services.catalogue.app import CatalogueApp
from services.catalogue.imports import csv_template, taxonomy_csv
from services.catalogue.store import feed_runs, organisations, sources, taxonomies, uploads
from services.catalogue.store.tables import uploads as upload_table
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.cli.stack.s3 import S3
from services.platform.db.ids import new_id
from services.platform.db.migrations import migrate
from services.platform.db.roles import create_service_database
from services.platform.db.transaction import transaction
from services.platform.identity.principals import Principal
from services.platform.settings import Settings
from tests.support.own_part import started

ROOT = Path(__file__).resolve().parents[1]
TAXONOMY = ROOT / ".." / "shared" / "data" / "taxonomy" / "esco-1.1.1"
SKILLS = TAXONOMY.parent / "esco-skills" / "skills_labels_2026-06.csv"
SAMPLES = ROOT / "samples" / "taxonomy"
PERSON = Principal(subject="00000000-0000-4000-8000-000000000001", roles=frozenset())
TOWNS = 2000


@contextmanager
def rig(threads: int = 8) -> Iterator[CatalogueApp]:
    """A catalogue app on a PostgreSQL with fsync on and an S3 server, both its own."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-bench-"))
    folder.chmod(0o755)
    postgres, s3 = Postgres(folder / "postgres", free_port()), S3(folder / "s3", free_port())
    try:
        with started(postgres, folder / "postgres.log"), started(s3, folder / "s3.log"):
            app = CatalogueApp.build(_settings(folder, postgres, s3, threads))
            try:
                yield app
            finally:
                app.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, postgres: Postgres, s3: S3, threads: int) -> Settings:
    url = create_service_database(postgres.url(), "catalogue", "only-for-benchmarks", name="catalogue")
    migrate("catalogue", url)
    access, secret = s3.keys
    return Settings.from_environment(
        "catalogue",
        {
            "WAYMARK_CATALOGUE_DATABASE_URL": url,
            "WAYMARK_S3_ENDPOINT": s3.endpoint,
            "WAYMARK_S3_ACCESS_KEY": access,
            "WAYMARK_S3_SECRET_KEY": secret,
            "WAYMARK_OIDC_ISSUER": "https://issuer.test",
            "WAYMARK_SECRETS_DIR": str(folder / "secrets"),
            "WAYMARK_INDEX_DIR": str(folder / "index"),
            "WAYMARK_THREADS": str(threads),
        },
    )


def add_taxonomy(app: CatalogueApp) -> list[str]:
    """Imports ESCO, the whole of it where the shared data is there; returns preferred labels."""
    path = TAXONOMY / "occupations_en.csv"
    with (path if path.exists() else SAMPLES / "occupations_en.csv").open("rb") as stream:
        rows = taxonomy_csv.read_esco(stream, "en")
    with transaction(app) as tx:
        taxonomies.add_version(tx, taxonomies.ESCO, "bench", rows)
    return [row.labels[0][1] for row in rows]


def add_skills(app: CatalogueApp) -> int:
    """Imports ESCO's skills, those of the samples where the shared data is not there; returns how many."""
    with (SKILLS if SKILLS.exists() else SAMPLES / "skills_en.csv").open("rb") as stream:
        renamed = stream.read().replace(
            b"concept_uri,preferred_label,alt_labels", b"conceptUri,preferredLabel,altLabels"
        )
    rows = taxonomy_csv.read_skills(io.BytesIO(renamed), "en")
    with transaction(app) as tx:
        taxonomies.add_version(tx, taxonomies.SKILLS, "bench", rows)
    return len(rows)


def add_source(app: CatalogueApp, name: str, form: int) -> str:
    """Adds an organisation with a source; returns the source's id."""
    with transaction(app) as tx:
        organisations.add(tx, name, display_name=name, legal_ids={}, sector=1)
        added = sources.add(
            tx,
            new_id(),
            organisation_id=name,
            display_name=name,
            format=form,
            removal_limit_percent=20,
            default_language="en",
            default_nuts_code="",
        )
        return str(added.id)


def add_run(app: CatalogueApp, source: str, path: Path) -> str:
    """Stores a file as a finalized upload and queues a run over it; returns the run's id."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    upload = new_id()
    with path.open("rb") as stream:
        app.objects.put(uploads.BUCKET, upload, cast(BinaryIO, stream), size=path.stat().st_size)
    with transaction(app, PERSON) as tx:
        row = {"id": upload, "owner": PERSON.subject, "size_bytes": path.stat().st_size}
        tx.execute(insert(upload_table).values(**row, content_type="text/csv", sha256=sha256, ready=True))
        return feed_runs.add(tx, source, upload, dry_run=False, partial=False)


def rows(labels: list[str], count: int, seed: int = 7) -> Iterator[list[str]]:
    """Yields rows of the CSV template: courses named after occupations, in many towns, starting all year."""
    pick = random.Random(seed)
    towns = [(f"Town {n}", 49.5 + pick.random() * 2, 2.6 + pick.random() * 3.8) for n in range(TOWNS)]
    words = sorted({word for label in labels for word in label.lower().split() if len(word) > 3})
    for number in range(count):
        label = pick.choice(labels)
        town, latitude, longitude = pick.choice(towns)
        month, day = pick.randint(1, 12), pick.randint(1, 28)
        price = pick.randint(50, 3000)
        values = {
            "course_id": f"C{number}",
            "title": f"{pick.choice(('Becoming a', 'Certificate:', 'Evening course'))} {label}",
            "language": "en",
            "description": " ".join(pick.choices(words, k=40)),
            "kind": pick.choice(("course", "course", "exam", "guidance")),
            "eqf_level": str(pick.randint(2, 7)),
            "url": f"https://partner.example/{number}",
            "subjects": "|".join(pick.choices(words, k=2)),
            "session_id": "S1",
            "start_date": f"2030-{month:02}-{day:02}",
            "end_date": f"2031-{month:02}-{day:02}",
            "price": f"{price}.00",
            "currency": "EUR",
            "mode": pick.choice(tuple(csv_template.MODES)),
            "instruction_language": pick.choice(("en", "nl", "fr", "de")),
            "nuts_code": f"BE{pick.randint(1, 3)}{pick.randint(1, 5)}",
            "town": town,
            "latitude": f"{latitude:.5f}",
            "longitude": f"{longitude:.5f}",
            "capacity": "20",
        }
        yield [values.get(column, "") for column in csv_template.COLUMNS]


class Peak:
    """Samples the resident memory of a process (default: this one) and its children, but for PostgreSQL,
    whose buffers are a setting; `mib` is how far it rose above where it stood at the start."""

    def __init__(self, pid: int | None = None) -> None:
        process = psutil.Process(pid)
        below = process.children(recursive=True)
        self._processes = [process, *(each for each in below if each.name() != "postgres")]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._before = self._peak = self._resident()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)

    @property
    def mib(self) -> float:
        """Rise in MiB."""
        return (self._peak - self._before) / 2**20


class Clock:
    """Seconds between entering and leaving."""

    def __enter__(self) -> Clock:
        self._start = time.perf_counter()
        self.seconds = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
