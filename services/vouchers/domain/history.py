"""What happened to a voucher: movements of its money and changes without one, told in one order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from services.vouchers.domain.states import VoucherState
from services.vouchers.domain.voucher import state_of


class Kind(IntEnum):
    """What happened, with the same numbers as `VoucherHistoryItem.Kind` in the contract."""

    ISSUED = 1
    RESERVED = 2
    VOIDED = 3
    TIMED_OUT = 4
    REJECTED = 5
    ACCEPTED = 6
    CLAWED_BACK = 7
    EXPIRED = 8
    CANCELLED = 9
    REVOKED = 10
    CODE_ISSUED = 11
    REISSUED = 12
    EXTENSION_PROPOSED = 13
    EXTENDED = 14


# Operations of the ledger.
OF_OPERATION = {
    "issue": Kind.ISSUED,
    "reserve": Kind.RESERVED,
    "void": Kind.VOIDED,
    "timeout": Kind.TIMED_OUT,
    "reject": Kind.REJECTED,
    "accept": Kind.ACCEPTED,
    "clawback": Kind.CLAWED_BACK,
    "expiry": Kind.EXPIRED,
    "cancel": Kind.CANCELLED,
    "revoke": Kind.REVOKED,
}
ENDS = {
    Kind.EXPIRED: VoucherState.EXPIRED,
    Kind.CANCELLED: VoucherState.CANCELLED,
    Kind.REVOKED: VoucherState.REVOKED,
}
ENDED_AS = {state: kind for kind, state in ENDS.items()}
_MONEY = frozenset({Kind.ISSUED, Kind.RESERVED, Kind.VOIDED, Kind.TIMED_OUT, Kind.REJECTED, Kind.ACCEPTED})


@dataclass(frozen=True)
class Happening:
    """One thing that happened, as ledger or changes have it. Changes in cents; `returned`: clawed back to the
    programme instead of to the voucher."""

    kind: Kind
    at: datetime
    available: int = 0
    reserved: int = 0
    returned: int = 0
    redemption: str = ""
    reason: int = 0
    expires: datetime | None = None


@dataclass(frozen=True)
class Item:
    """A happening with state and amounts after it."""

    happening: Happening
    state: VoucherState
    available: int
    reserved: int


def told(happenings: Iterable[Happening]) -> list[Item]:
    """Returns each happening with what the voucher was after it; they come in the order of the ledger."""
    items: list[Item] = []
    state, available, reserved, spent = VoucherState.ISSUED, 0, 0, 0
    for each in happenings:
        available += each.available
        reserved += each.reserved
        if each.kind in (Kind.ACCEPTED, Kind.CLAWED_BACK):
            spent -= each.available + each.reserved + each.returned
        if each.kind in ENDS:
            state = ENDS[each.kind]
        elif _reopens(each, state) or (
            state not in ENDS.values() and (each.kind in _MONEY or _restores(each))
        ):
            state = state_of(available, reserved, spent)
        items.append(Item(each, state, available, reserved))
    return items


def _reopens(each: Happening, state: VoucherState) -> bool:
    """True where one that had expired can be spent again, with what was taken back."""
    return each.kind is Kind.EXTENDED and state is VoucherState.EXPIRED


def _restores(each: Happening) -> bool:
    """True for a claw-back that gives the voucher its value back; any other leaves its state alone."""
    return each.kind is Kind.CLAWED_BACK and each.returned == 0
