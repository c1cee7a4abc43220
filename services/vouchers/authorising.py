"""The learner's word on one spend, given by a code where the training is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.api.convert import moment
from services.vouchers.api.redemption_messages import ref
from services.vouchers.app import VouchersApp
from services.vouchers.domain.authorisation import AuthorisationCode, code_hmac, new_code
from services.vouchers.relationships import is_learner
from services.vouchers.store import authorisation_codes, redemptions


def send_code(app: VouchersApp, tx: Transaction, row: Any) -> AuthorisationCode:
    """Makes a new code for a locked redemption and tells the back office; returns what is kept of it.

    Raises Refusal: WRONG_STATE, RESERVATION_EXPIRED, TOO_MANY_ATTEMPTS after the last code.
    """
    redemption = redemptions.redemption_of(row)
    redemption.need_waiting(tx.now)
    code = new_code()
    kept = authorisation_codes.read(tx, redemption.id).renew(
        code_hmac(app.code_key, redemption.id, code), tx.now, redemption.authorise_until
    )
    authorisation_codes.renew(tx, redemption.id, kept)
    event = events_pb2.AuthorisationCodeSent(ref=ref(row), code=code, expire_time=moment(kept.expires_at))
    tx.publish(event)
    return kept


def agree(app: VouchersApp, tx: Transaction, row: Any, code: str) -> None:
    """Sees that the caller may give the learner's word on a locked redemption: the learner, or who has the
    code, which then counts no more.

    Raises Refusal: AUTHORISATION_CODE_INVALID, which is counted unless there was no code; TOO_MANY_ATTEMPTS;
    UNAVAILABLE, for a right code as for a wrong one, when a try cannot be counted.
    """
    redemption = str(row.id)
    if code:
        kept = authorisation_codes.read(tx, redemption)
        _prove(app, kept, redemption, code_hmac(app.code_key, redemption, code), tx.now)
        authorisation_codes.use(tx, redemption)
    elif not is_learner(tx.principal, row.learner):
        authorisation_codes.read(tx, redemption).prove(None, tx.now)


def _prove(
    app: VouchersApp, kept: AuthorisationCode, redemption: str, presented: bytes, now: datetime
) -> None:
    """Looks at a code only once its try is written, and takes that back where it was none of the wrong ones:
    looked at before, a right code would go through where a wrong one costs no try."""
    with authorisation_codes.counting(app.side_engine, redemption) as keep:
        try:
            kept.prove(presented, now)
        except Refusal as refusal:
            if refusal.reason == reason_pb2.REASON_AUTHORISATION_CODE_INVALID:
                keep()
            raise
