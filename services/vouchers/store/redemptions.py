"""Statements of redemptions: one that locks and reads, one that writes everything. Counted by a test.

The first travels with BEGIN where the request names what to lock, the second with COMMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, select, text
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call, locking, named
from services.platform.errors import Refusal
from services.vouchers.domain.amounts import Funded
from services.vouchers.domain.ledger import Booking, Head
from services.vouchers.domain.redemption import OPEN, Redemption
from services.vouchers.domain.states import RedemptionState
from services.vouchers.domain.voucher import Voucher
from services.vouchers.store import ledger, sanctions, vouchers
from services.vouchers.store.catalogue_tables import sessions
from services.vouchers.store.columns import apart
from services.vouchers.store.tables import redemptions

_HEAD = "h.sequence AS head_sequence, h.hash AS head_hash"
_OFFER = f"""v.learner, v.programme_id, v.version_number, v.cover_percent, v.course AS granted_course,
  s.name AS session, s.listed, s.start_date, s.end_date, s.apply_until, s.price_cents,
  s.currency AS price_currency, s.nuts_code, c.name AS course, c.removed, c.organisation, c.kind,
  c.eqf_level, c.occupations, c.isced_f, o.accredited, o.accredited_until, o.accreditations,
  {sanctions.barred("c.organisation")} AS barred,
  a.target_group, a.session AS applied_session, a.applied_on,
  EXISTS (SELECT 1 FROM vouchers w WHERE w.learner = v.learner AND w.id <> v.id) AS has_others"""  # noqa: S608 - a condition of our own
_FOR_RESERVATION = f"""SELECT {vouchers.IDENTITY}, {vouchers.COLUMNS}, {_HEAD}, {_OFFER}
FROM vouchers v JOIN ledger_heads h ON h.shard = v.shard
JOIN applications a ON a.id = v.application_id
LEFT JOIN sessions s ON s.name = :session
LEFT JOIN courses c ON c.name = s.course
LEFT JOIN organisations o ON o.name = c.organisation
WHERE """  # noqa: S608 - columns of our own
# A chain belongs to its vouchers, so who has locked one of them has locked `shard`.
LOCK_BY_VOUCHER = locking(
    "lock_voucher", _FOR_RESERVATION + "v.id = :voucher FOR NO KEY UPDATE OF v, h", keys=("shard",)
)
LOCK_BY_CODE = named("lock_code", _FOR_RESERVATION + "v.code_hmac = :code FOR NO KEY UPDATE OF v, h")
LOCK = locking(
    "lock_redemption",
    """SELECT r.*, s.start_date AS first_day FROM redemptions r LEFT JOIN sessions s ON s.name = r.session
WHERE r.id = :id FOR NO KEY UPDATE OF r""",
    keys=("id",),
)
LOCK_WITH_MONEY = locking(
    "lock_with_money",
    f"""SELECT r.*, {vouchers.COLUMNS}, {_HEAD}, s.start_date AS first_day,
  s.end_date AS last_day, coalesce(s.cancelled, false) AS session_cancelled
FROM redemptions r JOIN vouchers v ON v.id = r.voucher_id JOIN ledger_heads h ON h.shard = v.shard
LEFT JOIN sessions s ON s.name = r.session
WHERE r.id = :id FOR NO KEY UPDATE OF r, v, h""",  # noqa: S608 - columns of our own
    keys=("id", "shard"),
)
_TAIL = ledger.tail_for(ledger.REDEEMING)
RESERVE = named(
    "reserve",
    f"""WITH {vouchers.CHANGE}, redemption AS (
  INSERT INTO redemptions (id, voucher_id, learner, programme_id, version_number, course, session,
    organisation, shard, currency, state, price_cents, amount_cents, authorise_until, updated_at, created_at)
  VALUES (:id, :voucher_id, :learner, :programme_id, :version_number, :course, :session, :organisation,
    :shard, :currency, 1, :price, :amount, :authorise_until, :booked_at, :booked_at)
), {_TAIL}""",  # noqa: S608 - parts of our own
)
MOVE = named(
    "move",
    """UPDATE redemptions SET state = CAST(:state AS smallint), evidence = :evidence, updated_at = now(),
  started_at = CASE CAST(:state AS smallint) WHEN 3 THEN coalesce(started_at, now()) ELSE started_at END,
  delivered_at = CASE WHEN CAST(:state AS smallint) = 4 AND CAST(:no_show_at AS timestamptz) IS NULL
    THEN now() ELSE delivered_at END,
  no_show_at = CAST(:no_show_at AS timestamptz), end_reason = :end_reason, sealed_note = :sealed_note,
  version = version + 1 WHERE id = :id""",
)
RESOLVE = named(
    "resolve",
    f"""WITH {vouchers.CHANGE}, redemption AS (
  UPDATE redemptions SET state = :state, accepted_cents = :accepted, held_cents = :accepted,
    release_at = :release_at, accepted_at = :accepted_at, end_reason = :end_reason,
    sealed_note = :sealed_note, no_show_at = :no_show_at, updated_at = :booked_at, version = version + 1
  WHERE id = :id
), {_TAIL}""",  # noqa: S608 - parts of our own
)
# Of two vouchers of one person neither lock stops the other.
_ONE_LEARNER = named("one_learner", "SELECT pg_advisory_xact_lock(1886352501, hashtext(:learner))")
_FUNDED = named(
    "funded",
    """SELECT CAST(coalesce(sum(n.cents) FILTER (WHERE r.programme_id = :programme), 0) AS bigint) AS here,
  CAST(coalesce(sum(n.cents) FILTER (WHERE r.programme_id <> :programme), 0) AS bigint) AS elsewhere,
  coalesce(bool_or(CAST(p.rules #>> '{amount_rule,no_double_funding}' AS boolean))
    FILTER (WHERE r.programme_id <> :programme AND n.cents > 0), false) AS alone
FROM redemptions r
JOIN programme_versions p ON p.programme_id = r.programme_id AND p.number = r.version_number
CROSS JOIN LATERAL (
  SELECT CASE WHEN r.state < 5 THEN r.amount_cents ELSE r.accepted_cents - r.clawed_cents END AS cents) AS n
WHERE r.learner = :learner AND r.session = :session AND r.state NOT IN (8, 9, 10)""",
)
# An accepted instalment becomes a row of its own, with what was delivered for it.
TAKE_OUT = named(
    "take_out",
    f"""WITH {vouchers.CHANGE}, part AS (
  INSERT INTO redemptions (id, part_of, instalment, voucher_id, learner, programme_id, version_number, course,
    session, organisation, shard, currency, state, amount_cents, accepted_cents, held_cents, evidence,
    authorise_until, release_at, accepted_at, started_at, delivered_at, updated_at, created_at)
  SELECT CAST(:part AS uuid), id, CAST(:instalment AS smallint), voucher_id, learner, programme_id,
    version_number, course, session, organisation, shard, currency, CAST(:part_state AS smallint),
    CAST(:amount AS bigint), CAST(:accepted AS bigint), CAST(:accepted AS bigint), evidence, authorise_until,
    CAST(:release_at AS timestamptz), n.at, started_at, delivered_at, n.at, n.at
  FROM redemptions, (SELECT CAST(:booked_at AS timestamptz) AS at) AS n WHERE id = :id
), redemption AS (
  UPDATE redemptions SET state = :state, amount_cents = :left, taken_cents = :taken,
    instalment = CAST(:instalment AS smallint), evidence = '{{}}', delivered_at = NULL,
    updated_at = CAST(:booked_at AS timestamptz), version = version + 1
  WHERE id = :id
), {_TAIL}""",  # noqa: S608 - parts of our own
)
_PARTS = text("""SELECT id, part_of, instalment, accepted_cents FROM redemptions
WHERE part_of = ANY(CAST(:redemptions AS uuid[])) ORDER BY part_of, instalment""")
# A locked one is moving right now; its turn comes with the next run.
_TAKE_OVERDUE = text("""WITH late AS (
  SELECT r.id, s.end_date FROM redemptions r JOIN sessions s ON s.name = r.session
  WHERE r.state IN (2, 3, 4) AND r.overdue_told_at IS NULL AND s.end_date <= CAST(:until AS date)
  LIMIT :limit FOR NO KEY UPDATE OF r SKIP LOCKED
) UPDATE redemptions r SET overdue_told_at = :now FROM late WHERE r.id = late.id
RETURNING r.*, late.end_date""")
# Who may choose another course has the time of that offer.
_TIMED_OUT = text("""SELECT id FROM redemptions r WHERE state = 1 AND authorise_until <= now()
  AND NOT EXISTS (SELECT 1 FROM rebookings b WHERE b.redemption_id = r.id AND b.state = 1)
ORDER BY authorise_until LIMIT :limit""")


def redemption_of(row: Row[Any]) -> Redemption:
    """Returns what the domain needs of a row."""
    return Redemption(
        id=str(row.id),
        state=RedemptionState(row.state),
        amount=row.amount_cents,
        accepted=row.accepted_cents,
        authorise_until=row.authorise_until,
        no_show=row.no_show_at,
        instalment=row.instalment,
        taken=row.taken_cents,
    )


def _locked(tx: Transaction, call: Call) -> Any:
    found = tx.rows(call)
    if not found:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return found[0]


def lock_for_reservation(tx: Transaction, voucher_id: str, session: str) -> Any:
    """Locks voucher and chain and reads the session's offer beside; raises Refusal(NOT_FOUND)."""
    return _locked(tx, LOCK_BY_VOUCHER(voucher=voucher_id, session=session))


def lock_by_code(tx: Transaction, code: bytes, session: str) -> Any:
    """The same by the HMAC of a code; None when no voucher has it."""
    found = tx.rows(LOCK_BY_CODE(code=code, session=session))
    return found[0] if found else None


def funded(tx: Transaction, learner: str, programme_id: str, session: str) -> Funded:
    """Returns what vouchers pay of a session for a learner by now; others of the same learner who ask for it
    wait until the end of the transaction."""
    asked = {"learner": learner, "programme": programme_id, "session": session}
    _, found = tx.together(_ONE_LEARNER(learner=learner), _FUNDED(**asked))
    return Funded(found[0].here, found[0].elsewhere, found[0].alone)


def lock(tx: Transaction, redemption_id: str) -> Any:
    """Locks a redemption for a step that moves no money, and reads the session's first day beside (None when
    not known); raises Refusal(NOT_FOUND)."""
    return _locked(tx, LOCK(id=redemption_id))


def lock_with_money(tx: Transaction, redemption_id: str) -> Any:
    """Locks a redemption, its voucher and the voucher's chain, and reads the session's first and last day
    beside (None when not known), and whether it is cancelled; raises Refusal(NOT_FOUND)."""
    return _locked(tx, LOCK_WITH_MONEY(id=redemption_id))


def get(tx: Transaction, redemption_id: str) -> Row[Any]:
    """Returns a redemption's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(redemptions).where(redemptions.c.id == redemption_id))


def reserve(tx: Transaction, head: Head, voucher: Voucher, booking: Booking, values: dict[str, Any]) -> None:
    """Writes a new reservation, its voucher and the booking, in one statement, with the commit."""
    tx.at_commit(
        RESERVE(**vouchers.changed(voucher), **values, **ledger.tail(tx, head, booking, ledger.REDEEMING))
    )


def move(tx: Transaction, row: Any, redemption: Redemption, **more: Any) -> dict[str, Any]:
    """Writes a step of a locked row that moves no money, with the commit; returns what changed in the row.
    `more`: its evidence, and why a delivery is sent back, which is forgotten with the next step."""
    changed = {
        "state": int(redemption.state),
        "evidence": row.evidence,
        "no_show_at": redemption.no_show,
        "end_reason": 0,
        "sealed_note": None,
        **more,
    }
    tx.at_commit(MOVE(id=redemption.id, **changed))
    return {**changed, "updated_at": tx.now}


def resolve(
    tx: Transaction,
    head: Head,
    voucher: Voucher,
    redemption: Redemption,
    booking: Booking,
    *,
    release_at: Any = None,
    end_reason: int = 0,
    sealed_note: bytes | None = None,
) -> dict[str, Any]:
    """Writes acceptance or the end of a reservation, in one statement, with the commit; returns what changed
    in the row."""
    values = {
        "id": redemption.id,
        "state": int(redemption.state),
        "accepted": redemption.accepted,
        "release_at": release_at,
        "accepted_at": tx.now if redemption.accepted else None,
        "end_reason": end_reason,
        "sealed_note": sealed_note,
        "no_show_at": redemption.no_show,
    }
    tx.at_commit(
        RESOLVE(**vouchers.changed(voucher), **values, **ledger.tail(tx, head, booking, ledger.REDEEMING))
    )
    return {
        "state": values["state"],
        "accepted_cents": redemption.accepted,
        "held_cents": redemption.accepted,
        "release_at": release_at,
        "end_reason": end_reason,
        "sealed_note": sealed_note,
        "no_show_at": redemption.no_show,
        "updated_at": tx.now,
    }


def take_out(
    tx: Transaction,
    head: Head,
    voucher: Voucher,
    left: Redemption,
    part: Redemption,
    booking: Booking,
    *,
    release_at: datetime,
) -> dict[str, Any]:
    """Writes an accepted instalment as `part`, and what is `left` of the redemption, in one statement, with
    the commit; returns what changed in the row of the redemption."""
    values: dict[str, Any] = {
        "id": left.id,
        "state": int(left.state),
        "left": left.amount,
        "taken": left.taken,
        "part": part.id,
        "part_state": int(part.state),
        "instalment": part.instalment,
        "amount": part.amount,
        "accepted": part.accepted,
        "release_at": release_at,
    }
    tx.at_commit(
        TAKE_OUT(**vouchers.changed(voucher), **values, **ledger.tail(tx, head, booking, ledger.REDEEMING))
    )
    return {
        "state": values["state"],
        "amount_cents": left.amount,
        "taken_cents": left.taken,
        "instalment": left.instalment,
        "evidence": [],
        "updated_at": tx.now,
    }


def parts_of(tx: Transaction, redemption_ids: list[str]) -> dict[str, list[Row[Any]]]:
    """Returns accepted instalments by the redemption that they are parts of, in order."""
    found: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(_PARTS, {"redemptions": redemption_ids}) if redemption_ids else ():
        found.setdefault(str(row.part_of), []).append(row)
    return found


def timed_out(tx: Transaction, limit: int) -> list[str]:
    """Returns reservations past their limit by the database's clock."""
    return [str(row.id) for row in tx.execute(_TIMED_OUT, {"limit": limit})]


def take_overdue(tx: Transaction, until: date, limit: int) -> Sequence[Row[Any]]:
    """Notes that redemptions of sessions that ended by `until` are told to be overdue, at most `limit`;
    returns them, with the session's `end_date`."""
    return tx.execute(_TAKE_OVERDUE, {"until": until, "now": tx.now, "limit": limit}).all()


def listed(
    learner: str, organisation: str, state: int, ended_by: date | None, *, sandbox: bool
) -> Select[Any]:
    """Returns the statement for redemptions, parts left out, either real ones or those of the sandbox; empty
    and zero mean any. `ended_by`: only open ones, agreed to, whose session ended by that day."""
    statement = select(redemptions).where(
        redemptions.c.part_of.is_(None), apart(redemptions.c.currency, sandbox=sandbox)
    )
    if learner:
        statement = statement.where(redemptions.c.learner == learner)
    if organisation:
        statement = statement.where(redemptions.c.organisation == organisation)
    if state:
        statement = statement.where(redemptions.c.state == state)
    if ended_by:
        over = select(sessions.c.name).where(sessions.c.end_date <= ended_by)
        waiting = redemptions.c.state.in_([int(each) for each in OPEN if each > RedemptionState.RESERVED])
        statement = statement.where(waiting, redemptions.c.session.in_(over))
    return statement
