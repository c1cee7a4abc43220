"""Takes credits of the bank for what providers owe back, by the reference that the payer names.

Locked in this order: receivables by id, chains by number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Row

from services.platform.db.transaction import Transaction
from services.vouchers.clawing_back import free_cents, take_payment, tell_payment
from services.vouchers.co_funding import Moved
from services.vouchers.domain.bank_reports import Outcome, Said, credit_outcome
from services.vouchers.domain.creditor_reference import ending
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.store import receivables


class Credited(NamedTuple):
    """What came of a credit, the receivable that it names, None for none, and what it brought beyond that,
    in cents."""

    outcome: Outcome
    receivable: Row[Any] | None = None
    excess: int = 0


class Credits:
    """The receivables that a file may be about, under lock, and what is to be booked and shared of it."""

    def __init__(self, tx: Transaction, said: Iterable[Said]) -> None:
        self._tx = tx
        naming = [each for each in said if each.creditor]
        self._rows = receivables.lock_named(tx, (each.creditor for each in naming))
        self._taken = receivables.taken(tx, (each.credit for each in naming))
        self.booked: list[tuple[int, Booking]] = []  # for the chain of a number
        self.moved: list[Moved] = []

    def apply(self, said: Said) -> Credited:
        """Pays the receivable that a statement names, as far as it is left."""
        row = self._rows.get(ending(said.creditor))
        if row is None or is_sandbox(row.currency):
            return Credited(Outcome.UNMATCHED)
        free = free_cents(row)
        found = credit_outcome(said, free, row.currency, known=self._known(row, said))
        if found not in (Outcome.APPLIED, Outcome.OVERPAID):
            return Credited(found, row)
        cents = min(said.cents or 0, free)
        excess = (said.cents or 0) - cents
        if cents:
            row = self._pay(row, cents, said)
        tell_payment(self._tx, row, cents, excess)
        return Credited(found, row, excess)

    def _known(self, row: Row[Any], said: Said) -> bool:
        """True for a credit that an earlier file told, or that somebody noted by hand."""
        return said.credit in self._taken or (
            bool(said.bank_reference)
            and (noted := receivables.by_bank(self._tx, row.id, said.bank_reference)) is not None
            and not noted.credit
        )

    def _pay(self, row: Row[Any], cents: int, said: Said) -> Row[Any]:
        written, booking, moved = take_payment(self._tx, row, cents, said.bank_reference, said.credit)
        self._rows[ending(said.creditor)] = written
        self._taken.add(said.credit)
        self.booked.append((row.shard, booking))
        self.moved.append(moved)
        return written
