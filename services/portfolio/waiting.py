"""Files of evidence that wait for a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.seals import SealBrokenError
from services.portfolio.app import PortfolioApp

log = structlog.get_logger("waiting")


def each_waiting(
    app: PortfolioApp,
    find: Callable[[Transaction, str], Sequence[tuple[str, str]]],
    work: Callable[[PortfolioApp, str, str], None],
) -> None:
    """Does `work(app, holder, evidence_id)` with what waits for it, oldest first; one file that cannot be
    opened holds no other up. `find(tx, after)` returns holders and ids of the next files after an id.

    Raises Refusal(UNAVAILABLE) while the store or the key service is away.
    """
    after = ""
    while True:
        with transaction(app, read_only=True) as tx:
            waiting = find(tx, after)
        for holder, evidence_id in waiting:
            try:
                work(app, holder, evidence_id)
            except (Refusal, SealBrokenError) as error:
                if isinstance(error, Refusal) and error.reason == reason_pb2.REASON_UNAVAILABLE:
                    raise
                log.warning("file_put_off", evidence=evidence_id, reason=str(error))
        if not waiting:
            return
        after = waiting[-1][1]
