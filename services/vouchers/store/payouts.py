"""Statements of payout: release of held money, batches, payments, bank accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, text, tuple_, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.payouts import Payment
from services.vouchers.domain.states import BankAccountState, BatchState, RedemptionState
from services.vouchers.store.columns import apart
from services.vouchers.store.settlement_tables import bank_accounts, payout_batches, payouts
from services.vouchers.store.tables import redemptions

_r = redemptions.c
# A hold stops what it names: the redemption with its parts, its course or its provider, until released or run
# out.
_STOPPED = """EXISTS (SELECT 1 FROM holds h WHERE h.released_at IS NULL
  AND (h.ends_at IS NULL OR h.ends_at > now())
  AND h.target IN ('redemptions/' || r.id, 'redemptions/' || r.part_of, r.course, r.organisation))"""
# What is paid to whoever is named in a row goes to an account of this moment.
HAS_ACCOUNT = """EXISTS (SELECT 1 FROM bank_accounts b WHERE b.organisation = {row}.organisation
  AND b.state = 2 AND b.effective_at <= now())"""
_RELEASES = 1886352502  # key of an advisory lock
_RELEASABLE = text(f"""SELECT r.id, r.shard, r.held_cents FROM redemptions r
WHERE r.state = 5 AND r.held_cents > 0 AND r.release_at <= now() AND r.checked_at IS NOT NULL
  AND NOT {_STOPPED}
ORDER BY r.id LIMIT :limit FOR NO KEY UPDATE OF r SKIP LOCKED""")  # noqa: S608 - parts of our own
_DUE = f"r.state = 5 AND r.cleared_cents > 0 AND r.currency = :currency AND NOT {_STOPPED}"
_ACCOUNT = HAS_ACCOUNT.format(row="r")
_SKIPPED = text(f"""SELECT DISTINCT r.organisation FROM redemptions r WHERE {_DUE} AND NOT {_ACCOUNT}
ORDER BY r.organisation""")  # noqa: S608 - parts of our own
_CLEARED = text(f"""SELECT r.id, r.organisation, r.shard, r.cleared_cents FROM redemptions r
WHERE {_DUE} AND {_ACCOUNT}
ORDER BY r.id LIMIT :limit FOR NO KEY UPDATE OF r""")  # noqa: S608 - parts of our own
_STOPPED_IN_BATCH = text(f"""SELECT r.id FROM redemptions r
WHERE r.batch_id = :batch AND {_STOPPED} ORDER BY r.id FOR NO KEY UPDATE OF r""")  # noqa: S608 - parts of our own

# What was taken back whole meanwhile stays so.
_SET_PAID = text("""UPDATE redemptions r SET cleared_cents = 0, paid_cents = n.cents,
  state = CASE WHEN clawed_cents = accepted_cents THEN 11 ELSE 7 END, version = version + 1,
  updated_at = now()
FROM unnest(CAST(:ids AS uuid[]), CAST(:cents AS bigint[])) AS n (id, cents) WHERE r.id = n.id""")


def join_releases(tx: Transaction) -> None:
    """Says that this transaction clears held money: who is to pay all that is due waits for its end."""
    tx.execute(select(func.pg_advisory_xact_lock_shared(_RELEASES)))


def wait_for_releases(tx: Transaction) -> None:
    """Waits for those who clear held money, which `releasable` passes over; later ones wait for this one."""
    tx.execute(select(func.pg_advisory_xact_lock(_RELEASES)))


def releasable(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Locks and returns redemptions whose hold delay has passed, that the monitoring rules have looked at and
    that no hold stops."""
    return list(tx.execute(_RELEASABLE, {"limit": limit}))


def set_cleared(tx: Transaction, ids: list[str]) -> None:
    """Moves the held cents of redemptions to cleared; book the same."""
    tx.execute(
        update(redemptions)
        .where(_r.id.in_(ids))
        .values(held_cents=0, cleared_cents=_r.held_cents, version=_r.version + 1)
    )


def cleared(tx: Transaction, currency: str, limit: int) -> list[Row[Any]]:
    """Locks and returns redemptions that may go into a batch; their providers have an account."""
    return list(tx.execute(_CLEARED, {"currency": currency, "limit": limit}))


def skipped(tx: Transaction, currency: str) -> list[str]:
    """Returns the providers to whom nothing can be paid of what may be, for want of an account."""
    return list(tx.execute(_SKIPPED, {"currency": currency}).scalars())


def put_into_batch(tx: Transaction, batch: str, ids: Iterable[str]) -> None:
    """Binds cleared redemptions to a batch."""
    tx.execute(
        update(redemptions)
        .where(_r.id.in_(list(ids)))
        .values(state=int(RedemptionState.SETTLING), batch_id=batch, version=_r.version + 1)
    )


def stopped(tx: Transaction, batch: str) -> list[str]:
    """Locks and returns the redemptions of a batch that a hold stops by now."""
    return [str(row.id) for row in tx.execute(_STOPPED_IN_BATCH, {"batch": batch})]


def drop_stopped(tx: Transaction, batch: str) -> list[str]:
    """Takes what a hold stops by now out of a batch; returns the redemptions."""
    ids = stopped(tx, batch)
    take_out(tx, ids)
    return ids


def take_out(tx: Transaction, ids: Iterable[str]) -> None:
    """Frees locked redemptions of a batch that is not approved for another one."""
    tx.execute(
        update(redemptions)
        .where(_r.id.in_(list(ids)))
        .values(state=int(RedemptionState.ACCEPTED), batch_id=None, version=_r.version + 1)
    )


def in_batch(tx: Transaction, batch: str) -> list[Row[Any]]:
    """Locks and returns the redemptions of a batch."""
    statement = select(redemptions).where(_r.batch_id == batch).order_by(_r.id)
    return list(tx.execute(statement.with_for_update(key_share=True)))


def set_paid(tx: Transaction, paid: Mapping[str, int]) -> None:
    """Marks redemptions as paid, each with the cents that go to the bank; book the same."""
    tx.execute(_SET_PAID, {"ids": list(paid), "cents": list(paid.values())})


def settle_without_bank(tx: Transaction, batch: str) -> None:
    """Confirms the payments of a batch that were set off whole: the bank has no word on them."""
    statement = update(payouts).where(payouts.c.batch_id == batch, payouts.c.amount_cents == 0)
    tx.execute(statement.values(result=int(BatchState.CONFIRMED), result_at=tx.now))


def paid_by(tx: Transaction, payments: Iterable[tuple[str, str]]) -> list[Row[Any]]:
    """Locks and returns the redemptions for which payments (batch, provider) went to the bank."""
    whose = tuple_(_r.batch_id, _r.organisation)
    statement = select(redemptions).where(whose.in_(list(payments)), _r.paid_cents > 0).order_by(_r.id)
    return list(tx.execute(statement.with_for_update(key_share=True)))


def set_returned(tx: Transaction, ids: list[str]) -> None:
    """Moves the paid cents of redemptions back to cleared, free for another batch; book the same."""
    tx.execute(
        update(redemptions)
        .where(_r.id.in_(ids))
        .values(
            state=int(RedemptionState.ACCEPTED),
            cleared_cents=_r.cleared_cents + _r.paid_cents,
            paid_cents=0,
            batch_id=None,
            version=_r.version + 1,
            updated_at=tx.now,
        )
    )


def add_batch(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a batch; returns its row."""
    return tx.execute(insert(payout_batches).values(values).returning(payout_batches)).one()


def listed(tx: Transaction, state: int, min_days_without_word: int) -> Select[Any]:
    """Returns the statement for batches of real money; zeros mean any."""
    statement = select(payout_batches).where(apart(payout_batches.c.currency))
    if state:
        statement = statement.where(payout_batches.c.state == state)
    if min_days_without_word:
        since = tx.now - timedelta(days=min_days_without_word)
        waits = payout_batches.c.state == int(BatchState.SENT)
        statement = statement.where(waits, payout_batches.c.sent_at <= since)
    return statement


def get_batch(tx: Transaction, batch: str, *, locked: bool = False) -> Row[Any]:
    """Returns a batch's row; raises Refusal(NOT_FOUND)."""
    statement = select(payout_batches).where(payout_batches.c.id == batch)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def change_batch(tx: Transaction, batch: str, values: dict[str, Any]) -> Row[Any]:
    """Writes a step of a batch; returns the new row. The database refuses a checker who is the maker."""
    statement = (
        update(payout_batches)
        .where(payout_batches.c.id == batch)
        .values(**values, version=payout_batches.c.version + 1)
        .returning(payout_batches)
    )
    return tx.execute(statement).one()


def note_file(tx: Transaction, batch: str) -> None:
    """Notes that somebody has the file of a locked batch from now on, whatever was said of it before. No new
    version: whoever says that it was sent goes by the one that was approved."""
    values = {
        "file_read_at": func.coalesce(payout_batches.c.file_read_at, tx.now),
        "file_retracted_by": "",
        "file_retracted_at": None,
    }
    tx.execute(update(payout_batches).where(payout_batches.c.id == batch).values(values))


def set_payments(
    tx: Transaction, batch: str, payments: Iterable[Payment], accounts: Mapping[str, Any]
) -> None:
    """Writes the payments of a batch anew, with the bank details of this moment."""
    tx.execute(payouts.delete().where(payouts.c.batch_id == batch))
    rows = [
        {
            "batch_id": batch,
            "organisation": payment.organisation,
            "amount_cents": payment.cents,
            "set_off_cents": payment.set_off,
            "redemption_count": payment.count,
            "end_to_end_id": payment.reference,
            "holder_name": accounts[payment.organisation].holder_name,
            "iban": accounts[payment.organisation].iban,
            "bic": accounts[payment.organisation].bic,
        }
        for payment in payments
    ]
    if rows:
        tx.execute(insert(payouts), rows)


def payments_of(tx: Transaction, batch: str) -> list[Row[Any]]:
    """Returns the payments of a batch by provider."""
    statement = select(payouts).where(payouts.c.batch_id == batch).order_by(payouts.c.organisation)
    return list(tx.execute(statement))


def usable_accounts(tx: Transaction, organisations: Iterable[str]) -> dict[str, Row[Any]]:
    """Returns the account to pay each provider to now; providers without one are left out."""
    statement = (
        select(bank_accounts)
        .where(
            bank_accounts.c.organisation.in_(list(organisations)),
            bank_accounts.c.state == int(BankAccountState.CONFIRMED),
            bank_accounts.c.effective_at <= tx.now,
        )
        .order_by(bank_accounts.c.effective_at)
    )
    return {row.organisation: row for row in tx.execute(statement)}


def add_account(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a proposed account; returns its row."""
    return tx.execute(insert(bank_accounts).values(values).returning(bank_accounts)).one()


def get_account(tx: Transaction, organisation: str, account: str) -> Row[Any]:
    """Returns an account's row; raises Refusal(NOT_FOUND)."""
    return tx.one(accounts_of(organisation).where(bank_accounts.c.id == account))


def lock_accounts(tx: Transaction, organisation: str) -> None:
    """Locks all accounts of a provider, so that of two confirmed at once only one is the first."""
    tx.execute(accounts_of(organisation).order_by(bank_accounts.c.id).with_for_update())


def confirmed_before(tx: Transaction, organisation: str) -> bool:
    """True when a provider has a confirmed account; its first is never withdrawn."""
    statement = accounts_of(organisation).where(bank_accounts.c.state == int(BankAccountState.CONFIRMED))
    return tx.execute(statement.limit(1)).first() is not None


def change_account(tx: Transaction, account: str, values: dict[str, Any]) -> Row[Any]:
    """Writes a step of an account; returns its row. The database refuses a change that does not wait."""
    statement = (
        update(bank_accounts).where(bank_accounts.c.id == account).values(values).returning(bank_accounts)
    )
    return tx.execute(statement).one()


def accounts_of(organisation: str) -> Select[Any]:
    """Returns the statement for a provider's accounts."""
    return select(bank_accounts).where(bank_accounts.c.organisation == organisation)
