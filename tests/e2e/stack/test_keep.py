"""One part under a keeper, with real servers and real signals."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.cli.exits import ExitCode, Failure
from services.cli.stack import keep, process
from services.cli.stack.forks import Forks
from services.cli.stack.keep import Keeper
from services.cli.stack.parts import Member, Part, Program
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.cli.stack.process import Command
from services.cli.stack.s3 import S3
from tests.support.processes import runs


class Hasty(S3):
    """A halted process does not heed SIGTERM; no need to wait the usual patience for it."""

    def command(self) -> Command:
        return replace(super().command(), stop_seconds=0.5)


@asynccontextmanager
async def kept(part: Part, home: Path, *, once: bool = False, pause: float = 30) -> AsyncIterator[Keeper]:
    keeper = Keeper(Member(part, once=once), home, lambda: None, Forks(home), pause)
    task = asyncio.create_task(keeper.run([]))
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.stop()


async def until(check: Callable[[], bool], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.05)


def test_a_killed_server_is_started_again_and_keeps_its_data(tmp_path: Path) -> None:
    import psycopg

    async def scenario() -> None:
        server = Postgres(tmp_path / "postgres", free_port())
        async with kept(server, tmp_path) as keeper:
            await asyncio.wait_for(keeper.up.wait(), 120)
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("create table kept as select 7 as seven")
            first = keeper.state.pid
            psutil.Process(first).kill()
            await until(lambda: keeper.state.restarts >= 1 and keeper.up.is_set())
            assert keeper.state.pid != first
            with psycopg.connect(server.url()) as connection:
                assert connection.execute("select seven from kept").fetchone() == (7,)
            last = keeper.state.pid
        assert not runs(last)

    asyncio.run(scenario())


def test_a_silent_server_is_shown_then_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(keep, "SILENT_SECONDS", 2.0)

    async def scenario() -> None:
        async with kept(Hasty(tmp_path / "s3", free_port()), tmp_path) as keeper:
            await asyncio.wait_for(keeper.up.wait(), 120)
            first = psutil.Process(keeper.state.pid)
            first.send_signal(signal.SIGSTOP)
            await until(lambda: keeper.state.state == "silent")
            await until(lambda: keeper.state.pid not in (0, first.pid) and keeper.state.state == "ready")
            assert not first.is_running()

    asyncio.run(scenario())


def test_what_keeps_dying_is_started_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep, "FIRST_WAIT", 0.1)
    waits = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds != keep.POLL_SECONDS:
            waits.append(round(seconds, 1))
        await real_sleep(seconds)

    async def scenario() -> None:
        program = Program("dying", lambda: [sys.executable, "-c", "raise SystemExit(3)"], lambda: False)
        async with kept(program, tmp_path, pause=0.4) as keeper:
            monkeypatch.setattr(keep.asyncio, "sleep", sleep)
            async with asyncio.timeout(120):
                while keeper.state.restarts < 6:
                    await real_sleep(0.05)
            assert "exit code 3" in keeper.state.reason or keeper.state.state == "starting"

    monkeypatch.setattr(keep, "POLL_SECONDS", 0.05)
    asyncio.run(scenario())
    assert waits[:5] == [0.1, 0.2, 0.4, 0.4, 0.4]


def test_a_part_that_cannot_be_told_what_it_needs_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An issuer elsewhere that is away when a server has to be started anew must not end the stack."""
    monkeypatch.setattr(keep, "FIRST_WAIT", 0.1)
    asked = []

    def told() -> dict[str, str]:
        asked.append(len(asked))
        if len(asked) < 3:
            raise Failure(ExitCode.UNREACHABLE, "https://issuer.example: no route")
        return {}

    async def scenario() -> None:
        program = Program("server", lambda: ["sleep", "60"], lambda: True, told)
        async with kept(program, tmp_path) as keeper:
            await until(lambda: "no route" in keeper.state.reason)
            await asyncio.wait_for(keeper.up.wait(), 60)
            assert keeper.state.restarts == 2

    asyncio.run(scenario())


def test_a_one_off_is_repeated_until_it_succeeds(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0; "
    )
    script += "p.write_text('x' * (n + 1)); sys.exit(n < 2)"
    count = tmp_path / "count"

    async def scenario() -> None:
        program = Program("one-off", lambda: [sys.executable, "-c", script, str(count)], lambda: True)
        async with kept(program, tmp_path, once=True) as keeper:
            await asyncio.wait_for(keeper.up.wait(), 120)
            assert keeper.state.state == "done"
            assert keeper.state.restarts == 2

    asyncio.run(scenario())


def test_a_part_that_needs_another_waits_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        forks = Forks(tmp_path)
        first = Keeper(Member(S3(tmp_path / "s3", free_port())), tmp_path, lambda: None, forks)
        done = Program("second", lambda: [sys.executable, "-c", ""], lambda: True)
        second = Keeper(Member(done, needs=("s3",), once=True), tmp_path, lambda: None, forks)
        waiting = asyncio.create_task(second.run([first]))
        await asyncio.sleep(0.5)
        assert second.state.state == "waiting"
        starting = asyncio.create_task(first.run([]))
        await asyncio.wait_for(second.up.wait(), 120)
        starting.cancel()
        await asyncio.gather(starting, waiting, return_exceptions=True)
        await first.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("largest", [4_000, 10**9], ids=["limit", "control"])
def test_the_log_of_a_part_that_runs_on_is_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr(keep, "LARGEST_LOG", largest)
    monkeypatch.setattr(keep, "PROBE_SECONDS", 0.1)
    script = "n=0; while [ $n -lt 40 ]; do n=$((n+1)); printf '%0500d\\n' $n; sleep 0.05; done; sleep 60"

    async def scenario() -> None:
        program = Program("talking", lambda: ["sh", "-c", script], lambda: True)
        async with kept(program, tmp_path) as keeper:
            before = keeper.log.with_suffix(".log.1")
            await until(lambda: any(process.tail(log, 1).endswith("0040") for log in (keeper.log, before)))
            assert before.exists() is (largest == 4_000)
            assert (keeper.log.stat().st_size < 3 * 4_000) is (largest == 4_000)
            if before.exists():  # one after the other: what it adds stands at the start of the emptied file
                assert {text.read_text()[:490] for text in (before, keeper.log)} <= {"0" * 490, ""}
                assert before.stat().st_size > 490
            assert keeper.state.restarts == 0

    asyncio.run(scenario())
