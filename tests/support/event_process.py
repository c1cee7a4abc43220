"""A relay or consumer of a test's own service as a process that can be killed.

`python -m tests.support.event_process relay|consumer SERVICE DATABASE_URL BOOTSTRAP [FAULT…]`. Faults:
`after-publish` and `after-effect` kill it (SIGKILL) between those steps and the next; `no-inbox` turns the
inbox off.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from services.platform.app import App
from services.platform.db.engine import make_engine
from services.platform.ending import set_by_signals
from services.platform.events import consumer, inbox
from services.platform.events.relay import Relay
from tests.support.events import definition, test_settings


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class RelayKilledAfterPublish(Relay):
    """Dies when the broker has acknowledged and the outbox does not know yet."""

    def _delete_published(self) -> None:
        if self._published:
            _die()


def _admit_all(_: object, ids: Any) -> set[str]:
    return set(ids)


def main() -> None:
    """Runs until killed or told to stop."""
    kind, service, url, bootstrap, *faults = sys.argv[1:]
    settings = test_settings(
        service,
        database_url=url,
        kafka_bootstrap=bootstrap,
        secrets_dir=Path(os.environ["SECRETS"]),
        instance=os.environ["INSTANCE"],
    )
    stop = threading.Event()
    set_by_signals(stop)
    if "no-inbox" in faults:
        setattr(inbox, "admit", _admit_all)  # noqa: B010
    if "after-effect" in faults:
        setattr(consumer, "_commit", _die)  # noqa: B010
    if kind == "relay":
        relay = RelayKilledAfterPublish if "after-publish" in faults else Relay
        relay(settings, make_engine(url, 2)).run(stop)
    else:
        consumer.Consumer(definition(service), App(settings)).run(stop)


if __name__ == "__main__":
    main()
