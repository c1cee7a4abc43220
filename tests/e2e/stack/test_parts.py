import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
from minio import Minio

from services.cli.stack import process
from services.cli.stack.kafka import Kafka
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.platform.events import clients
from tests.support.events import test_settings
from tests.support.parts import CHECKOUT, S3Address, held
from tests.support.processes import gone, runs

USER_SCRIPT = """
import sys, time
from tests.support.parts import held
with held(sys.argv[1], sys.argv[2]) as address:
    print(address["pid"], flush=True)
    time.sleep(60)
"""


def test_postgres_is_version_18_and_asks_for_a_password(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        row = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
        method = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert row == (18,)
    assert method == [("scram-sha-256",)]


def test_a_database_runs_in_a_folder_whatever_that_is_called(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "one, \u00fc 'q' \"p\" a=b" / "postgres", free_port(), durable=False)
    log = tmp_path / "log"
    server.prepare(log)
    command = server.command()
    running = process.spawn(command, log)
    try:
        process.wait_ready(running, server.ready, log, 60)
        for url in (server.url(), server.socket_url()):
            with psycopg.connect(url) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
        assert server.socket_dir.stat().st_mode & 0o777 == 0o711  # also for a root without its capabilities
    finally:
        process.stop(running, command)


def test_kafka_answers_and_makes_no_topics_by_itself(kafka: str) -> None:
    admin = clients.admin(test_settings("parts", kafka_bootstrap=kafka))
    try:
        described = admin.describe_topics(["never-declared"])
    finally:
        admin.close()
    assert described[0]["error_code"] == 3  # UNKNOWN_TOPIC_OR_PARTITION


def test_a_broker_keeps_its_data_in_its_folder_whatever_that_is_called(tmp_path: Path) -> None:
    name = "one, two J\u00fcrgen's \u03b3 back\\slash #1 %41 a=b"
    broker = Kafka(tmp_path / name / "kafka", free_port(), free_port())
    log = tmp_path / "log"
    broker.prepare(log)
    command = broker.command()
    running = process.spawn(command, log)
    try:
        process.wait_ready(running, broker.ready, log, 60)
    finally:
        process.stop(running, command)
    assert (broker.data / "meta.properties").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(("log", name))


def test_s3_keeps_objects(s3: S3Address, tmp_path: Path) -> None:
    client = Minio(
        s3.endpoint.removeprefix("http://"), s3.access_key, s3.secret_key, secure=False, region="us-east-1"
    )
    client.make_bucket("waymark-parts-test")
    source = tmp_path / "object"
    source.write_bytes(b"kept")
    client.fput_object("waymark-parts-test", "a/b", str(source))
    client.fget_object("waymark-parts-test", "a/b", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"kept"


def use(part: str, run: str) -> tuple[subprocess.Popen[str], int]:
    user = subprocess.Popen(
        [sys.executable, "-c", USER_SCRIPT, part, run], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert user.stdout is not None
    return user, int(user.stdout.readline())


def end(user: subprocess.Popen[str]) -> None:
    user.kill()
    user.wait()
    assert user.stdout is not None
    user.stdout.close()


def test_two_users_share_one_part_and_the_last_one_killed_stops_it() -> None:
    run = f"share-{os.getpid()}"
    first, pid = use("postgres", run)
    second, same = use("postgres", run)
    assert pid == same
    end(first)
    time.sleep(1)
    assert runs(pid)
    end(second)
    assert gone(pid, 60)


def test_a_part_dies_with_its_killed_keeper() -> None:
    run = f"orphan-{os.getpid()}"
    with held("s3", run) as address:
        part = psutil.Process(int(address["pid"]))
        keeper = part.parent()
        assert keeper is not None
        keeper.send_signal(signal.SIGKILL)
        assert gone(part.pid, 60)
        # The keeper can no longer delete its folder.
        import shutil

        shutil.rmtree(Path(address["log"]).parent)
