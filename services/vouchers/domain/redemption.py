"""A redemption: RESERVED → AUTHORISED → STARTED → DELIVERED → ACCEPTED, and its ways out.

Cents. Deadlines are judged by `now`, the database's clock, whether or not the expiry job has come by yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from waymark.errors.v1 import reason_pb2

from services.platform.days import EARLIEST, day_in, day_of
from services.platform.errors import Refusal
from services.vouchers.domain.states import RedemptionState, need

State = RedemptionState
NOT_STARTED = (State.RESERVED, State.AUTHORISED)
UNDER_WAY = (*NOT_STARTED, State.STARTED)
OPEN = (*UNDER_WAY, State.DELIVERED)


@dataclass(frozen=True)
class Redemption:
    """`amount` is reserved; `accepted` is zero until acceptance. `no_show`: when it was reported that the
    learner was not there. `instalment`: which one it is, or was the last that became a part of its own;
    `taken`: what such parts took out of the amount."""

    id: str
    state: RedemptionState
    amount: int
    accepted: int
    authorise_until: datetime
    no_show: datetime | None = None
    instalment: int = 0
    taken: int = 0

    @property
    def whole(self) -> int:
        """What was reserved at first."""
        return self.amount + self.taken

    def need_waiting(self, now: datetime) -> None:
        """Raises Refusal unless it waits for the learner's word: RESERVATION_EXPIRED past the limit, else
        WRONG_STATE."""
        if self.state is State.EXPIRED or (self.state is State.RESERVED and now >= self.authorise_until):
            raise Refusal(reason_pb2.REASON_RESERVATION_EXPIRED)
        need(self.state, (State.RESERVED,))

    def authorise(self, now: datetime) -> Redemption:
        """The learner agrees. Raises Refusal as `need_waiting` does."""
        self.need_waiting(now)
        return replace(self, state=State.AUTHORISED)

    def start(self, now: datetime, first_day: date | None) -> Redemption:
        """The training started. `first_day`: of the session, which counts from when it begins anywhere on
        earth; None when it is not known or not to be waited for. Raises Refusal: WRONG_STATE unless
        authorised, SESSION_NOT_STARTED before that day."""
        need(self.state, (State.AUTHORISED,))
        if first_day is not None and day_in(now, EARLIEST) < first_day:
            metadata = {"first_day": first_day.isoformat()}
            raise Refusal(reason_pb2.REASON_SESSION_NOT_STARTED, metadata=metadata)
        return replace(self, state=State.STARTED)

    def deliver(self, evidence: int, needed: int) -> Redemption:
        """The training took place. `evidence`: pieces that count. Raises Refusal: WRONG_STATE,
        EVIDENCE_MISSING below `needed`."""
        need(self.state, (State.STARTED,))
        if evidence < needed:
            raise Refusal(reason_pb2.REASON_EVIDENCE_MISSING, metadata={"needed": str(needed)})
        return replace(self, state=State.DELIVERED)

    def miss(self, now: datetime, first_day: date | None, fee: int) -> Redemption:
        """The learner was not there: it ends VOIDED, or is DELIVERED when there is a `fee` to accept.
        `first_day`: of the session, None when it is not known. Raises Refusal: WRONG_STATE,
        NO_SHOW_TOO_EARLY."""
        need(self.state, (State.AUTHORISED, State.STARTED))
        if first_day is not None and day_of(now) < first_day:
            metadata = {"first_day": first_day.isoformat()}
            raise Refusal(reason_pb2.REASON_NO_SHOW_TOO_EARLY, metadata=metadata)
        return replace(self, state=State.DELIVERED if fee else State.VOIDED, no_show=now)

    def accept(self, cents: int, limit: int) -> Redemption:
        """`cents`, or all of the `limit` for 0, become the provider's. Raises Refusal: WRONG_STATE,
        AMOUNT_TOO_HIGH over the limit."""
        need(self.state, (State.DELIVERED,))
        cents = cents or limit
        if not 0 < cents <= limit:
            raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(limit)})
        return replace(self, state=State.ACCEPTED, accepted=cents)

    def accept_part(self, part: str, cents: int, limit: int) -> tuple[Redemption, Redemption]:
        """An instalment of `limit` cents is accepted with `cents`, and more follow: returns the redemption
        without it, started again, and the new `part`. Raises as `accept`."""
        accepted, number = self.accept(cents, limit), self.instalment + 1
        left = replace(
            self,
            state=State.STARTED,
            amount=self.amount - limit,
            taken=self.taken + limit,
            instalment=number,
        )
        return left, replace(accepted, id=part, amount=limit, taken=0, instalment=number)

    def send_back(self) -> Redemption:
        """The delivery is to be mended. Raises Refusal(WRONG_STATE): also a no-show is no delivery."""
        need(self.state, (State.DELIVERED,))
        if self.no_show is not None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "NO_SHOW", "needed": "DELIVERED"})
        return replace(self, state=State.STARTED)

    def reject(self) -> Redemption:
        """The delivery is refused. Raises Refusal(WRONG_STATE) unless delivered."""
        need(self.state, (State.DELIVERED,))
        return replace(self, state=State.REJECTED)

    def void(self, *, by_learner: bool = False) -> Redemption:
        """Ended before delivery, `by_learner` alone before the start: else somebody could attend, and leave
        the provider with nothing. Raises Refusal(WRONG_STATE) later than that."""
        need(self.state, NOT_STARTED if by_learner else UNDER_WAY)
        return replace(self, state=State.VOIDED)

    def expire(self, now: datetime) -> Redemption:
        """Nobody authorised it in time. Raises Refusal(WRONG_STATE) while it may still be."""
        need(self.state, (State.RESERVED,))
        if now < self.authorise_until:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": self.state.name})
        return replace(self, state=State.EXPIRED)


def need_whole(part_of: object) -> None:
    """Raises Refusal(REDEMPTION_IS_PART) for an instalment, which is `part_of` a redemption (its id)."""
    if part_of is not None:
        metadata = {"redemption": f"redemptions/{part_of}"}
        raise Refusal(reason_pb2.REASON_REDEMPTION_IS_PART, metadata=metadata)
