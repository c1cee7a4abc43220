"""Who holds a home: that one alone may run parts there, end those others left, or delete what is kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.cli.exits import ExitCode, Failure
from services.cli.stack.paths import option

LOCK = "supervisor.lock"
# Who only looks has the lock for a moment.
PATIENCE = 1.0
# Bytes that a new stack writes at its first start, and one that runs needs to go on.
ROOM = 96 * 1024**2


@contextmanager
def holding(home: Path) -> Iterator[None]:
    """Hold the home, made if missing, until the block ends or this process does.

    Raises:
        Failure: another process holds it, or this one may not write there.
    """
    from filelock import FileLock, Timeout  # loads asyncio, which a short command does without

    make(home)
    lock = FileLock(home / LOCK)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        remedy = f"`waymark status {option(home)}` shows it, `waymark down {option(home)}` stops it."
        raise Failure(ExitCode.OTHER, f"A stack already runs in {home}.", remedy=remedy) from None
    except OSError as error:
        raise unusable(home, error) from error
    with lock:
        yield


def make(home: Path) -> None:
    """Make the home and its folder of logs; raises Failure when that cannot be."""
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(home, error) from error


def unusable(home: Path, error: OSError) -> Failure:
    """The failure for a home that cannot be made or written."""
    remedy = "Name a folder that you may write to by --home or WAYMARK_HOME."
    return Failure(ExitCode.OTHER, f"{home} cannot be the home of a stack: {error.strerror}.", remedy=remedy)


def room_left(home: Path) -> int:
    """Return the bytes that the disk of the home still takes."""
    return shutil.disk_usage(home).free


def require_room(home: Path) -> None:
    """Raise Failure when the disk of the home is too full to start a stack."""
    left = room_left(home)
    if left < ROOM:
        text = f"The disk of {home} has {left // 1024**2} MiB left; a stack needs {ROOM // 1024**2}."
        remedy = "Make room there, or name a folder on another disk by --home or WAYMARK_HOME."
        raise Failure(ExitCode.OTHER, text, remedy=remedy)


def held(home: Path) -> bool:
    """Tell whether a process holds the home."""
    if not (home / LOCK).exists():
        return False
    from filelock import FileLock, Timeout

    try:
        with FileLock(home / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # not this user's
        return False


def was_home(home: Path) -> bool:
    """Tell whether a stack has ever been in the folder."""
    return (home / LOCK).exists()
