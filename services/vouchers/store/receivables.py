"""Statements of claw-backs: what providers owe back, set-offs against batches, write-offs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    Text,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from services.platform.db.transaction import Transaction
from services.vouchers.domain import creditor_reference
from services.vouchers.domain.voucher import Voucher
from services.vouchers.store import vouchers
from services.vouchers.store.catalogue_tables import courses
from services.vouchers.store.columns import apart
from services.vouchers.store.settlement_tables import (
    payout_batches,
    receivable_payments,
    receivables,
    set_offs,
)
from services.vouchers.store.tables import pots, redemptions

_r = receivables.c
_p = receivable_payments.c
_ENDING = func.right(cast(_r.id, Text), literal_column(str(creditor_reference.LENGTH)))
LEFT = _r.amount_cents - _r.set_off_cents - _r.paid_cents - _r.written_off_cents
_LOCK = text(f"""SELECT r.*, {vouchers.COLUMNS}, v.pot_id, p.name AS pot, b.end_date AS budget_end,
  coalesce((SELECT w.created_at FROM redemptions w WHERE w.id = r.part_of), r.created_at) AS reserved_at
FROM redemptions r JOIN vouchers v ON v.id = r.voucher_id JOIN pots p ON p.id = v.pot_id
JOIN budgets b ON b.id = p.budget_id
WHERE r.id = :id FOR NO KEY UPDATE OF r, v""")  # noqa: S608 - columns of our own
_CHANGE_VOUCHER = text(f"WITH {vouchers.CHANGE} SELECT 1")
_RESERVED = text("""UPDATE receivables r SET reserved_cents = r.reserved_cents + :sign * s.cents,
  version = r.version + 1
FROM set_offs s WHERE s.batch_id = :batch AND s.receivable_id = r.id""")
_SET_OFF = text("""UPDATE receivables r SET reserved_cents = r.reserved_cents - s.cents,
  set_off_cents = r.set_off_cents + s.cents, version = r.version + 1
FROM set_offs s WHERE s.batch_id = :batch AND s.receivable_id = r.id""")


def lock_redemption(tx: Transaction, redemption: str) -> Any:
    """Locks a redemption and its voucher, with the pot it came from, the last day of its budget and when the
    value was reserved; raises Refusal(NOT_FOUND)."""
    return tx.one(_LOCK, {"id": redemption})


def take(tx: Transaction, redemption: str, values: Mapping[str, Any], voucher: Voucher) -> Row[Any]:
    """Writes a claw-back of a locked redemption and its voucher; returns the redemption's row."""
    tx.execute(_CHANGE_VOUCHER, vouchers.changed(voucher))
    statement = (
        update(redemptions)
        .where(redemptions.c.id == redemption)
        .values(**values, version=redemptions.c.version + 1, updated_at=tx.now)
        .returning(redemptions)
    )
    return tx.execute(statement).one()


def give_to_pot(tx: Transaction, pot: str, cents: int) -> None:
    """Makes money available in a locked pot again; book the same."""
    tx.execute(update(pots).where(pots.c.id == pot).values(available_cents=pots.c.available_cents + cents))


def add(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Inserts a receivable."""
    tx.execute(insert(receivables).values(values))


def get(tx: Transaction, receivable: str, *, locked: bool = False) -> Any:
    """Returns a receivable's row; raises Refusal(NOT_FOUND)."""
    statement = select(receivables).where(_r.id == receivable)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def demanded(tx: Transaction, receivable: str) -> Any:
    """Returns a receivable's row with what its demand says beside it: training, rules, and the account that
    the money was paid from (`debtor_…`), None where the bank sent it back; raises Refusal(NOT_FOUND)."""
    spent, batch = redemptions.c, payout_batches.c
    statement = (
        select(receivables, spent.session, spent.programme_id, spent.version_number, courses.c.titles)
        .add_columns(batch.debtor_name, batch.debtor_iban, batch.debtor_bic)
        .join(redemptions, spent.id == _r.redemption_id)
        .outerjoin(courses, courses.c.name == spent.course)
        .outerjoin(payout_batches, (batch.id == spent.batch_id) & (spent.paid_cents > 0))
        .where(_r.id == receivable)
    )
    return tx.one(statement)


def change(tx: Transaction, receivable: str, values: Mapping[str, Any]) -> Row[Any]:
    """Writes a step of a locked receivable; returns the row. The database refuses a checker who is the
    maker."""
    statement = update(receivables).where(_r.id == receivable).values(**values, version=_r.version + 1)
    return tx.execute(statement.returning(receivables)).one()


def voucher_of(tx: Transaction, redemption: str) -> str:
    """Returns the id of the voucher that a redemption spent."""
    found = select(redemptions.c.voucher_id).where(redemptions.c.id == redemption)
    return str(tx.execute(found).scalar_one())


def lock_named(tx: Transaction, references: Iterable[str]) -> dict[str, Row[Any]]:
    """Locks and returns the receivables that creditor references name, by the end of their ids, in order of
    their ids; none where an end is that of several."""
    endings = {creditor_reference.ending(each) for each in references}
    statement = (
        select(receivables, _ENDING.label("ending"))
        .where(_ENDING.in_(endings))
        .order_by(_r.id)
        .with_for_update(key_share=True)
    )
    rows = tx.execute(statement).all() if endings else []
    times = Counter(row.ending for row in rows)
    return {row.ending: row for row in rows if times[row.ending] == 1}


def taken(tx: Transaction, credits_: Iterable[str]) -> set[str]:
    """Returns which of these credits of the bank were taken for payments."""
    found = select(_p.credit).where(_p.credit.in_(list(credits_)), _p.credit != literal_column("''"))
    return set(tx.execute(found).scalars())


def by_bank(tx: Transaction, receivable: str, bank_reference: str) -> Row[Any] | None:
    """Returns the payment of a locked receivable that stands and has this reference of the bank; None for
    none."""
    statement = payments_of(receivable).where(_p.bank_reference == bank_reference, _p.undone_at.is_(None))
    return tx.execute(statement.limit(1)).one_or_none()


def add_payment(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Inserts what a provider paid; book the same."""
    tx.execute(insert(receivable_payments).values(values))


def get_payment(tx: Transaction, receivable: str, payment: str) -> Row[Any]:
    """Returns a payment of a receivable, which is locked; raises Refusal(NOT_FOUND)."""
    return tx.one(payments_of(receivable).where(_p.id == payment))


def undo_payment(tx: Transaction, payment: str) -> None:
    """Notes that a payment was noted wrongly; book the same. The database refuses whoever recorded it."""
    undone = {"undone_by": tx.principal.subject, "undone_at": tx.now}
    tx.execute(update(receivable_payments).where(_p.id == payment).values(undone))


def payments_of(receivable: str) -> Select[Any]:
    """Returns the statement for what a provider paid of a receivable, earliest first."""
    return select(receivable_payments).where(_p.receivable_id == receivable).order_by(_p.id)


def listed(
    tx: Transaction, organisation: str, min_age_days: int, *, settled: bool, sandbox: bool
) -> Select[Any]:
    """Returns the statement for receivables; an empty provider means any, `settled` those with nothing left
    too, `sandbox` those in play money and no others."""
    statement = select(receivables).where(apart(_r.currency, sandbox=sandbox))
    if organisation:
        statement = statement.where(_r.organisation == organisation)
    if min_age_days:
        statement = statement.where(_r.created_at <= tx.now - timedelta(days=min_age_days))
    return statement if settled else statement.where(LEFT > 0)


def lock_open(
    tx: Transaction, organisations: Iterable[str], currency: str
) -> dict[str, list[tuple[str, int]]]:
    """Locks and returns what providers owe back and no batch sets off yet, by provider, oldest first."""
    statement = (
        select(_r.id, _r.organisation, (LEFT - _r.reserved_cents).label("free"))
        .where(
            _r.organisation.in_(list(organisations)), _r.currency == currency, LEFT - _r.reserved_cents > 0
        )
        .order_by(_r.id)
        .with_for_update(key_share=True)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in tx.execute(statement):
        found.setdefault(row.organisation, []).append((str(row.id), row.free))
    return found


def release_set_offs(tx: Transaction, batch: str) -> None:
    """Forgets what a batch was going to set off, because it is frozen anew."""
    tx.execute(_RESERVED, {"batch": batch, "sign": -1})
    tx.execute(delete(set_offs).where(set_offs.c.batch_id == batch))


def reserve_set_offs(tx: Transaction, batch: str, found: Mapping[str, list[tuple[str, int]]]) -> None:
    """Keeps what a frozen batch is going to set off, by provider."""
    rows = [
        {"batch_id": batch, "receivable_id": receivable, "organisation": organisation, "cents": cents}
        for organisation, pairs in found.items()
        for receivable, cents in pairs
    ]
    if rows:
        tx.execute(insert(set_offs), rows)
        tx.execute(_RESERVED, {"batch": batch, "sign": 1})


def set_offs_of(tx: Transaction, batch: str) -> dict[str, list[tuple[str, int]]]:
    """Returns what a batch sets off by provider, oldest first, and locks the receivables."""
    statement = (
        select(set_offs)
        .join(receivables, _r.id == set_offs.c.receivable_id)
        .where(set_offs.c.batch_id == batch)
        .order_by(set_offs.c.receivable_id)
        .with_for_update(key_share=True, of=receivables)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in tx.execute(statement):
        found.setdefault(row.organisation, []).append((str(row.receivable_id), row.cents))
    return found


def settle_set_offs(tx: Transaction, batch: str) -> None:
    """Turns what a batch was going to set off into what is set off; book the same."""
    tx.execute(_SET_OFF, {"batch": batch})
