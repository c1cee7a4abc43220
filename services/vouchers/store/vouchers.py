"""Statements of vouchers."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Row, Select, select, text, update

from services.platform.db.copying import inserting
from services.platform.db.transaction import Transaction
from services.platform.db.wire import named
from services.vouchers.domain.ledger import Booking, Head
from services.vouchers.domain.states import VoucherState
from services.vouchers.domain.voucher import Voucher
from services.vouchers.store import ledger
from services.vouchers.store.tables import vouchers

# What the domain needs of a locked voucher; the same names wherever a statement joins one.
COLUMNS = """v.state AS voucher_state, v.value_cents, v.available_cents, v.reserved_cents,
  v.spent_cents, v.returned_cents, v.order_until, v.expires_at"""
IDENTITY = "v.id AS voucher_id, v.shard, v.currency"
# Writes the amounts of a voucher; part of every statement that moves its money.
CHANGE = """voucher AS (
  UPDATE vouchers SET state = :voucher_state, available_cents = :available, reserved_cents = :reserved,
    spent_cents = :spent, returned_cents = :returned, version = version + 1
  WHERE id = :voucher_id
)"""
_NEW = """id, learner, programme_id, version_number, application_id, course, pot_id, shard, currency,
  cover_percent, state, value_cents, available_cents, order_until, expires_at, created_at"""
adding = inserting("voucher_add_many", vouchers, re.findall(r"\w+", _NEW))
_VALUES = re.sub(r"(\w+)", r":\1", _NEW)
_ADD = named("voucher_add", f"INSERT INTO vouchers ({_NEW}) VALUES ({_VALUES})")  # noqa: S608 - our own columns
_END = text(f"""WITH {CHANGE}, pot AS (
  UPDATE pots SET available_cents = available_cents + :back WHERE id = :pot_id
), {ledger.TAIL}""")  # noqa: S608 - parts of our own


def voucher_of(row: Row[Any]) -> Voucher:
    """Returns the voucher of a row made with COLUMNS."""
    return Voucher(
        id=str(row.voucher_id),
        state=VoucherState(row.voucher_state),
        value=row.value_cents,
        available=row.available_cents,
        reserved=row.reserved_cents,
        spent=row.spent_cents,
        returned=row.returned_cents,
        order_until=row.order_until,
        expires=row.expires_at,
    )


def changed(voucher: Voucher) -> dict[str, Any]:
    """Returns the parameters of CHANGE."""
    return {
        "voucher_id": voucher.id,
        "voucher_state": int(voucher.state),
        "available": voucher.available,
        "reserved": voucher.reserved,
        "spent": voucher.spent,
        "returned": voucher.returned,
    }


def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts a voucher (`granting.voucher_values`), with the commit or before the next statement."""
    tx.at_commit(_ADD(**values))


def get(tx: Transaction, voucher_id: str) -> Row[Any]:
    """Returns a voucher's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(vouchers).where(vouchers.c.id == voucher_id))


def of_learner(learner: str) -> Select[Any]:
    """Returns the statement for a learner's vouchers."""
    return select(vouchers).where(vouchers.c.learner == learner)


def set_code(tx: Transaction, voucher_id: str, hmac: bytes) -> Row[Any]:
    """Keeps the HMAC of a new code; returns the voucher's row as it is now. Raises Refusal(NOT_FOUND)."""
    statement = (
        update(vouchers)
        .where(vouchers.c.id == voucher_id)
        .values(code_hmac=hmac, version=vouchers.c.version + 1)
        .returning(vouchers)
    )
    return tx.one(statement)


_LOCK_TO_END = text(f"""SELECT {IDENTITY}, {COLUMNS}, v.learner, v.programme_id, v.pot_id, p.name AS pot
FROM vouchers v JOIN pots p ON p.id = v.pot_id
WHERE v.id = :id FOR NO KEY UPDATE OF v""")  # noqa: S608 - columns of our own
_LOCK_POT = text("SELECT 1 FROM pots WHERE id = :id FOR NO KEY UPDATE")


def lock_to_end(tx: Transaction, voucher_id: str) -> Row[Any]:
    """Locks a voucher that is to give money back; raises Refusal(NOT_FOUND)."""
    return tx.one(_LOCK_TO_END, {"id": voucher_id})


def lock_pot_and_head(tx: Transaction, pot_id: str, shard: int) -> Head:
    """Locks pot, then chain: the order in which everybody does."""
    tx.execute(_LOCK_POT, {"id": pot_id})
    return ledger.lock_head(tx, shard)


def give_back(
    tx: Transaction, voucher: Voucher, pot_id: str, head: Head, booking: Booking, back: int
) -> None:
    """Writes an ended voucher, its pot and the booking, in one statement."""
    values = {**changed(voucher), "pot_id": pot_id, "back": back, **ledger.tail(tx, head, booking)}
    tx.execute(_END, values)


_DUE = text("""SELECT id FROM vouchers WHERE state <= 3 AND expires_at <= now()
ORDER BY expires_at LIMIT :limit""")
_LEFTOVERS = text("SELECT id FROM vouchers WHERE state >= 5 AND available_cents > 0 ORDER BY id LIMIT :limit")


def due_to_expire(tx: Transaction, limit: int) -> list[str]:
    """Returns live vouchers past their validity by the database's clock."""
    return [str(row.id) for row in tx.execute(_DUE, {"limit": limit})]


def leftovers(tx: Transaction, limit: int) -> list[str]:
    """Returns ended vouchers on which a late release has left money."""
    return [str(row.id) for row in tx.execute(_LEFTOVERS, {"limit": limit})]


def say_why(tx: Transaction, voucher_id: str, reason: int, sealed_note: bytes | None) -> None:
    """Keeps why a voucher was taken back."""
    values = {"end_reason": reason, "sealed_note": sealed_note}
    tx.execute(update(vouchers).where(vouchers.c.id == voucher_id).values(values))
