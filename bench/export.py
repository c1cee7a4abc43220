"""`make bench-export`: how fast everything of a person leaves, and that memory stays flat.

A portfolio of 1 000 entries and 1 000 files, 500 MB together, over gRPC from a server of its own, with a real
PostgreSQL and S3 server on the same machine. Beside it, in the same run: the same files from the same store
with the same client and their hashes checked, which nobody can do without; and per second of the server's
processor time, which says the same on a machine that has other work.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import secrets
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
from waymark.portfolio.v1.entry_pb2 import ENTRY_KIND_WORK, Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.holder_pb2 import ExportHolderRequest, Holder
from waymark.portfolio.v1.holder_pb2_grpc import HolderServiceStub

from bench import servers
from bench.catalogue import Peak
from bench.report import Goal, report
from services.cli.stack.ports import free_port
from services.platform.db.transaction import transaction
from services.platform.settings import Settings
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import holders
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import BUCKET, EVIDENCE
from services.portfolio.store.vault import open_vault
from tests.support.servers import token

SIZE = 500_000  # bytes of a file
GOALS = (
    Goal("export_mb_per_s", "≥", 100, "MB/s"),
    Goal("server_memory_rise_mib", "≤", 64, "MiB"),
)


def main() -> None:
    """Fills a portfolio, takes it out, measures, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="files of 500 kB each, at most 1000")
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            servers.durable_postgres("portfolio", folder) as url,
            servers.objects(folder) as store,
            servers.keys() as jwks,
        ):
            listen = f"127.0.0.1:{free_port()}"
            environ = servers.settings("portfolio", url, jwks, folder, listen) | store
            app = PortfolioApp.build(Settings.from_environment("portfolio", environ))
            holder = str(uuid.uuid4())
            stored = fill(app, holder, files)
            figures = {"files": float(files), "bare_store_mb_per_s": bare(app, stored)}
            with servers.serving("portfolio", environ) as (address, pid):
                figures |= taken_out(address, pid, holder, folder / "all.zip")
            app.close()
    figures["of_bare_store"] = figures["export_mb_per_s"] / figures["bare_store_mb_per_s"]
    sys.exit(0 if report("export", figures, GOALS) else 1)


def fill(app: PortfolioApp, holder: str, files: int) -> list[Evidence]:
    """Gives a holder as many entries and stored files; returns the files."""
    body, stored = secrets.token_bytes(SIZE), []
    with transaction(app) as tx:
        holders.create(tx, app.keys, holder, Holder(given_name="Noor"))
    for number in range(files):
        content = number.to_bytes(8, "big") + body[8:]
        evidence = Evidence(
            file_name=f"{number}.pdf",
            content_type="application/pdf",
            size_bytes=SIZE,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        with transaction(app) as tx:
            vault = open_vault(tx, app.keys, holder)
            entry = Entry(kind=ENTRY_KIND_WORK, title=f"Job {number}", description={"en": "Welded. " * 50})
            ENTRIES.add(tx, vault, entry, kind=entry.kind)
            made = EVIDENCE.add(tx, vault, evidence, state=Evidence.STATE_STORED, size_bytes=SIZE)
        app.objects.put(BUCKET, names.last(made.name), io.BytesIO(content), size=SIZE)
        stored.append(made)
    return stored


def bare(app: PortfolioApp, stored: list[Evidence]) -> float:
    """Returns at how many MB/s the store gives the files away, each checked by its hash."""
    started = time.perf_counter()
    for evidence in stored:
        with app.objects.open(BUCKET, names.last(evidence.name), sha256=evidence.sha256) as stream:
            for _ in stream:
                pass
    return len(stored) * SIZE / 1e6 / (time.perf_counter() - started)


def taken_out(address: str, pid: int, holder: str, file: Path) -> dict[str, float]:
    """Exports the portfolio without its files, which loads what every process loads once, then with them into
    a file; returns figures of the latter."""
    with grpc.insecure_channel(address) as channel:
        stub = HolderServiceStub(channel)
        sum(map(len, parts(stub, holder, without_files=True)))
        before = processor(pid)
        started, first = time.perf_counter(), 0.0
        with Peak(pid) as server, Peak() as client, file.open("wb") as out:
            for part in parts(stub, holder):
                first = first or time.perf_counter()
                out.write(part)
        seconds, worked = time.perf_counter() - started, processor(pid) - before
    with zipfile.ZipFile(file) as archive:
        if archive.testzip() is not None:
            raise SystemExit("the archive is broken")
    size = file.stat().st_size / 1e6
    return {
        "archive_mb": size,
        "export_s": seconds,
        "export_mb_per_s": size / seconds,
        "mb_per_processor_s": size / worked,
        "first_byte_ms": (first - started) * 1000,
        "server_memory_rise_mib": server.mib,
        "client_memory_rise_mib": client.mib,
    }


def processor(pid: int) -> float:
    """Returns the seconds of processor time that a server and its processes have taken."""
    family = psutil.Process(pid)
    times = [one.cpu_times() for one in (family, *family.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def parts(stub: HolderServiceStub, holder: str, *, without_files: bool = False) -> Iterator[bytes]:
    """Yields an archive as it comes."""
    metadata = (("authorization", f"Bearer {token('learner', subject=holder)}"),)
    request = ExportHolderRequest(name=names.holder(holder), without_files=without_files)
    for part in stub.ExportHolder(request, metadata=metadata):
        yield part.data


if __name__ == "__main__":
    main()
