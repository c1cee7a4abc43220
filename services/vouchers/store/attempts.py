"""Wrong codes are counted although the call itself fails; those of vouchers by caller and address, whose
budgets slow guessing down."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from waymark.errors.v1 import reason_pb2

from services.platform.db.faults import RETRY
from services.platform.db.transaction import Transaction, begin
from services.platform.db.wire import Call, named
from services.platform.errors import Refusal
from services.platform.identity.networks import network_of
from services.platform.identity.principals import Principal

WINDOW = timedelta(hours=1)
BUDGET = 10  # wrong codes of one caller in a window
# And of one address, which may be that of a portal or of an office that many callers share.
ADDRESS_BUDGET = 20 * BUDGET
_COUNT = named(
    "count_wrong_code",
    """INSERT INTO code_attempts (subject, window_start, failures)
SELECT unnest(CAST(:subjects AS text[])), now(), 1
ON CONFLICT (subject) DO UPDATE SET
  failures = CASE WHEN code_attempts.window_start < now() - CAST(:window AS interval) THEN 1
    ELSE code_attempts.failures + 1 END,
  window_start = CASE WHEN code_attempts.window_start < now() - CAST(:window AS interval) THEN now()
    ELSE code_attempts.window_start END""",
)
_READ = text("""SELECT subject, failures, window_start + CAST(:window AS interval) - now() AS wait
FROM code_attempts
WHERE subject = ANY (:subjects) AND window_start >= now() - CAST(:window AS interval)""")
_FORGET = text("DELETE FROM code_attempts WHERE window_start < now() - CAST(:window AS interval)")


def budgets(key: bytes, caller: Principal) -> dict[str, int]:
    """Returns what wrong codes of a caller are counted by, with how many each may be: who they are, and a
    digest under `key` of their address."""
    found, network = {caller.subject: BUDGET}, network_of(caller.address)
    if network:
        found["address:" + hmac.digest(key, network.encode(), "sha256").hex()] = ADDRESS_BUDGET
    return found


def check(tx: Transaction, counted: Mapping[str, int]) -> None:
    """Raises Refusal(TOO_MANY_ATTEMPTS) when one of `budgets` is used up."""
    for row in tx.execute(_READ, {"subjects": list(counted), "window": WINDOW}):
        if row.failures >= counted[row.subject]:
            raise Refusal(reason_pb2.REASON_TOO_MANY_ATTEMPTS, retry_after=row.wait)


def count(engine: Engine, counted: Mapping[str, int]) -> None:
    """Counts a wrong code in a transaction of its own, because the caller's is about to roll back. Raises
    Refusal(UNAVAILABLE) when it cannot: what is not counted is not answered."""
    # In one order, so that two who count never wait for each other in a ring.
    with counting(engine, _COUNT(subjects=sorted(counted), window=str(WINDOW))) as keep:
        keep()


def forget(tx: Transaction) -> None:
    """Deletes counts whose window is over."""
    tx.execute(_FORGET, {"window": WINDOW})


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
