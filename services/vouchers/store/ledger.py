"""Statements of the ledger: lock a chain, append to it, stream it, sum it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.copying import copy_rows
from services.platform.db.transaction import Transaction
from services.platform.db.wire import named
from services.vouchers.domain import ledger
from services.vouchers.domain.ledger import SHARDS, Booking, Entry, Head, Kind
from services.vouchers.store.ledger_tables import ledger_entries, ledger_heads

SUMS = tuple(f"kind_{int(kind)}" for kind in Kind)
REDEEMING = (Kind.VOUCHER_AVAILABLE, Kind.VOUCHER_RESERVED, Kind.PROVIDER_HELD)


def tail_for(kinds: Iterable[Kind]) -> str:
    """Returns what ends a statement of any writing: it moves the chain's head and enters the lines, in the
    same round trip. `kinds`: the accounts between which it may move money, and `tail` is to be asked for."""
    sums = ", ".join(f"kind_{int(kind)} = kind_{int(kind)} + :kind_{int(kind)}" for kind in kinds)
    return f"""head AS (
  UPDATE ledger_heads SET sequence = :sequence, hash = :hash, {sums} WHERE shard = CAST(:shard AS smallint)
)
INSERT INTO ledger_entries
  (shard, sequence, transaction, operation, kind, owner, cents, currency, reference, hash, created_at)
SELECT CAST(:shard AS smallint), e.sequence, CAST(:transaction AS uuid), CAST(:operation AS text), e.kind,
  e.owner, e.cents, CAST(:currency AS text), CAST(:reference AS text), e.hash, CAST(:booked_at AS timestamptz)
FROM unnest(CAST(:sequences AS bigint[]), CAST(:kinds AS smallint[]), CAST(:owners AS text[]),
  CAST(:cents AS bigint[]), CAST(:hashes AS bytea[])) AS e (sequence, kind, owner, cents, hash)
"""  # noqa: S608 - column names of our own


TAIL = tail_for(Kind)
_KINDS = {kind: ledger_heads.c[name] for kind, name in zip(Kind, SUMS, strict=True)}
_APPEND = named("ledger_append", "WITH " + TAIL)
_LOCK_OF = text("""SELECT shard, currency, sequence, hash FROM ledger_heads WHERE shard = (
  SELECT shard FROM ledger_heads WHERE currency = :currency ORDER BY shard OFFSET :offset LIMIT 1
) FOR NO KEY UPDATE""")
_MANY = ", ".join(f"{name} = h.{name} + n.{name}" for name in SUMS)
_MOVE_MANY = text(f"""UPDATE ledger_heads h SET sequence = n.sequence, hash = n.hash, {_MANY}
FROM unnest(CAST(:shard AS smallint[]), CAST(:sequence AS bigint[]), CAST(:hash AS bytea[]),
  {", ".join(f"CAST(:{name} AS bigint[])" for name in SUMS)}) AS n (shard, sequence, hash, {", ".join(SUMS)})
WHERE h.shard = n.shard""")  # noqa: S608 - column names of our own


def shard_for(tx: Transaction, currency: str, owner: str) -> int:
    """Returns the chain of an account's owner; makes the currency's chains on its first use."""
    place = _chains(currency).offset(ledger.shard_offset(owner)).limit(1)
    shard = tx.execute(place).scalar()
    if shard is None:
        _make_chains(tx, currency)
        shard = tx.execute(place).scalar_one()
    return int(shard)


def chains(tx: Transaction, currency: str) -> list[int]:
    """Returns all chains of a currency; that of an owner is at `ledger.shard_offset(owner)`."""
    found = list(tx.execute(_chains(currency)).scalars())
    if not found:
        _make_chains(tx, currency)
        found = list(tx.execute(_chains(currency)).scalars())
    return found


def _chains(currency: str) -> Select[tuple[int]]:
    return (
        select(ledger_heads.c.shard).where(ledger_heads.c.currency == currency).order_by(ledger_heads.c.shard)
    )


def _make_chains(tx: Transaction, currency: str) -> None:
    tx.execute(select(func.pg_advisory_xact_lock(0x1ED6E4)))
    first = tx.execute(select(func.max(ledger_heads.c.shard) + 1)).scalar_one()
    rows = [
        {"shard": first + offset, "currency": currency, "sequence": 0, "hash": ledger.START}
        for offset in range(SHARDS)
    ]
    present = select(ledger_heads.c.shard).where(ledger_heads.c.currency == currency).limit(1)
    if tx.execute(present).scalar() is None:
        tx.execute(insert(ledger_heads), rows)


def lock_head(tx: Transaction, shard: int) -> Head:
    """Locks a chain until the end of the transaction. Lock it last: everybody does."""
    statement = (
        select(ledger_heads.c.currency, ledger_heads.c.sequence, ledger_heads.c.hash)
        .where(ledger_heads.c.shard == shard)
        .with_for_update(key_share=True)
    )
    row = tx.execute(statement).one()
    return Head(shard, row.currency, row.sequence, bytes(row.hash))


def lock_head_of(tx: Transaction, currency: str, owner: str) -> Head:
    """The same for the chain of an account's owner, found in the same statement; makes the currency's chains
    on its first use."""
    place = {"currency": currency, "offset": ledger.shard_offset(owner)}
    row = tx.execute(_LOCK_OF, place).one_or_none()
    if row is None:
        return lock_head(tx, shard_for(tx, currency, owner))
    return Head(row.shard, row.currency, row.sequence, bytes(row.hash))


def lock_heads(tx: Transaction, shards: Iterable[int]) -> dict[int, Head]:
    """Locks several chains, in order of their number: sorted rows are locked as they come."""
    statement = (
        select(ledger_heads.c.shard, ledger_heads.c.currency, ledger_heads.c.sequence, ledger_heads.c.hash)
        .where(ledger_heads.c.shard.in_(set(shards)))
        .order_by(ledger_heads.c.shard)
        .with_for_update(key_share=True)
    )
    return {
        row.shard: Head(row.shard, row.currency, row.sequence, bytes(row.hash))
        for row in tx.execute(statement)
    }


def head_of(row: Row[Any]) -> Head:
    """Returns the chain head that a statement joined and locked (`shard`, `currency`, `head_sequence` …)."""
    return Head(row.shard, row.currency, row.head_sequence, bytes(row.head_hash))


def post(tx: Transaction, head: Head, booking: Booking) -> None:
    """Appends one booking to a locked chain, with the commit or before the next statement."""
    tx.at_commit(_APPEND(**tail(tx, head, booking)))


def post_all(tx: Transaction, bookings: Iterable[tuple[int, Booking]]) -> None:
    """Appends many bookings, each to the chain of its number, which this locks. Takes one statement to lock,
    one for all entries, and one for the heads."""
    chains: dict[int, list[Booking]] = {}
    for shard, booking in bookings:
        chains.setdefault(shard, []).append(booking)
    locked, heads = lock_heads(tx, chains), list[Head]()

    def entered() -> Iterator[dict[str, Any]]:
        for shard, head in locked.items():
            entries, after = ledger.append(head, chains[shard], tx.now)
            heads.append(after)
            yield from map(_entered, entries)

    copy_rows(tx, ledger_entries, entered())
    sums = {f"kind_{int(kind)}": [head.deltas.get(kind, 0) for head in heads] for kind in Kind}
    tx.execute(_MOVE_MANY, {**_columns(heads, ("shard", "sequence", "hash")), **sums})


def _entered(entry: Entry) -> dict[str, Any]:
    return {
        "shard": entry.shard,
        "sequence": entry.sequence,
        "transaction": entry.transaction,
        "operation": entry.operation,
        "kind": int(entry.kind),
        "owner": entry.owner,
        "cents": entry.cents,
        "currency": entry.currency,
        "reference": entry.reference,
        "hash": entry.hash,
        "created_at": entry.created,
    }


def _columns(items: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [getattr(item, name) for item in items] for name in names}


def tail(tx: Transaction, head: Head, booking: Booking, kinds: Iterable[Kind] = Kind) -> dict[str, Any]:
    """Returns the parameters of `tail_for(kinds)` for one booking after a locked head. Raises ValueError for
    one that touches other kinds of account, whose sums that statement leaves."""
    entries, after = ledger.append(
        Head(head.shard, head.currency, head.sequence, head.hash), [booking], tx.now
    )
    if not after.deltas.keys() <= set(kinds):
        raise ValueError(f"{booking.operation} moves money beside the accounts of its statement.")
    return {
        "shard": head.shard,
        "sequence": after.sequence,
        "hash": after.hash,
        "transaction": booking.id,
        "operation": booking.operation,
        "currency": head.currency,
        "reference": booking.reference,
        "booked_at": tx.now,
        "sequences": [entry.sequence for entry in entries],
        "kinds": [int(entry.kind) for entry in entries],
        "owners": [entry.owner for entry in entries],
        "cents": [entry.cents for entry in entries],
        "hashes": [entry.hash for entry in entries],
        **{f"kind_{int(kind)}": after.deltas.get(kind, 0) for kind in kinds},
    }


def entry_of(row: Row[Any]) -> Entry:
    """Returns a row as an entry."""
    return Entry(
        shard=row.shard,
        sequence=row.sequence,
        transaction=row.transaction,
        operation=row.operation,
        kind=row.kind,
        owner=row.owner,
        cents=row.cents,
        currency=row.currency,
        reference=row.reference,
        created=row.created_at,
        hash=bytes(row.hash),
    )


def heads(tx: Transaction) -> dict[int, Head]:
    """Returns every chain's head with its sums."""
    table = ledger_heads.c
    columns = [table.shard, table.currency, table.sequence, table.hash, *_KINDS.values()]
    rows: Iterable[Any] = tx.execute(select(*columns))
    return {
        shard: Head(shard, currency, sequence, bytes(digest), dict(zip(_KINDS, cents, strict=True)))
        for shard, currency, sequence, digest, *cents in rows
    }


def sums(tx: Transaction) -> list[tuple[Kind, str, int]]:
    """Returns (kind, currency, cents) for each that is not zero, from the heads: no entry is read."""
    columns = [ledger_heads.c.currency, *map(func.sum, _KINDS.values())]
    rows: Iterable[Any] = tx.execute(select(*columns).group_by(ledger_heads.c.currency))
    found = [
        (kind, currency, int(cents))
        for currency, *totals in rows
        for kind, cents in zip(_KINDS, totals, strict=True)
    ]
    return sorted(each for each in found if each[2])


def owner_sums(tx: Transaction, owner: str) -> list[tuple[Kind, str, int]]:
    """Returns (kind, currency, cents) of one owner's accounts."""
    statement = (
        select(
            ledger_entries.c.kind, ledger_entries.c.currency, func.sum(ledger_entries.c.cents).label("sum")
        )
        .where(ledger_entries.c.owner == owner)
        .group_by(ledger_entries.c.kind, ledger_entries.c.currency)
        .order_by(ledger_entries.c.kind)
    )
    return [(Kind(row.kind), row.currency, int(row.sum)) for row in tx.execute(statement)]
