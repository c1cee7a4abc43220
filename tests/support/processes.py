"""Looking at processes in tests."""

import time

import psutil


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not yet collected by its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid: int, seconds: float) -> bool:
    """Wait up to `seconds` for a process to end; tell whether it has."""
    deadline = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(pid)
