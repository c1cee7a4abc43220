"""The sandbox: programmes that providers test on, told apart by their currency, which is none.

ISO 4217 reserves XTS for testing. Batches, chains of the ledger, statements and set-offs are each of one
currency, so sandbox amounts cannot get among real ones there; the rest of the service asks here.
"""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

CURRENCY = "XTS"
LEARNER = "learners/sandbox-"  # how the names of made-up learners begin
DAILY = 100  # vouchers of one provider in a day


def is_sandbox(currency: str) -> bool:
    """True for amounts that are no money."""
    return currency == CURRENCY


def keep_apart(currency: str, *, sandbox: bool = False) -> None:
    """Raises Refusal(SANDBOX_APART) when something in `currency` meets what is for sandbox or real money
    only."""
    found = is_sandbox(currency)
    if found != sandbox:
        raise Refusal(reason_pb2.REASON_SANDBOX_APART, metadata={"sandbox": str(found).lower()})
