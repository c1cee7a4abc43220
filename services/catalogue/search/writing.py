"""Who writes an index: one of the server processes, which a file lock decides."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from services.catalogue.search.damage import IndexDamaged
from services.catalogue.search.directory import Directory

RETRY = 1.0  # seconds after a failure, and between tries to be the one who writes
log = structlog.get_logger("search")


def alone(where: Directory, stop: threading.Event, work: Callable[[], None]) -> None:
    """Does `work` until `stop` is set, again whenever it fails; waits while another process does it.

    IndexDamaged asks for an index built anew.
    """
    lock = FileLock(where.path / "writer.lock")
    said = log.bind(index=where.path.name)
    while not stop.is_set():
        try:
            with lock.acquire(timeout=0):
                work()
        except Timeout:
            stop.wait(RETRY)
        except IndexDamaged as error:
            said.warning("index_damaged", error=str(error))
            where.report_damage()
        except SQLAlchemyError:
            said.warning("database_unreachable")
            stop.wait(RETRY)
        except Exception:
            said.exception("follower_failed")
            stop.wait(RETRY)
