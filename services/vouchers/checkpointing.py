"""Signs how far the chains of the ledger have come: one round for all of them, and one event."""

from __future__ import annotations

from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction, transaction
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.rounds import START, Round, marks_of
from services.vouchers.store import ledger, rounds


def checkpoint(app: VouchersApp) -> None:
    """Makes a round when something has moved since the last one, and tells of it."""
    key = app.checkpoint_key
    with transaction(app) as tx:
        made = _due(tx)
        if made:
            signature = key.private.sign(made.text)
            rounds.add(tx, made, key.id, signature)
            tx.publish(_event(made, key.id, signature))


def _due(tx: Transaction) -> Round | None:
    last = rounds.last(tx)
    number = last.number + 1 if last else 1
    known = rounds.places(tx, last.number) if last else {}
    marks = marks_of(ledger.heads(tx).values(), known, number)
    previous = last.digest if last else START
    return Round(number, previous, marks, tx.now.replace(microsecond=0)) if marks else None


def _event(made: Round, key_id: str, signature: bytes) -> events_pb2.LedgerCheckpointed:
    return events_pb2.LedgerCheckpointed(
        round=f"ledger/rounds/{made.number}",
        number=made.number,
        previous=made.previous.hex(),
        marks_digest=made.marks_digest.hex(),
        digest=made.digest.hex(),
        key_id=key_id,
        signature=signature,
        create_time=moment(made.moment),
    )
