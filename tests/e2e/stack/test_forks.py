"""Processes of the stack are forked of one that has loaded everything and knows nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import secrets
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from services.cli.stack import fork_server, process
from services.cli.stack.forks import Fork, Forks
from services.cli.stack.leftovers import left_overs
from services.cli.stack.ports import free_port
from services.cli.stack.process import Command, PartError
from tests.support.memory import holds
from tests.support.parts import CHECKOUT
from tests.support.processes import gone

NOBODY = Command(("waymark", "relay", "nobody"), forked=True)


def waiting(secret: str) -> Command:
    """A relay that waits for a database it never reaches, and has been told of by a secret."""
    address = f"postgresql://somebody:{secret}@127.0.0.1:{free_port()}/vouchers"
    told = {"WAYMARK_VOUCHERS_DATABASE_URL": address, "WAYMARK_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    return Command(("waymark", "relay", "vouchers"), told, forked=True)


async def until_heard(fork: Fork, number: int | None = None) -> int:
    """Sends a signal where one is given; returns the exit code."""
    if number is not None:
        fork.send_signal(number)
    return await asyncio.to_thread(fork.wait, 60)


def test_a_fork_can_be_told_much_and_says_why_it_ended_in_its_own_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with aclosing(Forks(tmp_path)) as forks:
            much = dataclasses.replace(NOBODY, environment={"PADDING": "x" * 1_000_000})
            async with asyncio.timeout(60):
                fork = await forks.spawn(much, tmp_path / "log")
                assert await until_heard(fork) == 2
            assert fork.poll() == 2
            fork.send_signal(signal.SIGKILL)  # to nobody: it has ended
            assert "there are catalogue, vouchers, portfolio" in (tmp_path / "log").read_text()

    asyncio.run(scenario())


def test_a_setting_up_says_in_its_last_line_which_setting_to_mend(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with aclosing(Forks(tmp_path)) as forks:
            told = {"WAYMARK_DATABASE_URL": f"postgresql://boss:hush@127.0.0.1:{free_port()}/postgres"}
            command = Command(("setup", str(tmp_path), "8080"), told, forked=True)
            async with asyncio.timeout(60):
                assert await until_heard(await forks.spawn(command, tmp_path / "log")) == 1

    asyncio.run(scenario())
    said = (tmp_path / "log").read_text()
    last = said.splitlines()[-1]
    assert last.startswith("WAYMARK_DATABASE_URL leads to no PostgreSQL that can be used: connection")
    assert last.endswith("Connection refused. See that it runs, or mend the setting.")
    assert "hush" not in said


def test_a_fork_is_ended_by_a_signal_and_lives_no_longer_than_its_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with aclosing(Forks(tmp_path)) as forks:
            first, second = [await forks.spawn(waiting("x"), tmp_path / "log") for _ in range(2)]
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(0.1)
            assert await until_heard(first, signal.SIGKILL) == -signal.SIGKILL
            assert second.poll() is None
            assert os.getsid(second.pid) == second.pid
            psutil.Process(second.pid).parent().kill()  # type: ignore[union-attr]
            assert await until_heard(second) == -signal.SIGKILL
            assert gone(second.pid, 10)
            third = await forks.spawn(waiting("x"), tmp_path / "log")  # of a new server
            async with asyncio.timeout(60):
                while psutil.Process(third.pid).cmdline()[0] != "waymark relay vouchers":
                    await asyncio.sleep(0.05)
            assert third.pid in {each.pid for each in left_overs(tmp_path)}
        assert gone(third.pid, 10)

    asyncio.run(scenario())


def test_what_is_closed_leaves_neither_fork_nor_descriptor(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = os.listdir("/proc/self/fd")
        async with aclosing(Forks(tmp_path)) as forks:
            fork = await forks.spawn(waiting("x"), tmp_path / "log")
            assert len(os.listdir("/proc/self/fd")) > len(before)
        assert fork.poll() == -signal.SIGKILL
        assert len(os.listdir("/proc/self/fd")) == len(before)
        assert gone(fork.pid, 10)

    asyncio.run(scenario())


def test_who_stops_waiting_for_a_fork_leaves_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with aclosing(Forks(tmp_path)) as forks:
            asked = asyncio.create_task(forks.spawn(waiting("x"), tmp_path / "log"))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            kept = await forks.spawn(waiting("x"), tmp_path / "log")
            server = psutil.Process(kept.pid).parent()
            assert server is not None
            async with asyncio.timeout(10):
                while len(server.children()) > 1:
                    await asyncio.sleep(0.05)
            assert [child.pid for child in server.children()] == [kept.pid]

    asyncio.run(scenario())


def test_a_server_that_cannot_load_is_named_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loads nothing that starts a thread: a fork might wait for ever for what that thread held."""
    server = (
        "import threading, time; from services.cli.stack import fork_server as server; server.LOADED = (); "
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); server.main()"
    )
    monkeypatch.setattr("services.cli.stack.forks.SERVER", [sys.executable, "-c", server])

    async def scenario() -> None:
        async with aclosing(Forks(tmp_path)) as forks:
            with pytest.raises(PartError, match=r"fork-server\.log"):
                await forks.spawn(NOBODY, tmp_path / "log")

    asyncio.run(scenario())
    assert "A library started a thread" in (tmp_path / "logs" / "fork-server.log").read_text()


def test_what_one_fork_is_told_no_other_can_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        one, other = secrets.token_hex(16), secrets.token_hex(16)
        async with aclosing(Forks(tmp_path)) as forks:
            first = await forks.spawn(waiting(one), tmp_path / "log")
            second = await forks.spawn(waiting(other), tmp_path / "log")
            server = psutil.Process(first.pid).ppid()
            async with asyncio.timeout(60):
                while not (holds(first.pid, one.encode()) and holds(second.pid, other.encode())):
                    await asyncio.sleep(0.1)
            assert not holds(second.pid, one.encode())
            assert not any(holds(server, each.encode()) for each in (one, other))

    asyncio.run(scenario())


def test_control_what_passed_through_the_server_the_next_ones_would_have(tmp_path: Path) -> None:
    async def scenario() -> None:
        secret = secrets.token_hex(16)
        command = Command(("waymark", "relay", secret), forked=True)  # an argument, which it hands on
        async with aclosing(Forks(tmp_path)) as forks:
            await until_heard(await forks.spawn(command, tmp_path / "log"))
            later = await forks.spawn(waiting("x"), tmp_path / "log")
            assert holds(psutil.Process(later.pid).ppid(), secret.encode())

    asyncio.run(scenario())


RELAY = """
import sys
from importlib import import_module
from services.cli.stack import fork_server
for module in sys.argv[1:] or fork_server.LOADED:
    import_module(module)
before = set(sys.modules)
sys.argv = ["waymark", "relay", "nobody"]
try:
    import_module(fork_server.PROGRAMS["waymark"]).main()
except SystemExit:
    print(*{module.split(".")[0] for module in set(sys.modules) - before})
"""


@pytest.mark.parametrize("loaded", [(), ("services.cli.main", "services.cli.relay")])
def test_a_command_loads_no_pydantic_of_its_own_after_the_fork_and_control(loaded: tuple[str, ...]) -> None:
    """Six forks of a stack are commands: each would hold and load it."""
    done = subprocess.run(
        [sys.executable, "-c", RELAY, *loaded], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    assert ("pydantic_core" in done.stdout.split()) is bool(loaded)


def test_everything_a_part_runs_is_loaded_before_the_fork() -> None:
    assert set(fork_server.PROGRAMS.values()) <= set(fork_server.LOADED)
    assert process.death_signal(NOBODY) == signal.SIGKILL
