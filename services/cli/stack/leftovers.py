"""Finding and ending what a killed supervisor of the same home may have left."""

import os
from pathlib import Path

import psutil

# Every process of a stack carries this variable, whatever its process group, user or parent.
MARK = "WAYMARK_STACK"


def left_overs(home: Path) -> list[psutil.Process]:
    """Return the processes that carry the mark of the stack in `home`, this process excepted."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == str(home):
                found.append(process)
        except (psutil.Error, OSError):
            # Another user's process, a kernel thread, or one that just ended.
            continue
    return found


def end_left_overs(home: Path, patience: float = 5.0) -> int:
    """End every left-over: asked first, killed after `patience` seconds. Return how many there were."""
    found = left_overs(home)
    for process in found:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, stubborn = psutil.wait_procs(found, patience)
    for process in stubborn:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(stubborn, patience)
    return len(found)
