import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.cli.stack import jars, kafka, process
from services.cli.stack.jars import LOCK, SPEC, JarsError
from services.cli.stack.kafka import Kafka
from services.cli.stack.ports import free_port


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    copy = tmp_path / "repository"
    shutil.copytree(jars.jars_dir(), copy, ignore=shutil.ignore_patterns(".lock", "*.aot"))
    return copy


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    shutil.copy(SPEC, tmp_path / SPEC.name)
    return Path(shutil.copy(LOCK, tmp_path / LOCK.name))


def tamper(repository: Path) -> Path:
    """Add a byte behind the archive of the broker's main jar: Java still takes it."""
    jar = next(repository.rglob("kafka_2.13-*.jar"))
    content = jar.read_bytes()
    jar.unlink()
    jar.write_bytes(content + b"\0")
    return jar


def broker(folder: Path, repository: Path, lock: Path = LOCK) -> Kafka:
    return Kafka(folder / "kafka", free_port(), free_port(), lock=lock, repository=repository)


def starts(part: Kafka, log: Path, *options: str) -> bool:
    part.prepare(log)
    command = part.command()
    command = replace(command, argv=[command.argv[0], *options, *command.argv[1:]])
    running = process.spawn(command, log)
    try:
        process.wait_ready(running, part.ready, log, 120)
        return True
    finally:
        process.stop(running, command)


def test_a_tampered_jar_is_refused_before_any_start(tmp_path: Path, repository: Path) -> None:
    part = broker(tmp_path, repository)
    part.prepare(tmp_path / "log")
    jar = tamper(repository)
    with pytest.raises(JarsError, match=r"kafka_2\.13.*checksum mismatch"):
        part.command()
    jar.unlink()
    with pytest.raises(JarsError, match=r"kafka_2\.13.*not found"):
        part.command()


def test_without_the_check_the_tampered_jar_would_run(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unchecked(lock: Path, folder: Path | None) -> list[Path]:
        assert folder is not None
        return [folder / jars.jar_path(dependency) for dependency in jars.load_lock(lock).dependencies]

    tamper(repository)
    monkeypatch.setattr(kafka, "verified_classpath", unchecked)
    part = broker(tmp_path, repository)
    part.prepare(tmp_path / "log")  # runs a program out of the tampered jar
    assert (part.data / "meta.properties").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('sha256 = "', 'sha256 = "0', "has no SHA-256 for"),
        ('sha256 = "', 'was = "', "has no SHA-256 for"),
        ('spec_hash = "', 'spec_hash = "0', "does not belong to"),
        ("[[dependencies]]", "[[dependencies", "cannot be read"),
    ],
)
def test_a_damaged_lock_is_refused(
    tmp_path: Path, repository: Path, lock: Path, old: str, new: str, message: str
) -> None:
    lock.write_text(lock.read_text().replace(old, new, 1))
    with pytest.raises(JarsError, match=message):
        broker(tmp_path, repository, lock).prepare(tmp_path / "log")


def test_a_changed_checksum_in_the_lock_is_refused(tmp_path: Path, repository: Path, lock: Path) -> None:
    good = jars.load_lock(lock).dependencies[3].sha256
    lock.write_text(lock.read_text().replace(good, good[::-1]))
    with pytest.raises(JarsError, match="checksum mismatch"):
        broker(tmp_path, repository, lock).prepare(tmp_path / "log")


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCK.read_text() + SPEC.read_text()


class Nonsense(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.endswith(".sha1"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("content-length", "8")
        self.end_headers()
        self.wfile.write(b"nonsense")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def bad_mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("WAYMARK_MAVEN_REPOSITORY", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


@contextmanager
def silent(name: str, size: int) -> Iterator[object]:
    yield lambda count: None


@pytest.mark.usefixtures("bad_mirror")
def test_a_mirror_that_serves_other_bytes_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_CACHE", str(tmp_path))
    with pytest.raises(JarsError, match=r"arrived with SHA-256 .* nothing was kept"):
        jars.fetch(silent)
    assert not list(tmp_path.rglob("*.jar"))


def test_an_unreachable_repository_is_named_and_what_is_there_needs_none(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_MAVEN_REPOSITORY", "http://127.0.0.1:9")
    assert jars.fetch(silent) == 0
    monkeypatch.setenv("WAYMARK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    repository.rename(tmp_path / "cache" / "kafka")
    next(jars.jars_dir().rglob("slf4j-api-*.jar")).unlink()
    with pytest.raises(JarsError, match=r"could not fetch org\.slf4j:slf4j-api"):
        jars.fetch(silent)


def test_a_rehearsed_start_is_used_and_a_missing_or_damaged_one_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Kafka(tmp_path / "kafka", free_port(), free_port())
    assert starts(part, tmp_path / "log", "-XX:AOTMode=on")
    whole = kafka.rehearsed().read_bytes()
    monkeypatch.setattr(kafka, "rehearsed", lambda: tmp_path / "nowhere.aot")
    assert starts(part, tmp_path / "log")
    damaged = tmp_path / "start.aot"
    damaged.write_bytes(whole[:1_000_000])
    monkeypatch.setattr(kafka, "rehearsed", lambda: damaged)
    assert starts(part, tmp_path / "log")
    with pytest.raises(process.PartError, match="exit code 1"):  # control: it is not usable
        starts(part, tmp_path / "log", "-XX:AOTMode=on")
