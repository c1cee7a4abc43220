"""Reads the whole ledger and says where it is not what it should be. Memory stays flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Connection, Engine, Row, func, select, text

from services.platform.db.engine import milliseconds
from services.platform.db.transaction import Transaction
from services.platform.identity.principals import ANONYMOUS
from services.platform.rpc.interceptors.deadline import LONGEST
from services.platform.signing import SigningKey
from services.vouchers.domain.ledger import START, Head, Kind, checkpoint_text
from services.vouchers.store import ledger
from services.vouchers.store.ledger_reading import (
    Block,
    Reader,
    entered_sums,
    transaction_count,
    unbalanced,
)

# Seconds that a statement of a verification may take, and a transaction of it stand idle until the other is
# done: a sum reads every entry there is, for which what bounds ordinary statements is too short. A call lasts
# no longer, so nobody waits for more.
PATIENCE = LONGEST
_PATIENCE = text("""SELECT set_config('statement_timeout', :limit, true),
  set_config('idle_in_transaction_session_timeout', :limit, true)""")


@dataclass(frozen=True)
class Finding:
    """Something wrong. `kind`: HASH, GAP, UNBALANCED, BALANCE, CHECKPOINT, NEGATIVE or HEAD."""

    shard: int
    sequence: int
    kind: str
    text: str


@dataclass
class Report:
    """What was read and found; `findings` stops growing at the limit."""

    limit: int
    entries: int = 0
    transactions: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, shard: int, sequence: int, kind: str, said: str) -> None:
        """Notes a finding."""
        if len(self.findings) < self.limit:
            self.findings.append(Finding(shard, sequence, kind, said))


# Accounts as the tables have them against the sum of their entries. Kinds as in domain/ledger.py; of funders
# (1) only what the bank has confirmed to investors, by what it was for; of BANK_CLEARING (7) what batches
# paid.
_BALANCES = text("""WITH kept AS (
  SELECT 2 AS kind, name AS owner, available_cents AS cents FROM pots
  UNION ALL SELECT 2, 'waitingListEntries/' || id, held_cents FROM waiting_list
  UNION ALL SELECT 3, 'vouchers/' || id, available_cents FROM vouchers
  UNION ALL SELECT 4, 'vouchers/' || id, reserved_cents FROM vouchers
  UNION ALL SELECT 5, 'redemptions/' || id, held_cents FROM redemptions
  UNION ALL SELECT 6, 'redemptions/' || id, cleared_cents FROM redemptions
  UNION ALL SELECT 6, subject, cents FROM payables WHERE state < 3
  UNION ALL SELECT 1, subject, cents FROM payables WHERE state = 4
  UNION ALL SELECT 7, 'payoutBatches/' || batch_id, sum(cents) FROM payables WHERE state = 3 GROUP BY batch_id
  UNION ALL SELECT 7, 'payoutBatches/' || batch_id, sum(paid_cents) FROM redemptions WHERE paid_cents > 0
    GROUP BY batch_id
  UNION ALL SELECT 8, 'receivables/' || id, set_off_cents + paid_cents + written_off_cents - amount_cents
    FROM receivables
  UNION ALL SELECT 10, 'levyAccounts/' || account_id, sum(contributed_cents - claimed_cents - expired_cents)
    FROM levy_years GROUP BY account_id
  UNION ALL SELECT 11, 'outcomeContracts/' || id, available_cents FROM outcome_contracts
  UNION ALL SELECT 12, 'employerObligations/' || id, paid_cents + written_off_cents - owed_cents
    FROM employer_obligations
), booked AS (
  SELECT kind, CASE kind WHEN 1 THEN reference ELSE owner END AS owner, min(shard) AS shard,
    sum(cents) AS cents
  FROM ledger_entries
  WHERE kind BETWEEN 2 AND 6 OR kind IN (8, 10, 11, 12)
    OR kind = 7 AND owner LIKE 'payoutBatches/%'
    OR kind = 1 AND operation IN ('repaid', 'return')
  GROUP BY 1, 2
)
SELECT coalesce(k.kind, b.kind) AS kind, coalesce(k.owner, b.owner) AS owner, coalesce(b.shard, -1) AS shard,
  coalesce(k.cents, 0) AS kept, coalesce(b.cents, 0) AS booked
FROM kept k FULL JOIN booked b ON b.kind = k.kind AND b.owner = k.owner
WHERE coalesce(k.cents, 0) <> coalesce(b.cents, 0) OR coalesce(b.cents, 0) < 0 AND b.kind NOT IN (8, 12)
ORDER BY 2, 1 LIMIT :limit""")


class _Sums(NamedTuple):
    """What the database alone adds up: how many transactions, those that do not sum to zero, cents by chain
    and kind of account, and accounts that are not what their entries say."""

    transactions: int
    unbalanced: Sequence[Row[Any]]
    entered: Mapping[int, Mapping[int, int]]
    balances: Sequence[Row[Any]]


def verify(engine: Engine, key: SigningKey, limit: int = 100) -> Report:
    """Compares hashes, gaps, sums of transactions, heads, checkpoints and balances; changes nothing.

    Reads one moment of the database (REPEATABLE READ) while redeeming goes on: the chains over one connection
    and the sums over another, at the same time. Raises SQLAlchemy's TimeoutError at once when the pool of
    `engine` has not both, and its errors after PATIENCE.
    """
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    reading = engine.execution_options(**options)
    with (
        reading.connect() as connection,
        reading.connect() as other,
        ThreadPoolExecutor(1, "sums") as beside,
    ):
        now, moment = connection.execute(select(func.now(), func.pg_export_snapshot())).one()
        _be_patient(connection)
        sums = beside.submit(_add_up, other, moment, now, limit)
        report, tx = Report(limit), Transaction(connection, ANONYMOUS, now)
        marks = _marks(tx)
        ends = _check_chains(tx, report, marks, key)
        _compare(tx, report, ends, marks, sums.result())
    return report


def _be_patient(connection: Connection) -> None:
    connection.execute(_PATIENCE, {"limit": str(milliseconds(PATIENCE))})


def _add_up(connection: Connection, moment: str, now: datetime, limit: int) -> _Sums:
    """Adds up what there is at the moment (name of a snapshot) that another connection has open."""
    connection.execute(text(f"SET TRANSACTION SNAPSHOT '{moment}'"))  # before any query
    _be_patient(connection)
    tx = Transaction(connection, ANONYMOUS, now)
    balances = tx.execute(_BALANCES, {"limit": limit}).all()
    return _Sums(transaction_count(tx), unbalanced(tx, limit), entered_sums(tx), balances)


def _marks(tx: Transaction) -> dict[int, dict[int, Row[Any]]]:
    """Returns the checkpoints by chain and place."""
    marks: dict[int, dict[int, Row[Any]]] = {}
    for (shard, sequence), mark in ledger.checkpoints(tx).items():
        marks.setdefault(shard, {})[sequence] = mark
    return marks


def _check_chains(
    tx: Transaction, report: Report, marks: Mapping[int, Mapping[int, Row[Any]]], key: SigningKey
) -> dict[int, tuple[int, bytes]]:
    """Reads every entry; returns place and hash of the last one of each chain."""
    ends: dict[int, tuple[int, bytes]] = {}
    with Reader(tx) as reader:
        for block in reader.blocks():
            hashes = _check_block(reader, report, block, *ends.get(block.shard, (0, START)))
            _check_marks(report, block.shard, hashes, marks.get(block.shard, {}), key)
            report.entries += len(hashes)
            ends[block.shard] = block.last, hashes[block.last]
    return ends


def _compare(
    tx: Transaction,
    report: Report,
    ends: Mapping[int, tuple[int, bytes]],
    marks: Mapping[int, Mapping[int, Row[Any]]],
    sums: _Sums,
) -> None:
    """Compares what the chains say with heads, checkpoints and sums."""
    report.transactions = sums.transactions
    for row in sums.unbalanced:
        report.add(row.shard, row.sequence, "UNBALANCED", f"The transaction sums to {row.cents} cents.")
    for shard, head in ledger.heads(tx).items():
        _compare_head(report, head, *ends.get(shard, (0, START)), sums.entered.get(shard, {}))
    for shard in sorted(marks):
        for sequence in sorted(marks[shard]):
            if ends.get(shard, (0, START))[0] < sequence:
                report.add(shard, sequence, "CHECKPOINT", "The chain ends before its checkpoint.")
    for row in sums.balances:
        kind = "NEGATIVE" if row.booked < 0 and not Kind(row.kind).external else "BALANCE"
        said = f"{Kind(row.kind).name} of {row.owner}: {row.kept} cents kept, {row.booked} booked."
        report.add(row.shard, 0, kind, said)


def _check_block(
    reader: Reader, report: Report, block: Block, last: int, before: bytes
) -> Mapping[int, bytes]:
    """Compares places and hashes with what must follow the entry at `last`, whose hash is `before`; returns
    the hashes by place."""
    places = range(last + 1, last + 1 + len(block.hashes))
    if (block.first, block.last, len(block.covered)) == (last + 1, places.stop - 1, len(places)):
        chained = zip([before, *block.hashes], block.covered, strict=False)
        if [sha256(before + covered).digest() for before, covered in chained] == block.hashes:
            return dict(zip(places, block.hashes, strict=True))
    found: dict[int, bytes] = {}
    for row in reader.entries(block):
        if row.sequence != last + 1:
            report.add(block.shard, row.sequence, "GAP", f"Entry {last + 1} is missing.")
        if sha256(before + bytes(row.covered)).digest() != bytes(row.hash):
            report.add(block.shard, row.sequence, "HASH", "The entry or the one before was changed.")
        last, before = row.sequence, bytes(row.hash)
        found[last] = before
    return found


def _check_marks(
    report: Report, shard: int, hashes: Mapping[int, bytes], marks: Mapping[int, Row[Any]], key: SigningKey
) -> None:
    """Compares the checkpoints of a chain that fall among `hashes`."""
    for sequence in sorted(marks.keys() & hashes.keys()):
        report.checkpoints += 1
        if not _agrees(marks[sequence], hashes[sequence], key):
            report.add(shard, sequence, "CHECKPOINT", "Signature or hash does not agree.")


def _agrees(mark: Row[Any], chain_hash: bytes, key: SigningKey) -> bool:
    signed = checkpoint_text(mark.shard, mark.sequence, bytes(mark.hash), mark.created_at)
    try:
        key.private.public_key().verify(bytes(mark.signature), signed)
    except InvalidSignature:
        return False
    return bytes(mark.hash) == chain_hash


def _compare_head(
    report: Report, head: Head, sequence: int, chain_hash: bytes, sums: Mapping[int, int]
) -> None:
    if (head.sequence, head.hash) != (sequence, chain_hash):
        report.add(head.shard, head.sequence, "HEAD", f"The head says {head.sequence}, the chain {sequence}.")
    for kind, cents in head.deltas.items():
        if cents != sums.get(kind, 0):
            said = f"{kind.name}: the head says {cents} cents, the entries {sums.get(kind, 0)}."
            report.add(head.shard, head.sequence, "HEAD", said)
