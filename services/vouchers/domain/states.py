"""States of vouchers and redemptions, with the same numbers as in the contract."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


class ApplicationState(IntEnum):
    """Where an application stands."""

    SUBMITTED = 1
    GRANTED = 2
    REFUSED = 3
    WITHDRAWN = 4
    APPEALED = 5
    IN_DRAW = 52


class InquiryState(IntEnum):
    """Where a question to an applicant stands."""

    OPEN = 1
    ANSWERED = 2
    WITHDRAWN = 3


class VoucherState(IntEnum):
    """Where a voucher stands."""

    ISSUED = 1
    ACTIVE = 2
    PARTLY_USED = 3
    EXHAUSTED = 4
    EXPIRED = 5
    CANCELLED = 6
    REVOKED = 7

    @property
    def ended(self) -> bool:
        """True when nothing can be reserved on it any more."""
        return self >= VoucherState.EXHAUSTED


class RedemptionState(IntEnum):
    """Where a redemption stands."""

    RESERVED = 1
    AUTHORISED = 2
    STARTED = 3
    DELIVERED = 4
    ACCEPTED = 5
    SETTLING = 6
    PAID = 7
    VOIDED = 8
    EXPIRED = 9
    REJECTED = 10
    CLAWED_BACK = 11


class EndReason(IntEnum):
    """Why a redemption ended without payment, where the service itself has to say it."""

    TIME_LIMIT = 1
    NOT_ATTENDED = 5
    OTHER = 9


class BatchState(IntEnum):
    """Where a payout batch stands."""

    OPEN = 1
    FROZEN = 2
    APPROVED = 3
    SENT = 4
    CONFIRMED = 5
    RETURNED = 6
    CANCELLED = 7


class BatchKind(IntEnum):
    """What a payout batch pays."""

    REDEMPTIONS = 1
    PAYABLES = 2


class BankAccountState(IntEnum):
    """Where a bank account stands."""

    PROPOSED = 1
    CONFIRMED = 2
    WITHDRAWN = 3


def need(state: IntEnum, allowed: Collection[IntEnum]) -> None:
    """Raises Refusal(WRONG_STATE), naming both, unless `state` is one of `allowed`."""
    if state not in allowed:
        needed = ", ".join(option.name for option in allowed)
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state.name, "needed": needed})


def need_to_undo(*, undone_by: str, recorded_by: str, person: str) -> None:
    """Raises unless `person` may undo a payment that came in and was noted wrongly: Refusal(WRONG_STATE) when
    that was done before, SAME_PERSON for whoever noted it."""
    if undone_by:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "UNDONE", "needed": "RECORDED"})
    if recorded_by == person:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
