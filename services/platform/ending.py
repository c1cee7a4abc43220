"""How a process is told to end."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue


def set_by_signals(stop: threading.Event) -> None:
    """Lets SIGTERM and SIGINT set `stop`, by a thread of its own. To be called in the main thread.

    A handler runs in the midst of whatever the main thread does. Were it to set the event itself, it would
    wait for ever where that thread has just begun to wait for it and has the event's lock; putting into a
    SimpleQueue is safe anywhere.
    """
    told = SimpleQueue[int]()

    def wait() -> None:
        told.get()
        stop.set()

    threading.Thread(target=wait, name="ending", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.put(number))
