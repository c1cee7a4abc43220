"""Session fixtures with a real PostgreSQL and Kafka, shared by the workers of a run, and S3.

Each starts on first use and is stopped when the last test process ends, also when pytest is killed: see
`keeper.py`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 150
MEMORY = Path("/dev/shm")
ENOUGH = 2 * 1024**3  # bytes


@dataclass(frozen=True)
class S3Address:
    """Where the S3 server is and the key pair it takes."""

    endpoint: str
    access_key: str
    secret_key: str


def run_id() -> str:
    """Return what the workers of one pytest run have in common, and other runs have not."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{psutil.Process().create_time():.0f}"


@contextmanager
def held(part: str, run: str | None = None) -> Iterator[dict[str, str]]:
    """Hold a part, starting it if nobody has yet; yield its address.

    Args:
        part: "postgres", "kafka" or "s3".
        run: workers with the same value share one part; this pytest run's own when None.
    """
    base = memory_or_disk() if part == "postgres" else Path(tempfile.gettempdir())
    base /= f"waymark-tests-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    folder = base / f"{run or run_id()}-{part}"
    me = psutil.Process()
    holder = folder / "holders" / str(me.pid)
    with FileLock(folder.with_suffix(".lock")):
        if (folder / "address.json").exists():
            write_holder(holder)
        else:
            # One that is being stopped has withdrawn its address; one that was killed left its folder.
            wait_gone(folder)
            shutil.rmtree(folder, ignore_errors=True)
            start(part, folder, holder)
        address: dict[str, str] = json.loads((folder / "address.json").read_text())
    try:
        yield address
    finally:
        holder.unlink(missing_ok=True)
        if not any((folder / "holders").glob("*")):
            wait_gone(folder)


def memory_or_disk() -> Path:
    """Return where databases of tests go: into memory where there is room for them, because each is some
    hundred files, which a disk takes five times as long to make; a few exist at once, of 10 MB each."""
    try:
        if shutil.disk_usage(MEMORY).free >= ENOUGH and os.access(MEMORY, os.W_OK):
            return MEMORY
    except FileNotFoundError:
        pass
    return Path(tempfile.gettempdir())


def write_holder(holder: Path) -> None:
    """Leave this process's number and start time for the keeper."""
    holder.parent.mkdir(parents=True, exist_ok=True)
    holder.write_text(f"{os.getpid()} {psutil.Process().create_time()!r}")


def start(part: str, folder: Path, holder: Path) -> None:
    """Start the part's keeper and wait for the address it publishes.

    Raises:
        RuntimeError: the part did not start; the message ends with its log.
    """
    write_holder(holder)
    keeper_log = folder / "keeper.log"
    with keeper_log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.keeper", part, str(folder)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    said = ""
    while not (folder / "address.json").exists():
        if keeper_log.exists():
            said = keeper_log.read_text()
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{part} did not start\n{said}")
        time.sleep(0.05)
    # The keeper outlives this process on purpose; without this, Popen would warn about it.
    keeper.returncode = 0


def wait_gone(folder: Path, seconds: float = 60) -> None:
    """Wait until the keeper has stopped its part and deleted the folder."""
    deadline = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Administrator's URL of a real PostgreSQL 18 (fsync off: no test here pulls the machine's plug)."""
    with held("postgres") as address:
        yield address["socket_url"]


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap address of a real Kafka broker."""
    with held("kafka") as address:
        yield address["bootstrap"]


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Address]:
    """Endpoint and keys of a real S3 server, one for each worker: tests sweep away what no row of theirs
    names, and the files of tests at the same moment would go too."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with held("s3", f"{run_id()}-{worker}") as address:
        yield S3Address(address["endpoint"], address["access_key"], address["secret_key"])
