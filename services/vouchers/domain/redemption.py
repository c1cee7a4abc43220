"""A redemption: RESERVED → AUTHORISED → STARTED → DELIVERED → ACCEPTED, and its ways out.

Cents. Deadlines are judged by `now`, the database's clock, whether or not the expiry job has come by yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.states import RedemptionState, need

State = RedemptionState
OPEN = (State.RESERVED, State.AUTHORISED, State.STARTED, State.DELIVERED)


@dataclass(frozen=True)
class Redemption:
    """`amount` is reserved; `accepted` is zero until acceptance."""

    id: str
    state: RedemptionState
    amount: int
    accepted: int
    authorise_until: datetime

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

    def start(self) -> Redemption:
        """The training started. Raises Refusal(WRONG_STATE) unless authorised."""
        need(self.state, (State.AUTHORISED,))
        return replace(self, state=State.STARTED)

    def deliver(self, evidence: int, needed: int) -> Redemption:
        """The training took place. `evidence`: pieces that count. Raises Refusal: WRONG_STATE,
        EVIDENCE_MISSING below `needed`."""
        need(self.state, (State.STARTED,))
        if evidence < needed:
            raise Refusal(reason_pb2.REASON_EVIDENCE_MISSING, metadata={"needed": str(needed)})
        return replace(self, state=State.DELIVERED)

    def accept(self, cents: int) -> Redemption:
        """`cents` become the provider's. Raises Refusal: WRONG_STATE, AMOUNT_TOO_HIGH over the reserved."""
        need(self.state, (State.DELIVERED,))
        if not 0 < cents <= self.amount:
            raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(self.amount)})
        return replace(self, state=State.ACCEPTED, accepted=cents)

    def reject(self) -> Redemption:
        """The delivery is refused. Raises Refusal(WRONG_STATE) unless delivered."""
        need(self.state, (State.DELIVERED,))
        return replace(self, state=State.REJECTED)

    def void(self) -> Redemption:
        """Ended before delivery. Raises Refusal(WRONG_STATE) later than that."""
        need(self.state, (State.RESERVED, State.AUTHORISED, State.STARTED))
        return replace(self, state=State.VOIDED)

    def expire(self, now: datetime) -> Redemption:
        """Nobody authorised it in time. Raises Refusal(WRONG_STATE) while it may still be."""
        need(self.state, (State.RESERVED,))
        if now < self.authorise_until:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": self.state.name})
        return replace(self, state=State.EXPIRED)
