"""Statements of rounds of checkpoints: the last one, how far rounds name chains, what entries contradict."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

from sqlalchemy import Row, func, insert, select, text

from services.platform.db.transaction import Transaction
from services.vouchers.domain.rounds import Mark, Round, first_of
from services.vouchers.store.ledger_tables import ledger_rounds

_mark = partial(tuple.__new__, Mark)  # what Mark does, in two thirds of the time
AT_ONCE = 100  # rounds read together, of up to 256 chains a currency
_LAST = select(ledger_rounds).order_by(ledger_rounds.c.number.desc()).limit(1)
_PLACES = text("""SELECT m.shard, max(m.sequence) AS sequence
FROM ledger_rounds AS r CROSS JOIN LATERAL unnest(r.shards, r.sequences) AS m (shard, sequence)
WHERE r.number >= :first GROUP BY m.shard""")
# Marks of rounds, and of the checkpoints of single chains that were made before there were rounds (number 0).
_CONTRADICTED = text("""SELECT shard, sequence, min(number) AS number, bool_and(e.hash IS NULL) AS missing
FROM (
  SELECT coalesce(m.shard, -1) AS shard, coalesce(m.sequence, 0) AS sequence, m.hash, r.number
  FROM ledger_rounds AS r
  CROSS JOIN LATERAL unnest(r.shards, r.sequences, r.hashes) AS m (shard, sequence, hash)
  WHERE r.number >= :first
  UNION ALL SELECT shard, sequence, hash, 0 FROM ledger_checkpoints
) AS marked LEFT JOIN ledger_entries AS e USING (shard, sequence)
WHERE e.hash IS DISTINCT FROM marked.hash GROUP BY shard, sequence ORDER BY shard, sequence LIMIT :limit""")
# Places in arrays, by some thousand entries of a chain: a row for each costs several times as much.
_BY_CHAIN = text("""SELECT shard, array_agg(sequence ORDER BY sequence, number) AS sequences,
  array_agg(number ORDER BY sequence, number) AS numbers
FROM (SELECT unnest(shards) AS shard, unnest(sequences) AS sequence, number FROM ledger_rounds) AS m
WHERE shard IS NOT NULL AND sequence IS NOT NULL
GROUP BY shard, sequence >> 13 ORDER BY shard, sequence >> 13""")
_NEWEST_OF_CHAINS = text("""SELECT c.* FROM ledger_heads AS h CROSS JOIN LATERAL (
  SELECT * FROM ledger_checkpoints AS c WHERE c.shard = h.shard ORDER BY c.sequence DESC LIMIT 1
) AS c ORDER BY c.shard""")


def round_of(row: Row[Any]) -> Round:
    """Returns a row as a round."""
    # To the end of the longest: what somebody put behind the others must not pass unsigned.
    marks = map(_mark, zip_longest(row.shards, row.sequences, row.hashes))
    return Round(row.number, bytes(row.previous), tuple(marks), row.created_at)


def last(tx: Transaction) -> Round | None:
    """Returns the newest round."""
    row = tx.execute(_LAST).one_or_none()
    return round_of(row) if row else None


def places(tx: Transaction, number: int) -> dict[int, int]:
    """Returns how far each chain had come by the round of a number, the newest."""
    return {row.shard: row.sequence for row in tx.execute(_PLACES, {"first": first_of(number)})}


def add(tx: Transaction, made: Round, key_id: str, signature: bytes) -> None:
    """Keeps a signed round."""
    tx.execute(insert(ledger_rounds), [row_of(made, key_id, signature)])


def row_of(made: Round, key_id: str, signature: bytes) -> dict[str, Any]:
    """Returns a signed round as a row."""
    return {
        "number": made.number,
        "previous": made.previous,
        "shards": [mark.shard for mark in made.marks],
        "sequences": [mark.sequence for mark in made.marks],
        "hashes": [mark.hash for mark in made.marks],
        "key_id": key_id,
        "signature": signature,
        "created_at": made.moment,
    }


def each(tx: Transaction) -> Iterator[Sequence[Row[Any]]]:
    """Yields every round by number, with flat memory."""
    return tx.parts(select(ledger_rounds).order_by(ledger_rounds.c.number), AT_ONCE)


def by_chain(tx: Transaction) -> Generator[Sequence[Row[Any]], None, None]:
    """Yields every place that a round names, by chain and place, with flat memory: `shard`, `sequences` of
    some thousand entries that follow each other, and `numbers` of the rounds that name them, one for each.
    Close it where not all is read."""
    yield from tx.parts(_BY_CHAIN, 8)


def last_number(tx: Transaction) -> int:
    """Returns the number of the newest round; 0: there is none."""
    return tx.execute(select(func.max(ledger_rounds.c.number))).scalar() or 0


def newest_of_chains(tx: Transaction) -> Sequence[Row[Any]]:
    """Returns the newest checkpoint of each single chain, from before there were rounds: it covers those
    before it, whose hashes `contradicted` compares."""
    return tx.execute(_NEWEST_OF_CHAINS).all()


def contradicted(tx: Transaction, first: int, limit: int) -> Sequence[Row[Any]]:
    """Returns entries that are not what a round from the number `first` on, or a checkpoint from before
    (`number` 0), says of their chain: `shard`, `sequence`, `number` of the first that does, `missing` where
    none is at that place."""
    return tx.execute(_CONTRADICTED, {"first": first, "limit": limit}).all()
