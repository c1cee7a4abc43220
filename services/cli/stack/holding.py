"""Who holds a home: that one alone may run parts there, end those others left, or delete what is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from services.cli.exits import ExitCode, Failure
from services.cli.stack.paths import option

LOCK = "supervisor.lock"
# Who only looks has the lock for a moment.
PATIENCE = 1.0


@contextmanager
def holding(home: Path) -> Iterator[None]:
    """Hold the home, made if missing, until the block ends or this process does.

    Raises:
        Failure: another process holds it, or this one may not write there.
    """
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


def held(home: Path) -> bool:
    """Tell whether a process holds the home."""
    if not (home / LOCK).exists():
        return False
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
