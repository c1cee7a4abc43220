"""`make bench-footprint`: memory and processor time of the whole idle stack, how long it takes until it
answers, and the processor time of its start and of its stop.

Memory is the sum of the proportional set sizes (PSS) of every process of the stack, the supervisor included:
a page that n processes share counts 1/n for each. Start-up is measured from the command to the first answer
of an RPC through the edge, once in an empty home and once in a home that has been used before.
"""

import resource
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.cpu import used
from bench.report import Goal, report
from services.cli.stack import control
from services.cli.stack.state import StackState

SETTLING_SECONDS = 20.0  # in which what a start has left to do is done
IDLE_SECONDS = 30.0
GOALS = (Goal("idle_mib", "≤", 1.2 * 1024, "MiB"), Goal("ready_s", "≤", 15, "s"))


def main() -> None:
    """Start and stop a stack twice, let it rest the second time, add up, report; exit code 1 when a goal is
    missed."""
    home = Path(tempfile.mkdtemp(prefix="waymark-footprint-"))
    figures: dict[str, float] = {}
    try:
        with stack(home, figures, "_empty_home"):
            pass
        with stack(home, figures) as supervisor:
            time.sleep(SETTLING_SECONDS)
            before = used(supervisor)
            time.sleep(IDLE_SECONDS)
            figures["idle_core_percent"] = 100 * (used(supervisor) - before) / IDLE_SECONDS
            parts = memory(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    figures["idle_mib"] = sum(parts.values())
    figures |= {f"{name}_mib": size for name, size in sorted(parts.items(), key=lambda p: -p[1])}
    sys.exit(0 if report("footprint", figures, GOALS) else 1)


@contextmanager
def stack(home: Path, figures: dict[str, float], which: str = "") -> Iterator[int]:
    """Run the stack for the length of the block, which gets the number of the supervisor's process; note the
    seconds until a service answered through the edge, and the processor seconds of the start and the stop."""
    earlier, began = used_by_ended(), time.monotonic()
    supervisor = control.start_detached(home, None)
    try:
        state = control.wait_ready(home, supervisor, lambda _: None)
        while not answered(state):
            time.sleep(0.02)
        figures[f"ready{which}_s"] = time.monotonic() - began
        figures[f"start{which}_cpu_s"] = used(supervisor.pid)
        yield supervisor.pid
        until_stop = used(supervisor.pid)
    finally:
        control.stop_started(home, supervisor)
    figures[f"stop{which}_cpu_s"] = used_by_ended() - earlier - until_stop


def used_by_ended() -> float:
    """Return the processor seconds of the stacks that have ended, of all their processes: each waits for its
    own, and this one has waited for the supervisor."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def answered(state: StackState) -> bool:
    """Tell whether an RPC without a token is refused by a service (401 or 403), not by a missing upstream."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{state.edge}/v1/programmes", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def memory(home: Path) -> dict[str, float]:
    """Return PSS in MiB by part, children counted with their part."""
    state = control.running(home)
    assert state is not None
    names = {part.pid: part.name for part in state.parts.values() if part.pid} | {state.pid: "supervisor"}
    sizes: dict[str, float] = defaultdict(float)
    supervisor = psutil.Process(state.pid)
    for process in [supervisor, *supervisor.children(recursive=True)]:
        family = [process, *process.parents()]
        name = next((names[member.pid] for member in family if member.pid in names), "other")
        sizes[name] += pss(process.pid)
    return dict(sizes)


def pss(pid: int) -> float:
    """Return the proportional set size of a process in MiB, 0 when it has just ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
