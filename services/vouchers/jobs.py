"""What happens without anybody calling: time limits, release of held money, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.service import Job
from services.vouchers.app import VouchersApp
from services.vouchers.domain.ledger import checkpoint_text
from services.vouchers.domain.states import EndReason, VoucherState
from services.vouchers.ending import end_voucher, sweep_voucher
from services.vouchers.releasing import release_reservation
from services.vouchers.settlement import AT_ONCE, release_due
from services.vouchers.store import evidence, ledger, redemptions, vouchers, webhooks

BATCH = 200


def expire_reservations(app: VouchersApp) -> None:
    """Ends reservations that nobody authorised in time."""
    _each(app, redemptions.timed_out, _expire_reservation)


def expire_vouchers(app: VouchersApp) -> None:
    """Ends vouchers past their validity, and returns what late releases left on ended ones."""
    _each(app, vouchers.due_to_expire, lambda tx, key: end_voucher(tx, key, VoucherState.EXPIRED))
    _each(app, vouchers.leftovers, sweep_voucher)


def release_held(app: VouchersApp) -> None:
    """Clears money whose hold delay has passed and that no hold stops."""
    released = AT_ONCE
    while released == AT_ONCE:
        with transaction(app) as tx:
            released = release_due(tx)


def checkpoint(app: VouchersApp) -> None:
    """Signs how far each chain has come since its last checkpoint."""
    key = app.checkpoint_key
    with transaction(app) as tx:
        signed_at = tx.now.replace(microsecond=0)
        last = ledger.last_checkpoints(tx)
        rows = [
            {
                "shard": head.shard,
                "sequence": head.sequence,
                "hash": head.hash,
                "key_id": key.id,
                "signature": key.private.sign(
                    checkpoint_text(head.shard, head.sequence, head.hash, signed_at)
                ),
                "created_at": signed_at,
            }
            for head in ledger.heads(tx).values()
            if head.sequence > last.get(head.shard, 0)
        ]
        ledger.add_checkpoints(tx, rows)


def sweep_evidence(app: VouchersApp) -> None:
    """Deletes uploaded bytes that no evidence row knows."""

    def known(keys: Sequence[str]) -> set[str]:
        with transaction(app, read_only=True) as tx:
            return evidence.known_keys(tx, keys)

    app.objects.sweep(evidence.BUCKET, known, timedelta(days=1))


def deliver_webhooks(app: VouchersApp) -> None:
    """Starts what is due to back offices; threads of their own wait for the answers and go on."""
    app.webhooks.round()


def forget_webhooks(app: VouchersApp) -> None:
    """Deletes old deliveries that came to an end."""
    deleted = BATCH
    while deleted == BATCH:
        with transaction(app) as tx:
            deleted = webhooks.forget(tx, timedelta(days=30), BATCH)


def _expire_reservation(tx: Transaction, redemption: str) -> None:
    row = redemptions.lock_with_money(tx, redemption)
    after = redemptions.redemption_of(row).expire(tx.now)
    release_reservation(tx, row, after, EndReason.TIME_LIMIT)


def _each(
    app: VouchersApp,
    due: Callable[[Transaction, int], list[str]],
    act: Callable[[Transaction, str], None],
) -> None:
    """Does each due thing in a transaction of its own; what somebody else moved meanwhile is passed over."""
    while True:
        with transaction(app, read_only=True) as tx:
            keys = due(tx, BATCH)
        for key in keys:
            try:
                with transaction(app) as tx:
                    act(tx, key)
            except Refusal as refusal:
                if refusal.reason != reason_pb2.REASON_WRONG_STATE:
                    raise
        if len(keys) < BATCH:
            return


JOBS = (
    Job("expire-reservations", timedelta(seconds=30), expire_reservations),
    Job("expire-vouchers", timedelta(minutes=10), expire_vouchers),
    Job("release-held", timedelta(minutes=1), release_held),
    Job("ledger-checkpoint", timedelta(minutes=5), checkpoint),
    Job("deliver-webhooks", timedelta(seconds=2), deliver_webhooks),
    Job("forget-webhooks", timedelta(hours=6), forget_webhooks),
    Job("sweep-evidence", timedelta(hours=6), sweep_evidence),
)
