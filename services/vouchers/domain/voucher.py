"""A voucher: what it holds, and how it ends. Cents; limits are judged by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.vouchers.domain.states import VoucherState, need

SECOND_TRY = timedelta(days=14)  # at least, to choose again
LIVE = (VoucherState.ISSUED, VoucherState.ACTIVE, VoucherState.PARTLY_USED)


@dataclass(frozen=True)
class Voucher:
    """value = available + reserved + spent + returned, always."""

    id: str
    state: VoucherState
    value: int
    available: int
    reserved: int
    spent: int
    returned: int
    order_until: datetime
    expires: datetime

    def reserve(self, cents: int, now: datetime, *, rebooked: bool = False) -> Voucher:
        """Sets `cents` aside. `rebooked`: in place of a reservation that was made in time, so limits do not
        count. Raises Refusal: VOUCHER_EXPIRED past a limit or once ended, VOUCHER_SPENT for more than is
        there, WRONG_STATE when it was cancelled or revoked."""
        over = self.state is VoucherState.EXPIRED or now >= min(self.order_until, self.expires)
        if over and not rebooked:
            raise Refusal(reason_pb2.REASON_VOUCHER_EXPIRED)
        if self.state is VoucherState.EXHAUSTED or cents > self.available or cents <= 0:
            raise Refusal(reason_pb2.REASON_VOUCHER_SPENT)
        need(self.state, (*LIVE, VoucherState.EXPIRED) if rebooked else LIVE)
        return self._moved(available=-cents, reserved=cents)

    def spend(self, reserved: int, accepted: int) -> Voucher:
        """Turns a reservation into spending; the rest is available again."""
        return self._moved(available=reserved - accepted, reserved=-reserved, spent=accepted)

    def unspend(self, cents: int, *, restore: bool) -> Voucher:
        """Takes spending back: it is available again (`restore`), or returned to the pot."""
        if restore:
            return self._moved(available=cents, spent=-cents)
        return replace(self, spent=self.spent - cents, returned=self.returned + cents)

    def unreserve(self, cents: int) -> Voucher:
        """Ends a reservation without payment."""
        return self._moved(available=cents, reserved=-cents)

    def end(self, state: VoucherState) -> Voucher:
        """Ends it as EXPIRED, CANCELLED or REVOKED: what is available goes back.

        What is reserved stays so until its redemption is resolved; what that leaves is available on an ended
        voucher and goes back by `sweep`. Raises Refusal(WRONG_STATE) once ended.
        """
        need(self.state, LIVE)
        return replace(self, state=state, available=0, returned=self.returned + self.available)

    def extend(self, until: datetime) -> Voucher:
        """Lets it be valid until `until`; the limit to reserve moves by as much. Raises Refusal: WRONG_STATE
        once it is used up or ended, INVALID_ARGUMENT for a moment that is not later than the end of now."""
        need(self.state, LIVE)
        if until <= self.expires:
            violation = Violation("expire_time", f"must be later than {self.expires:%Y-%m-%dT%H:%M:%SZ}")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        return replace(self, expires=until, order_until=self.order_until + (until - self.expires))

    def reopen(self, now: datetime, reserved: datetime, most: datetime | None) -> Voucher:
        """Lets what became available again be spent, where a limit has passed since it was set aside at
        `reserved`: from `now` for as long as was left then, for SECOND_TRY at least, and never beyond `most`.
        Itself when no limit has passed, when it was cancelled or revoked, or when `most` has passed too."""
        limit = min(self.order_until, self.expires)
        if self.state not in (*LIVE, VoucherState.EXPIRED) or now < limit:
            return self
        expires = max(self.expires, now + max(self.expires - reserved, SECOND_TRY))
        expires = min(expires, most) if most else expires
        order_until = min(expires, now + max(self.order_until - reserved, SECOND_TRY))
        if order_until <= now:
            return self
        state = state_of(self.available, self.reserved, self.spent)
        return replace(self, state=state, order_until=order_until, expires=expires)

    def sweep(self) -> Voucher:
        """Gives back what is available on a voucher that has ended early."""
        return replace(self, available=0, returned=self.returned + self.available)

    def spend_until(self, now: datetime) -> datetime | None:
        """Returns until when it can be reserved, None when it cannot be any more."""
        limit = min(self.order_until, self.expires)
        return limit if self.state in LIVE and now < limit else None

    @property
    def ended_early(self) -> bool:
        """True when it ended by anything but use: what becomes available again goes back to the pot."""
        return self.state.ended and self.state is not VoucherState.EXHAUSTED

    def _moved(self, *, available: int = 0, reserved: int = 0, spent: int = 0) -> Voucher:
        """Returns it with so much more of each, in the state that its amounts then say."""
        amounts = self.available + available, self.reserved + reserved, self.spent + spent
        state = self.state if self.ended_early else state_of(*amounts)
        return Voucher(self.id, state, self.value, *amounts, self.returned, self.order_until, self.expires)


def state_of(available: int, reserved: int, spent: int) -> VoucherState:
    """Returns the state that amounts say, in cents, of a voucher that nobody ended."""
    if available == 0 and reserved == 0 and spent > 0:
        return VoucherState.EXHAUSTED
    if spent:
        return VoucherState.PARTLY_USED
    return VoucherState.ACTIVE if reserved else VoucherState.ISSUED
