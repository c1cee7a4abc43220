"""Reads the whole ledger and says where it is not what it should be. Memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Engine, Row, func, select, text

from services.platform.db.transaction import Transaction
from services.platform.identity.principals import ANONYMOUS
from services.vouchers.domain.ledger import START, Entry, Head, Kind, checkpoint_text
from services.vouchers.domain.qr import SigningKey
from services.vouchers.store import ledger


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


# Accounts as the tables have them against the sum of their entries. Kinds as in domain/ledger.py.
_BALANCES = text("""WITH kept AS (
  SELECT 2 AS kind, name AS owner, available_cents AS cents FROM pots
  UNION ALL SELECT 3, 'vouchers/' || id, available_cents FROM vouchers
  UNION ALL SELECT 4, 'vouchers/' || id, reserved_cents FROM vouchers
  UNION ALL SELECT 5, 'redemptions/' || id, held_cents FROM redemptions
  UNION ALL SELECT 6, 'redemptions/' || id, cleared_cents FROM redemptions
  UNION ALL SELECT 8, 'receivables/' || id, set_off_cents + written_off_cents - amount_cents FROM receivables
  UNION ALL SELECT 10, 'levyAccounts/' || account_id, sum(contributed_cents - claimed_cents - expired_cents)
    FROM levy_years GROUP BY account_id
  UNION ALL SELECT 11, 'outcomeContracts/' || id, available_cents FROM outcome_contracts
  UNION ALL SELECT 12, 'employerObligations/' || id, paid_cents - owed_cents FROM employer_obligations
), booked AS (
  SELECT kind, owner, min(shard) AS shard, sum(cents) AS cents FROM ledger_entries
  WHERE kind BETWEEN 2 AND 6 OR kind IN (8, 10, 11, 12) GROUP BY kind, owner
)
SELECT coalesce(k.kind, b.kind) AS kind, coalesce(k.owner, b.owner) AS owner, coalesce(b.shard, -1) AS shard,
  coalesce(k.cents, 0) AS kept, coalesce(b.cents, 0) AS booked
FROM kept k FULL JOIN booked b ON b.kind = k.kind AND b.owner = k.owner
WHERE coalesce(k.cents, 0) <> coalesce(b.cents, 0) OR coalesce(b.cents, 0) < 0 AND b.kind NOT IN (8, 12)
ORDER BY 2, 1 LIMIT :limit""")


def verify(engine: Engine, key: SigningKey, limit: int = 100) -> Report:
    """Compares hashes, gaps, sums of transactions, heads, checkpoints and balances; changes nothing.

    Reads one moment of the database (REPEATABLE READ) while redeeming goes on.
    """
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        now = connection.execute(select(func.now())).scalar_one()
        return _verify(Transaction(connection, ANONYMOUS, now), key, limit)


def _verify(tx: Transaction, key: SigningKey, limit: int) -> Report:
    report = Report(limit)
    heads = ledger.heads(tx)
    marks = ledger.checkpoints(tx)
    last: dict[int, Entry] = {}
    sums: dict[int, dict[int, int]] = {}
    for chain in _transactions(_walk(tx, report, marks, key, last)):
        report.transactions += 1
        total = sum(entry.cents for entry in chain)
        if total:
            said = f"The transaction sums to {total} cents."
            report.add(chain[0].shard, chain[0].sequence, "UNBALANCED", said)
        for entry in chain:
            kinds = sums.setdefault(entry.shard, {})
            kinds[entry.kind] = kinds.get(entry.kind, 0) + entry.cents
    for shard, head in heads.items():
        _compare_head(report, head, last.get(shard), sums.get(shard, {}))
    for shard, sequence in sorted(marks):
        end = last.get(shard)
        if end is None or end.sequence < sequence:
            report.add(shard, sequence, "CHECKPOINT", "The chain ends before its checkpoint.")
    _compare_balances(tx, report)
    return report


def _walk(
    tx: Transaction,
    report: Report,
    marks: Mapping[tuple[int, int], Row[Any]],
    key: SigningKey,
    last: dict[int, Entry],
) -> Iterator[Entry]:
    """Yields each entry after comparing its place, its hash and its checkpoint."""
    for entry in ledger.stream(tx):
        before = last.get(entry.shard)
        expected = before.sequence + 1 if before else 1
        if entry.sequence != expected:
            report.add(entry.shard, entry.sequence, "GAP", f"Entry {expected} is missing.")
        if entry.digest(before.hash if before else START) != entry.hash:
            report.add(entry.shard, entry.sequence, "HASH", "The entry or the one before was changed.")
        mark = marks.get((entry.shard, entry.sequence))
        if mark is not None:
            report.checkpoints += 1
            if not _agrees(mark, entry, key):
                report.add(entry.shard, entry.sequence, "CHECKPOINT", "Signature or hash does not agree.")
        last[entry.shard] = entry
        report.entries += 1
        yield entry


def _transactions(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Yields the entries of each transaction; they stand together in their chain."""
    together: list[Entry] = []
    for entry in entries:
        first = together[0] if together else entry
        if (entry.transaction, entry.shard) != (first.transaction, first.shard):
            yield together
            together = []
        together.append(entry)
    if together:
        yield together


def _agrees(mark: Row[Any], entry: Entry, key: SigningKey) -> bool:
    signed = checkpoint_text(mark.shard, mark.sequence, bytes(mark.hash), mark.created_at)
    try:
        key.private.public_key().verify(bytes(mark.signature), signed)
    except InvalidSignature:
        return False
    return bytes(mark.hash) == entry.hash


def _compare_head(report: Report, head: Head, end: Entry | None, sums: dict[int, int]) -> None:
    sequence, chain_hash = (end.sequence, end.hash) if end else (0, START)
    if (head.sequence, head.hash) != (sequence, chain_hash):
        report.add(head.shard, head.sequence, "HEAD", f"The head says {head.sequence}, the chain {sequence}.")
    for kind, cents in head.deltas.items():
        if cents != sums.get(kind, 0):
            said = f"{kind.name}: the head says {cents} cents, the entries {sums.get(kind, 0)}."
            report.add(head.shard, head.sequence, "HEAD", said)


def _compare_balances(tx: Transaction, report: Report) -> None:
    for row in tx.execute(_BALANCES, {"limit": report.limit}):
        kind = "NEGATIVE" if row.booked < 0 and not Kind(row.kind).external else "BALANCE"
        said = f"{Kind(row.kind).name} of {row.owner}: {row.kept} cents kept, {row.booked} booked."
        report.add(row.shard, 0, kind, said)
