"""Runs a whole stack in the foreground: starts, watches and stops its parts, and tells the state file."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil

from services.cli.exits import ExitCode, Failure
from services.cli.stack.forks import Forks
from services.cli.stack.holding import holding, require_room
from services.cli.stack.jars import JarsError
from services.cli.stack.keep import Keeper
from services.cli.stack.leftovers import end_left_overs
from services.cli.stack.parts import members
from services.cli.stack.plan import DEFAULT_BASE, OFFSETS, WIDTH, Plan
from services.cli.stack.ports import is_free
from services.cli.stack.state import StackState, Watcher, find_state, write_state

LAST_BASE = 60_000
# When the state could not be told, for instance for a full disk, it is tried again.
STATE_SECONDS = 5.0


class Supervisor:
    """One stack in the foreground.

    Args:
        plan: the stack.
        watch: called with the state after each change.
    """

    def __init__(self, plan: Plan, watch: Watcher) -> None:
        self.plan = plan
        self._watch = watch
        self._forks = Forks(plan.home)
        self._keepers = {
            member.name: Keeper(member, plan.home, self._changed, self._forks, plan.longest_pause)
            for member in members(plan)
        }
        self._stop = asyncio.Event()
        self._started = psutil.Process().create_time()

    @property
    def state(self) -> StackState:
        """What other commands read."""
        parts = {name: keeper.state for name, keeper in self._keepers.items()}
        return StackState(
            pid=os.getpid(),
            started=self._started,
            edge=self.plan.edge,
            issuer=self.plan.issuer,
            kafka=self.plan.bootstrap,
            port_base=self.plan.base,
            ready=all(part.state in ("ready", "done") for part in parts.values()),
            parts=parts,
        )

    async def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop everything in order.

        Raises:
            Failure: a part cannot ever start, for instance because a jar differs from its lock.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        self._forks.start()  # to load while the stores start
        tasks = {name: asyncio.create_task(self._keep(keeper)) for name, keeper in self._keepers.items()}
        stopping = asyncio.create_task(self._stop.wait())
        self._changed()
        try:
            waiting = {stopping, *tasks.values()}
            while not stopping.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping}:
                    task.result()
        except JarsError as error:
            raise Failure(ExitCode.OTHER, str(error)) from error
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            await self._stop_all()
            await self._forks.aclose()

    async def _keep(self, keeper: Keeper) -> None:
        await keeper.run([self._keepers[name] for name in keeper.member.needs])

    async def _stop_all(self) -> None:
        """Stop floor by floor from the edge down to the stores, the parts of one floor together."""
        floors = sorted({keeper.member.floor for keeper in self._keepers.values()}, reverse=True)
        for floor in floors:
            here = [keeper for keeper in self._keepers.values() if keeper.member.floor == floor]
            await asyncio.gather(*(keeper.stop() for keeper in here))

    def _changed(self) -> None:
        state = self.state
        try:
            write_state(self.plan.home, state)
            self._watch(state)
        except OSError:
            asyncio.get_running_loop().call_later(STATE_SECONDS, self._changed)


def supervise(home: Path, base: int | None, watch: Watcher) -> None:
    """Run a stack in `home` until it is told to stop.

    Args:
        home: folder of the stack, made if missing.
        base: first port; None takes the one of the last run, or else the first free from 8080.
        watch: called with the state after each change.

    Raises:
        Failure: another supervisor holds the home, it cannot be written, its disk is full, a port is taken,
            or a part can never start.
    """
    with holding(home):
        # Only the holder of the lock may: these cannot be another supervisor's parts.
        end_left_overs(home)
        require_room(home)
        plan = Plan(home, choose_base(home, base))
        # Made here: a subclass of the event loop's objects needs the running loop.
        asyncio.run(_run(plan, watch))


async def _run(plan: Plan, watch: Watcher) -> None:
    await Supervisor(plan, watch).run()


def choose_base(home: Path, wanted: int | None) -> int:
    """Return the first port of the stack.

    Raises:
        Failure: a port of `wanted` is taken, or no free range was found.
    """
    if wanted is not None:
        taken = first_taken(home, wanted, patience=2.0)
        if taken:
            name, port = taken
            text = f"Port {port}, wanted for {name}, is taken by another program."
            remedy = f"Choose another range with --port-base (a stack takes {WIDTH} ports from there)."
            raise Failure(ExitCode.OTHER, text, remedy=remedy)
        return wanted
    last = find_state(home)
    remembered = [last.port_base] if last else []
    candidates: list[int] = [*remembered, *range(DEFAULT_BASE, LAST_BASE, 2 * WIDTH)]
    for base in candidates:
        if not first_taken(home, base):
            return base
    raise Failure(ExitCode.OTHER, "No free range of ports was found.", remedy="Name one with --port-base.")


def first_taken(home: Path, base: int, patience: float = 0.0) -> tuple[str, int] | None:
    """Return name and number of the first port that this stack needs and somebody has, None if all are free.

    Args:
        home: folder of the stack.
        base: first port.
        patience: seconds to wait for a port that is just being given back.
    """
    plan = Plan(home, base)
    deadline = time.monotonic() + patience
    for member in members(plan):
        for name in member.ports:
            while not is_free(base + OFFSETS[name]):
                if time.monotonic() >= deadline:
                    return name, base + OFFSETS[name]
                time.sleep(0.1)
    return None
