"""Server processes: drain on SIGTERM, several on one port, restart of one that dies, bad set-ups."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.cli.stack.ports import free_port
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.parts import CHECKOUT
from tests.support.servers import KEY_ID, PUBLIC_KEY, token
from tests.support.waiting import eventually

Start = Callable[..., tuple[subprocess.Popen[bytes], str]]
SUPERVISE = """
import sys
from services.platform.rpc import supervisor
from services.platform.settings import Settings
from tests.support.waiting import eventually
supervisor.command = lambda service: [sys.executable, "-m", "tests.support.notes_worker", service]
sys.exit(supervisor.run_server(Settings.from_environment("testing")))
"""


@pytest.fixture
def start(database: Any, tmp_path: Path) -> Iterator[Start]:
    """Starts `waymark serve` for the tests' service; returns the process and its address."""
    running: list[subprocess.Popen[bytes]] = []
    url = database.clone("testing", "2", notes.build).url

    def begin(**settings: str) -> tuple[subprocess.Popen[bytes], str]:
        address = f"127.0.0.1:{free_port()}"
        environ = {
            **os.environ,
            "WAYMARK_TESTING_DATABASE_URL": url,
            "WAYMARK_OIDC_ISSUER": "http://127.0.0.1:9",
            "WAYMARK_SECRETS_DIR": str(tmp_path / "secrets"),
            "WAYMARK_LISTEN": address,
            "WAYMARK_THREADS": "4",
            **settings,
        }
        with (tmp_path / "log").open("ab") as log:
            running.append(
                subprocess.Popen([sys.executable, "-c", SUPERVISE], cwd=CHECKOUT, env=environ, stdout=log)
            )
        return running[-1], address

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def issuer() -> Iterator[str]:
    """Address of an OpenID provider that publishes the test issuer's key."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{self.server.server_address[1]}"
            keys = {"keys": [{**PUBLIC_KEY.as_dict(), "kid": KEY_ID, "use": "sig"}]}
            found = {"issuer": address, "jwks_uri": f"{address}/keys"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(keys if self.path == "/keys" else found).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_log_lines_hold_no_text_of_requests_errors_or_subjects(
    start: Start, issuer: str, tmp_path: Path
) -> None:
    process, address = start(WAYMARK_OIDC_ISSUER=issuer)
    wait_serving(address)
    metadata = [("authorization", f"Bearer {token('learner', subject='person-ada', iss=issuer)}")]
    with grpc.insecure_channel(address) as channel:
        stub = NoteServiceStub(channel)
        stub.CreateNote(notes_pb2.CreateNoteRequest(text="Grace Hopper"), metadata=metadata)
        for sqlstate in ("23505", "python", "08006"):
            with pytest.raises(grpc.RpcError):
                stub.Fail(notes_pb2.FailRequest(sqlstate=sqlstate), metadata=metadata)
    process.terminate()
    assert process.wait(timeout=60) == 0
    said = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in said.splitlines()]
    calls = [line for line in lines if line["event"] == "call"]
    assert [line["code"] for line in calls] == ["OK", "INTERNAL", "INTERNAL", "UNAVAILABLE"]
    assert all(len(line["trace_id"]) == 32 and line["caller"] for line in calls)
    assert [line["error"] for line in lines if line["event"] == "unexpected error"] == [
        "IntegrityError",
        "ValueError",
    ]
    for secret in ("Lovelace", "Hopper", "person-ada", "RAISE EXCEPTION", "Bearer"):
        assert secret not in said


def wait_serving(address: str, seconds: float = 60) -> None:
    with grpc.insecure_channel(address) as channel:
        health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=seconds
        )


def test_a_drained_server_says_so_then_finishes_what_it_has(start: Start) -> None:
    process, address = start()
    wait_serving(address)
    with grpc.insecure_channel(address) as channel, grpc.insecure_channel(address) as other:
        watch = health_pb2_grpc.HealthStub(other).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        answers: list[Any] = []

        def long_call() -> None:
            answers.append(NoteServiceStub(channel).Wait(notes_pb2.WaitRequest(seconds=2)))

        caller = threading.Thread(target=long_call)
        caller.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        caller.join()
        assert len(answers) == 1
    assert process.wait(timeout=60) == 0


def test_control_a_killed_server_loses_what_it_has(start: Start) -> None:
    process, address = start()
    wait_serving(address)
    with grpc.insecure_channel(address) as channel:
        future = NoteServiceStub(channel).Wait.future(notes_pb2.WaitRequest(seconds=2))
        time.sleep(0.3)
        process.kill()
        assert future.exception(timeout=60).code() is grpc.StatusCode.UNAVAILABLE


def test_processes_share_the_port_and_one_that_dies_comes_back(start: Start) -> None:
    metrics = free_port()
    process, address = start(WAYMARK_PROCESSES="2", WAYMARK_METRICS_PORT=str(metrics))
    wait_serving(address)
    supervisor = psutil.Process(process.pid)
    first = eventually(lambda: len(supervisor.children()) == 2 and supervisor.children())

    def answered() -> str:
        with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            NoteServiceStub(channel).Wait(notes_pb2.WaitRequest(), timeout=30, wait_for_ready=True)
        page = urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=30).read().decode()
        return next((line for line in page.splitlines() if line.startswith("waymark_rpc_calls_total")), "")

    assert 'method="NoteService/Wait"' in eventually(answered)
    os.kill(first[0].pid, signal.SIGKILL)
    eventually(lambda: len(set(supervisor.children()) - set(first)) == 1)
    answered()
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert not [member for member in first if member.is_running()]


def test_processes_go_when_their_supervisor_is_killed(start: Start) -> None:
    process, address = start(WAYMARK_PROCESSES="2")
    wait_serving(address)
    members = eventually(lambda: psutil.Process(process.pid).children())
    process.kill()
    _, alive = psutil.wait_procs(members, timeout=60)
    assert not alive


@pytest.mark.parametrize(
    "settings",
    [
        {"WAYMARK_OIDC_ISSUER": ""},
        {"WAYMARK_LISTEN": "127.0.0.1:0", "WAYMARK_PROCESSES": "2"},
        {"WAYMARK_ENVIRONMENT": "production"},
        {"WAYMARK_ENVIRONMENT": "production", "WAYMARK_OIDC_ISSUER": "https://login.example"},
    ],
)
def test_a_bad_set_up_ends_at_once(start: Start, settings: dict[str, str]) -> None:
    process, _ = start(**settings)
    assert process.wait(timeout=60) != 0
