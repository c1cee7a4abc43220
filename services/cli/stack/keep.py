"""Keeps one part running: starts it when what it needs is there, watches it, restarts it after back-off."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from services.cli.exits import Failure
from services.cli.stack import process
from services.cli.stack.forks import Forks
from services.cli.stack.health import HALTED
from services.cli.stack.leftovers import MARK
from services.cli.stack.parts import Member
from services.cli.stack.plan import LONGEST_PAUSE
from services.cli.stack.process import PartError, Running
from services.cli.stack.state import PartState

FIRST_WAIT = 0.5
# A part that ran this long has earned a fresh back-off.
STEADY_SECONDS = 60.0
START_SECONDS = 60.0
POLL_SECONDS = 0.1
PROBE_SECONDS = 5.0
# One that is not well is looked at more often, so that its recovery shows at once.
RECOVERY_SECONDS = 1.0
# Alive but without an answer for this long: ended and started anew.
SILENT_SECONDS = 60.0
# Characters of a dying part's last line that are shown.
WORDS = 300
LARGEST_LOG = 16 * 1024 * 1024


class Keeper:
    """One part over the life of its stack.

    Attributes:
        member: the part and what it needs.
        state: what people and programs are shown; changes are announced by `changed`.
        up: set while the part answers, or once it is done when it runs once.
    """

    def __init__(
        self,
        member: Member,
        home: Path,
        changed: Callable[[], None],
        forks: Forks,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self.member = member
        self.state = PartState(member.name, address=member.address)
        self.up = asyncio.Event()
        self.log = home / "logs" / f"{member.name}.log"
        self._home, self._longest_pause = home, longest_pause
        self._changed, self._forks = changed, forks
        self._process: Running | None = None
        self._ended = asyncio.Event()
        self._command: process.Command | None = None

    async def run(self, needs: list["Keeper"]) -> None:
        """Keep the part running until cancelled.

        Raises:
            JarsError: the broker's jars are not the locked ones, which no restart mends.
        """
        wait = FIRST_WAIT
        while True:
            self._say("waiting", self.state.reason)
            for need in needs:
                await need.up.wait()
            began = time.monotonic()
            try:
                await self._start()
                if self.member.once:
                    await self._finish()
                    return
                reason = await self._watch()
            except (PartError, OSError, Failure) as error:
                reason = str(error)
            self.up.clear()
            await self._end()
            wait = FIRST_WAIT if time.monotonic() - began > STEADY_SECONDS else wait
            self.state.restarts += 1
            self._say("restarting", reason.splitlines()[0])
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._longest_pause)

    async def stop(self) -> None:
        """Ask the part to end, and wait until it has."""
        self.up.clear()
        if self._process is not None:
            self._say("stopping")
            if self.member.drain and self._process.poll() is None:
                await asyncio.to_thread(self.member.drain)
            await self._end()
        self._say("stopped")

    async def _start(self) -> None:
        self._say("starting", self.state.reason)
        await asyncio.to_thread(turn_over, self.log)
        part = self.member.part
        await asyncio.to_thread(part.prepare, self.log)
        command = await asyncio.to_thread(part.command)
        marked = {**command.environment, MARK: str(self._home)}
        self._command = replace(command, environment=marked)
        # Either in this thread: the kernel ends the part when the thread that started it ends.
        if command.forked:
            self._process = await self._forks.spawn(self._command, self.log)
        else:
            self._process = process.spawn(self._command, self.log)
        self._ended = ended(self._process)
        self._say("starting", self.state.reason)
        if not self.member.once:
            await self._answer(START_SECONDS)
            await self._ask()
            self.up.set()

    async def _answer(self, seconds: float) -> None:
        """Wait for the first answer; raises PartError when the part ends or `seconds` pass."""
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(self.member.part.ready):
            self._alive()
            if time.monotonic() > deadline:
                raise PartError(f"no answer within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        self._alive()

    async def _watch(self) -> str:
        """Return, once the part has ended or stays silent, why it has to be started anew."""
        answered = time.monotonic()
        while True:
            pause = PROBE_SECONDS if self.state.state == "ready" else min(PROBE_SECONDS, RECOVERY_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause)
            await asyncio.to_thread(turn_over, self.log)
            try:
                self._alive()
            except PartError as error:
                return str(error)
            if await asyncio.to_thread(self.member.part.ready):
                answered = time.monotonic()
                await self._ask()
            elif time.monotonic() - answered > SILENT_SECONDS:
                return f"no answer for {SILENT_SECONDS:.0f} s"
            else:
                self._say("silent", "runs, does not answer")

    async def _ask(self) -> None:
        """Say how a part that answers does.

        One that cannot work for want of another is not started anew: that would mend nothing.
        """
        trouble = await asyncio.to_thread(self.member.health)
        states = {"": "ready", HALTED: "halted"}
        self._say(states.get(trouble, "not serving"), trouble)

    async def _finish(self) -> None:
        """Wait for the end of a part that runs once."""
        assert self._process is not None
        await self._ended.wait()
        code = self._process.returncode
        await self._end()
        if code:
            raise PartError(f"ended with exit code {code} {last_words(self.log)}")
        self._say("done")
        self.up.set()

    async def _end(self) -> None:
        running, command = self._process, self._command
        if running is not None and command is not None:
            await asyncio.to_thread(process.stop, running, command)
        self._process = None
        self.state.pid = 0

    def _alive(self) -> None:
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise PartError(" ".join((how, last_words(self.log))) if code > 0 else how)

    def _say(self, state: str, reason: str = "") -> None:
        pid = self._process.pid if self._process else 0
        if (self.state.state, self.state.reason, self.state.pid) != (state, reason, pid):
            self.state.state, self.state.reason, self.state.pid = state, reason, pid
            self._changed()


def ended(part: Running) -> asyncio.Event:
    """Return an event of the running loop that is set once the process has ended; its code is known then.

    A thread waits for it: looking ten times a second at fourteen parts is most of what a supervisor would do.
    """
    event, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait() -> None:
        part.wait()
        with suppress(RuntimeError):  # the loop was closed before
            loop.call_soon_threadsafe(event.set)

    threading.Thread(target=wait, name=f"wait-{part.pid}", daemon=True).start()
    return event


def last_words(log: Path) -> str:
    """Return the last line of a log in brackets, shortened; the reason is there when a program gives up."""
    return f"({process.tail(log, 1)[:WORDS]})"


def turn_over(log: Path) -> None:
    """Put aside what a log that has grown large says, in place of what was put aside before.

    The file stays and is emptied, for the part goes on adding to it; what it writes in that moment may be
    lost. On a disk without room the log stays as it is.
    """
    with suppress(OSError):
        if log.stat().st_size > LARGEST_LOG:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
