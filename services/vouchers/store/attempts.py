"""Wrong codes are counted although the call itself fails; those of vouchers by caller, whose budget slows
guessing down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from waymark.errors.v1 import reason_pb2

from services.platform.db.faults import RETRY
from services.platform.db.transaction import Transaction, begin
from services.platform.db.wire import Call, named
from services.platform.errors import Refusal

WINDOW = timedelta(hours=1)
BUDGET = 10  # wrong codes of one caller in a window
_COUNT = named(
    "count_wrong_code",
    """INSERT INTO code_attempts (subject, window_start, failures) VALUES (:subject, now(), 1)
ON CONFLICT (subject) DO UPDATE SET
  failures = CASE WHEN code_attempts.window_start < now() - CAST(:window AS interval) THEN 1
    ELSE code_attempts.failures + 1 END,
  window_start = CASE WHEN code_attempts.window_start < now() - CAST(:window AS interval) THEN now()
    ELSE code_attempts.window_start END""",
)
_READ = text("""SELECT failures, window_start + CAST(:window AS interval) - now() AS wait
FROM code_attempts WHERE subject = :subject AND window_start >= now() - CAST(:window AS interval)""")


def check(tx: Transaction, caller: str, *, budget: int = BUDGET) -> None:
    """Raises Refusal(TOO_MANY_ATTEMPTS) when the caller has used up the budget of wrong codes."""
    row = tx.execute(_READ, {"subject": caller, "window": WINDOW}).one_or_none()
    if row is not None and row.failures >= budget:
        raise Refusal(reason_pb2.REASON_TOO_MANY_ATTEMPTS, retry_after=row.wait)


def count(engine: Engine, caller: str) -> None:
    """Counts a wrong code in a transaction of its own, because the caller's is about to roll back. Raises
    Refusal(UNAVAILABLE) when it cannot: what is not counted is not answered."""
    with counting(engine, _COUNT(subject=caller, window=str(WINDOW))) as keep:
        keep()


@contextmanager
def counting(engine: Engine, count: Call) -> Iterator[Callable[[], None]]:
    """Counts a try by a call in a transaction of its own, which the body keeps by calling what it is given;
    otherwise nothing is counted.

    `engine`: another pool than the caller's, or a full pool would wait for itself. Raises
    Refusal(UNAVAILABLE), whatever the body does, when it cannot be counted.
    """
    try:
        with begin(engine, [count]).connection as connection:
            yield connection.commit
    except SQLAlchemyError:
        raise Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=RETRY) from None
