"""`make bench-footprint`: memory and processor time of the whole idle stack, and how long it takes until it
answers.

Memory is the sum of the proportional set sizes (PSS) of every process of the stack, the supervisor included:
a page that n processes share counts 1/n for each. Start-up is measured from the command to the first answer
of an RPC through the edge, once in an empty home and once in a home that has been used before.
"""

import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

import psutil

from bench.report import Goal, report
from services.cli.stack import control
from services.cli.stack.state import StackState

SETTLING_SECONDS = 20.0  # in which what a start has left to do is done
IDLE_SECONDS = 30.0
GOALS = (Goal("idle_mib", "≤", 1.2 * 1024, "MiB"), Goal("ready_s", "≤", 15, "s"))


def main() -> None:
    """Start a stack twice, let it rest, add up, report; exit code 1 when a goal is missed."""
    home = Path(tempfile.mkdtemp(prefix="waymark-footprint-"))
    try:
        figures = {"ready_empty_home_s": start(home)}
        control.stop(home)
        figures["ready_s"] = start(home)
        figures["ready_cpu_s"] = cpu_seconds(home)
        time.sleep(SETTLING_SECONDS)
        before = cpu_seconds(home)
        time.sleep(IDLE_SECONDS)
        figures["idle_core_percent"] = 100 * (cpu_seconds(home) - before) / IDLE_SECONDS
        parts = memory(home)
        figures["idle_mib"] = sum(parts.values())
        figures |= {f"{name}_mib": size for name, size in sorted(parts.items(), key=lambda p: -p[1])}
    finally:
        control.stop(home)
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(0 if report("footprint", figures, GOALS) else 1)


def start(home: Path) -> float:
    """Start the stack; return the seconds until a service answered through the edge."""
    began = time.monotonic()
    supervisor = control.start_detached(home, None)
    state = control.wait_ready(home, supervisor, lambda _: None)
    while not answered(state):
        time.sleep(0.02)
    supervisor.returncode = 0
    return time.monotonic() - began


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


def cpu_seconds(home: Path) -> float:
    """Return the CPU time the stack has used so far: tells a slow start from a busy machine."""
    state = control.running(home)
    assert state is not None
    supervisor = psutil.Process(state.pid)
    spent = supervisor.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for part in supervisor.children(recursive=True):
        used = part.cpu_times()
        total += used.user + used.system
    return float(total)


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
