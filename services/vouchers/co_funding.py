"""Who bears a payment: written with the payment, in its transaction. Shared by payouts, returns and
what providers pay back.

Locked after the chains: what has been paid of each voucher, in order of the vouchers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.co_funding import part, shares_of
from services.vouchers.store import names, payment_shares


class Movement(IntEnum):
    """Which way money went; the same numbers as `PaymentShare.Movement` in the contract."""

    PAYOUT = 1
    RETURN = 2
    RECOVERY = 3


@dataclass(frozen=True)
class Moved:
    """`cents` that the programme paid for a redemption, less than zero what came back. Ids of the ledger's
    transaction, the redemption, its voucher and the batch,
    None without one."""

    transaction: str
    movement: Movement
    redemption: str
    voucher: str
    batch: str | None
    cents: int


def recovered(tx: Transaction, batch: str, set_off: Sequence[tuple[str, str, int]]) -> list[Moved]:
    """Returns what payouts recovered by setting off: (transaction, receivable, cents) each."""
    whose = payment_shares.recovered_for(tx, {receivable for _, receivable, _ in set_off}) if set_off else {}
    sums: defaultdict[tuple[str, tuple[str, str]], int] = defaultdict(int)
    for transaction, receivable, cents in set_off:
        sums[transaction, whose[receivable]] += cents  # several receivables may be of one redemption
    return [
        Moved(transaction, Movement.RECOVERY, redemption, voucher, batch, -cents)
        for (transaction, (redemption, voucher)), cents in sums.items()
    ]


def share(tx: Transaction, moved: Sequence[Moved]) -> None:
    """Writes what each source bears of each of these, in this order; hold the chains they were booked in.
    Nobody bears the sandbox."""
    bearers = payment_shares.bearers(tx, {each.voucher for each in moved}) if moved else {}
    borne = [each for each in moved if each.voucher in bearers]
    sums: defaultdict[str, int] = defaultdict(int)
    for each in borne:
        sums[each.voucher] += each.cents
    if not sums:
        return
    paid = payment_shares.add_up(tx, sums)
    rows = []
    for each in borne:
        bearer, before = bearers[each.voucher], paid[each.voucher]
        paid[each.voucher] = before + each.cents
        parts = part(shares_of(bearer.co_funding, bearer.pot_source), before, each.cents)
        rows += [
            {
                "id": new_id(),
                "transaction": each.transaction,
                "movement": int(each.movement),
                "redemption_id": each.redemption,
                "voucher_id": each.voucher,
                "programme_id": bearer.programme_id,
                "version_number": bearer.version_number,
                "batch_id": each.batch,
                "funding_source_id": names.last(source),
                "cents": cents,
                "currency": bearer.currency,
                "created_at": tx.now,
            }
            for source, cents in parts.items()
            if cents
        ]
    payment_shares.add(tx, rows)
