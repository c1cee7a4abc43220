"""Reads the whole ledger, for verification: in blocks, each in one piece, which is the fastest to carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

from sqlalchemy import Row, text

from services.platform.db.transaction import Transaction

LIMIT = 8192  # entries read together
HASH = 32  # bytes
SEPARATOR = b"\x1e"  # no field contains it
# What `Entry.digest` covers, put together where the entries lie. A double holds microseconds until 2255.
_COVERED = """concat_ws(E'\\x1f', shard, sequence, transaction, operation, kind, owner, cents, currency,
    reference, round(date_part('epoch', created_at) * 1000000)::bigint)"""
_BLOCKS = text(f"""SELECT shard, min(sequence) AS first, max(sequence) AS last,
  string_agg(CASE WHEN length(hash) = 32 THEN hash ELSE decode(repeat('00', 32), 'hex') END, ''
    ORDER BY sequence) AS hashes,
  convert_to(string_agg(covered, E'\\x1e' ORDER BY sequence), 'UTF8') AS covered
FROM (
  SELECT shard, sequence, hash, {_COVERED} AS covered FROM ledger_entries
  WHERE (shard, sequence) > (:shard, :after) ORDER BY shard, sequence LIMIT :limit
) AS e GROUP BY shard ORDER BY shard""")  # noqa: S608 - text of our own
_ENTRIES = text(f"""SELECT sequence, hash, convert_to({_COVERED}, 'UTF8') AS covered FROM ledger_entries
WHERE shard = :shard AND sequence BETWEEN :first AND :last ORDER BY sequence""")  # noqa: S608 - our own
_UNBALANCED = text("""SELECT shard, min(sequence) AS sequence, sum(cents) AS cents FROM ledger_entries
GROUP BY shard, transaction HAVING sum(cents) <> 0 ORDER BY 1, 2 LIMIT :limit""")
_COUNT = text("SELECT count(*) FROM (SELECT DISTINCT shard, transaction FROM ledger_entries) AS t")
_SUMS = text("SELECT shard, kind, sum(cents) AS cents FROM ledger_entries GROUP BY shard, kind")


class Block(NamedTuple):
    """Entries that follow each other in a chain: places of the first and the last, hashes, and what each
    covers beside the hash before."""

    shard: int
    first: int
    last: int
    hashes: list[bytes]
    covered: list[bytes]


class Reader:
    """Reads in a thread of its own, so that the next block comes while one is worked on. A context manager;
    all statements of the transaction go through it meanwhile."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._beside = ThreadPoolExecutor(1, "ledger")

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._beside.shutdown()

    def blocks(self) -> Iterator[Block]:
        """Yields every entry by chain and place, with flat memory."""
        following = self._beside.submit(self._read, -1, 0)
        while rows := following.result():
            following = self._beside.submit(self._read, rows[-1].shard, rows[-1].last)
            for row in rows:
                together = bytes(row.hashes)
                hashes = [together[start : start + HASH] for start in range(0, len(together), HASH)]
                yield Block(row.shard, row.first, row.last, hashes, bytes(row.covered).split(SEPARATOR))

    def each(self, parts: Iterator[Sequence[Row[Any]]]) -> Iterator[Row[Any]]:
        """Yields what another statement of the transaction finds, part by part."""
        while part := self._beside.submit(next, parts, ()).result():
            yield from part

    def entries(self, block: Block) -> Sequence[Row[Any]]:
        """Returns the entries of a block each by itself: `sequence`, `hash` and `covered`."""
        wanted = {"shard": block.shard, "first": block.first, "last": block.last}
        return self._beside.submit(lambda: self._tx.execute(_ENTRIES, wanted).all()).result()

    def _read(self, shard: int, after: int) -> Sequence[Row[Any]]:
        return self._tx.execute(_BLOCKS, {"shard": shard, "after": after, "limit": LIMIT}).all()


def unbalanced(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Returns transactions that do not sum to zero: `shard`, `sequence` of the first entry, `cents`."""
    return tx.execute(_UNBALANCED, {"limit": limit}).all()


def transaction_count(tx: Transaction) -> int:
    """Returns how many transactions are entered."""
    return int(tx.execute(_COUNT).scalar_one())


def entered_sums(tx: Transaction) -> dict[int, dict[int, int]]:
    """Returns the sums of entries in cents by chain and kind of account."""
    found: dict[int, dict[int, int]] = {}
    for row in tx.execute(_SUMS):
        found.setdefault(row.shard, {})[row.kind] = int(row.cents)
    return found
