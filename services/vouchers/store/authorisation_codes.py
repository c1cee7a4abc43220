"""Statements of codes by which learners agree to a spend, for whoever has locked the redemption."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Engine

from services.platform.db.transaction import Transaction
from services.platform.db.wire import named
from services.vouchers.domain.authorisation import AuthorisationCode
from services.vouchers.store import attempts

# A statement of its own, after the lock: joined to it, it would show what was there before the wait for it.
READ = named(
    "read_authorisation_code",
    """SELECT code_hmac, expires_at, wrong_tries, codes_sent FROM authorisation_codes
WHERE redemption_id = :redemption""",
)
_RENEW = named(
    "renew_authorisation_code",
    """INSERT INTO authorisation_codes (redemption_id, code_hmac, expires_at, codes_sent)
VALUES (:redemption, :hmac, :expires_at, :sent)
ON CONFLICT (redemption_id) DO UPDATE SET code_hmac = excluded.code_hmac, expires_at = excluded.expires_at,
  codes_sent = excluded.codes_sent, wrong_tries = 0""",
)
_USE = named(
    "use_authorisation_code",
    "UPDATE authorisation_codes SET code_hmac = NULL, used_at = now() WHERE redemption_id = :redemption",
)
_COUNT = named(
    "count_wrong_try",
    """INSERT INTO authorisation_codes (redemption_id, wrong_tries) VALUES (:redemption, 1)
ON CONFLICT (redemption_id) DO UPDATE SET wrong_tries = authorisation_codes.wrong_tries + 1""",
)


def read(tx: Transaction, redemption: str) -> AuthorisationCode:
    """Returns what is kept for a locked redemption, also when nothing is."""
    found = tx.rows(READ(redemption=redemption))
    if not found:
        return AuthorisationCode()
    (row,) = found
    return AuthorisationCode(row.code_hmac, row.expires_at, row.wrong_tries, row.codes_sent)


def renew(tx: Transaction, redemption: str, code: AuthorisationCode) -> None:
    """Writes a new code, with the commit."""
    tx.at_commit(_RENEW(redemption=redemption, hmac=code.hmac, expires_at=code.expires_at, sent=code.sent))


def use(tx: Transaction, redemption: str) -> None:
    """Ends the code, with the commit."""
    tx.at_commit(_USE(redemption=redemption))


def counting(engine: Engine, redemption: str) -> AbstractContextManager[Callable[[], None]]:
    """Counts a try, as `attempts.counting` does, because the caller's transaction is about to roll back when
    it was wrong. That one holds its lock until then, so that nobody reads the former count."""
    return attempts.counting(engine, _COUNT(redemption=redemption))
