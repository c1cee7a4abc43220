"""May this refusal be appealed against, today? Once, in time, and where the rules foresee it."""

from __future__ import annotations

from datetime import date

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.states import ApplicationState, need


def check_appeal(state: ApplicationState, until: date | None, today: date, *, appealed: bool) -> None:
    """Raises Refusal: APPEALED_BEFORE, WRONG_STATE, APPEAL_NOT_FORESEEN, APPEAL_TOO_LATE with the last day.

    `until`: last day (inclusive), None when the rules foresee none; `appealed`: there was an appeal.
    """
    if appealed:
        raise Refusal(reason_pb2.REASON_APPEALED_BEFORE)
    need(state, (ApplicationState.REFUSED,))
    if until is None:
        raise Refusal(reason_pb2.REASON_APPEAL_NOT_FORESEEN)
    if today > until:
        raise Refusal(reason_pb2.REASON_APPEAL_TOO_LATE, metadata={"last_day": until.isoformat()})
