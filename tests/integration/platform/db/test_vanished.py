"""A database whose machine is gone: nothing comes back any more, and nobody says that it will not."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from services.platform.db import engine
from tests.support.databases import Database

NOTICED = 16.0  # seconds; ten are meant
ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # a packet filter (BPF) of one instruction: keep no byte


class Machine:
    """Stands before PostgreSQL's socket, is reached by TCP, and can vanish: what comes is then not even
    acknowledged."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._taken: list[socket.socket] = []
        self._to_database: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def vanish(self) -> None:
        program = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        for each in self._taken:
            each.setsockopt(
                socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program))
            )

    def close(self) -> None:
        for each in (self._door, *self._taken, *self._to_database):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                outside, _ = self._door.accept()
                self._taken.append(outside)
                inside = socket.socket(socket.AF_UNIX)
                self._to_database.append(inside)
                inside.connect(str(self._database))
                for ends in ((outside, inside), (inside, outside)):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while said := source.recv(65536):
            sink.sendall(said)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def machine(database: Any) -> Iterator[tuple[Machine, str]]:
    """The machine, and the address of a database on it."""
    made: Database = database("catalogue")
    url = make_url(made.url)
    folder, port = str(url.query["host"]), url.query.get("port") or url.port
    machine = Machine(Path(folder) / f".s.PGSQL.{port}")
    by_tcp = url.set(host="127.0.0.1", port=machine.port, query={})
    yield machine, by_tcp.render_as_string(hide_password=False)
    machine.close()


def asked(connection: sa.Connection, question: str, pool: ThreadPoolExecutor) -> Future[Any]:
    return pool.submit(connection.execute, sa.text(question))


@pytest.mark.parametrize("off", [False, True], ids=["guard", "control"])
def test_a_statement_on_a_vanished_database_fails_instead_of_hanging(
    machine: tuple[Machine, str], monkeypatch: pytest.MonkeyPatch, off: bool
) -> None:
    if off:
        monkeypatch.setattr(engine, "SILENCE", {})
    vanishing, url = machine
    made = engine.make_engine(url, 2)
    with ThreadPoolExecutor(2) as pool:
        before, after = made.connect(), made.connect()
        after.execute(sa.text("SELECT 1"))
        waiting = asked(before, "SELECT pg_sleep(60)", pool)  # nothing is to be sent, only waited for
        time.sleep(0.5)
        vanishing.vanish()
        sending = asked(after, "SELECT 1", pool)
        ended, hanging = wait((waiting, sending), timeout=NOTICED)
        vanishing.close()  # lets the control go
    assert not ended if off else not hanging
    for each in (waiting, sending):
        assert isinstance(each.exception(), sa.exc.OperationalError)
    made.dispose()
