"""One round of a job over what is due, in which nothing that fails keeps back what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.vouchers.app import VouchersApp

BATCH = 200
log = structlog.get_logger("jobs")


class Round:
    """What is done in one round, each thing in a transaction of its own."""

    def __init__(self, app: VouchersApp) -> None:
        self._app = app
        self.failures: list[Exception] = []

    def each(
        self, due: Callable[[Transaction, int], list[str]], act: Callable[[Transaction, str], None]
    ) -> None:
        """Does all that is `due` (at most so many, in a lasting order), once each. What stays due after it
        was tried is passed over, and so is what somebody else moved meanwhile."""
        limit, before = BATCH, set[str]()
        while True:
            with transaction(self._app, read_only=True) as tx:
                keys = due(tx, limit)
            done = sum(self._do(key, act) for key in keys if key not in before)
            if len(keys) < limit:
                return
            before, limit = set(keys), BATCH + len(keys) - done  # beyond those that may be there again

    def one(self, key: str, act: Callable[[], None]) -> bool:
        """Does one thing that takes its own transactions; returns whether that went well."""
        try:
            act()
        except Exception as error:  # whatever it is, the others must not wait for it
            self.failures.append(error)
            log.exception("job_item_failed", item=key)
            return False
        return True

    def _do(self, key: str, act: Callable[[Transaction, str], None]) -> bool:
        def in_transaction() -> None:
            try:
                with transaction(self._app) as tx:
                    act(tx, key)
            except Refusal as refusal:
                if refusal.reason != reason_pb2.REASON_WRONG_STATE:
                    raise
                moved.append(key)

        moved: list[str] = []
        return self.one(key, in_transaction) and not moved


@contextmanager
def round_of(app: VouchersApp) -> Iterator[Round]:
    """Gives a round; raises the first failure of it at the end, so that the job counts as failed."""
    found = Round(app)
    yield found
    if found.failures:
        log.error("job_items_failed", count=len(found.failures))
        raise found.failures[0]
