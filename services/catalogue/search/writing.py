"""Who writes an index: one of the server processes, which a file lock decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from services.catalogue.search.damage import IndexDamaged
from services.catalogue.search.directory import Directory

RETRY = 1.0  # seconds after a first failure, and between tries to be the one who writes
LONGEST = 60.0  # seconds after a failure
CALM = 600.0  # seconds of work after which a failure is a first one
log = structlog.get_logger("search")


def alone(where: Directory, stop: threading.Event, work: Callable[[], None]) -> None:
    """Does `work` until `stop` is set, again whenever it fails; waits while another process does it.

    IndexDamaged asks for an index built anew. Whoever fails again and again waits longer each time, up to
    LONGEST: a build that fails takes as much as one that does not.
    """
    lock = FileLock(where.path / "writer.lock")
    said = log.bind(index=where.path.name)
    pause = RETRY
    while not stop.is_set():
        began = time.monotonic()
        try:
            with lock.acquire(timeout=0):
                work()
        except Timeout:
            stop.wait(RETRY)
        except SQLAlchemyError:
            said.warning("database_unreachable")
            stop.wait(RETRY)
        except Exception as error:
            if isinstance(error, IndexDamaged):
                said.warning("index_damaged", error=str(error))
                where.report_damage()
            else:
                said.exception("follower_failed")
            if time.monotonic() - began > CALM:
                pause = RETRY
            stop.wait(pause)
            pause = min(2 * pause, LONGEST)
