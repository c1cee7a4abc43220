"""Reads the whole ledger and says where it is not what it should be. Memory stays flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select, text

from services.platform.db.engine import milliseconds
from services.platform.db.transaction import Transaction
from services.platform.identity.principals import ANONYMOUS
from services.platform.rpc.interceptors.deadline import LONGEST
from services.vouchers.domain.findings import Report
from services.vouchers.domain.ledger import START, Head, Kind
from services.vouchers.store import ledger, levies, rounds, turnover
from services.vouchers.store.ledger_reading import (
    Block,
    Reader,
    entered_sums,
    transaction_count,
    unbalanced,
)
from services.vouchers.verifying_rounds import (
    Keys,
    Known,
    Marks,
    Signatures,
    check_newest_of_chains,
    check_rounds,
)

# Seconds that a statement of a verification may take, and a transaction of it stand idle until the other is
# done: a sum reads every entry there is, for which what bounds ordinary statements is too short. A call that
# answers once lasts no longer, so nobody waits for more.
PATIENCE = LONGEST
ALIVE = 1.0  # seconds after which a verification that waits says so
_PATIENCE = text("""SELECT set_config('statement_timeout', :limit, true),
  set_config('idle_in_transaction_session_timeout', :limit, true)""")


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
    and kind of account, accounts that are not what their entries say, and counts behind statements that
    are not."""

    transactions: int
    unbalanced: Sequence[Row[Any]]
    entered: Mapping[int, Mapping[int, int]]
    balances: Sequence[Row[Any]]
    counts: Sequence[Row[Any]]
    levies: Sequence[Row[Any]]


def verify(engine: Engine, keys: Keys, limit: int = 100) -> Report:
    """Does what `verifying` does, within PATIENCE for each statement; returns the whole report."""
    return deque(verifying(engine, keys, PATIENCE, limit), maxlen=1).pop()


def verifying(
    engine: Engine, keys: Keys, patience: float, limit: int = 100, known: Known | None = None
) -> Generator[Report, None, None]:
    """Compares hashes, gaps, sums of transactions, heads, rounds, checkpoints, balances and the counts behind
    statements; changes nothing. Yields the report each time it has grown, in the end whole.

    `keys`: public keys of rounds by id; `known`: digests of rounds by number, as they were kept outside.
    Reads one moment of the database (REPEATABLE READ) while redeeming goes on: the chains over one connection
    and the sums over another, at the same time. Raises SQLAlchemy's TimeoutError at once when the pool of
    `engine` has not both, and its errors when a statement takes longer than `patience` (seconds).
    """
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    reading = engine.execution_options(**options)
    with (
        reading.connect() as connection,
        reading.connect() as other,
        ThreadPoolExecutor(1, "sums") as beside,
    ):
        now, moment = connection.execute(select(func.now(), func.pg_export_snapshot())).one()
        _be_patient(connection, patience)
        sums = beside.submit(_add_up, other, moment, now, limit, patience)
        report, tx = Report(limit), Transaction(connection, ANONYMOUS, now)
        signatures = Signatures(keys)
        try:
            for _ in _check_all(tx, report, signatures, known or {}, sums):
                yield report
        except BaseException:  # also where nobody waits any more
            _give_up(other, sums)
            raise


def _be_patient(connection: Connection, seconds: float) -> None:
    connection.execute(_PATIENCE, {"limit": str(milliseconds(seconds))})


def _give_up(connection: Connection, sums: Future[_Sums]) -> None:
    driver = connection.connection.driver_connection
    if driver and not sums.done():
        driver.cancel()


def _add_up(connection: Connection, moment: str, now: datetime, limit: int, patience: float) -> _Sums:
    """Adds up what there is at the moment (name of a snapshot) that another connection has open."""
    connection.execute(text(f"SET TRANSACTION SNAPSHOT '{moment}'"))  # before any query
    _be_patient(connection, patience)
    tx = Transaction(connection, ANONYMOUS, now)
    balances = tx.execute(_BALANCES, {"limit": limit}).all()
    counts = turnover.different(tx, limit), levies.different(tx, limit)
    return _Sums(transaction_count(tx), unbalanced(tx, limit), entered_sums(tx), balances, *counts)


def _check_all(
    tx: Transaction, report: Report, signatures: Signatures, known: Known, sums: Future[_Sums]
) -> Iterator[None]:
    """Reads chains and rounds and waits for the sums; yields now and then."""
    heads = ledger.heads(tx)
    report.expected = sum(head.sequence for head in heads.values())
    newest = check_newest_of_chains(tx, report, signatures)
    ends: dict[int, tuple[int, bytes]] = {}
    with closing(rounds.by_chain(tx)) as places, Reader(tx) as reader:
        marks = Marks(reader.each(places), rounds.last_number(tx), newest)
        yield from _check_chains(reader, report, marks, ends)
    yield from check_rounds(tx, report, signatures, marks, known)
    while wait([sums], ALIVE).not_done:
        yield
    _compare(report, heads, ends, sums.result())
    yield


def _check_chains(
    reader: Reader, report: Report, marks: Marks, ends: dict[int, tuple[int, bytes]]
) -> Iterator[None]:
    """Reads every entry; notes place and hash of the last one of each chain in `ends`."""
    for block in reader.blocks():
        hashes = _check_block(reader, report, block, *ends.get(block.shard, (0, START)))
        marks.take(report, block.shard, block.last, hashes)
        report.entries += len(hashes)
        ends[block.shard] = block.last, hashes[block.last]
        yield


def _compare(
    report: Report, heads: Mapping[int, Head], ends: Mapping[int, tuple[int, bytes]], sums: _Sums
) -> None:
    """Compares what the chains say with heads and sums."""
    report.transactions = sums.transactions
    for row in sums.unbalanced:
        report.add(row.shard, row.sequence, "UNBALANCED", f"The transaction sums to {row.cents} cents.")
    for shard, head in heads.items():
        _compare_head(report, head, *ends.get(shard, (0, START)), sums.entered.get(shard, {}))
    for row in sums.balances:
        kind = "NEGATIVE" if row.booked < 0 and not Kind(row.kind).external else "BALANCE"
        said = f"{Kind(row.kind).name} of {row.owner}: {row.kept} cents kept, {row.booked} booked."
        report.add(row.shard, 0, kind, said)
    for row in sums.counts:
        what = f"{row.operation} {Kind(row.kind).name}".strip()
        where = f"{row.kept_in} of {row.organisation}, {row.day}, {what}"
        said = f"{where}: {row.kept} {row.currency} cents kept, {row.entered} counted."
        report.add(-1, 0, "TURNOVER", said)
    for row in sums.levies:
        where = f"levy_turnover of levyAccounts/{row.account_id}, {row.year}"
        report.add(-1, 0, "TURNOVER", f"{where}: {row.kept} cents kept, {row.entered} counted.")


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


def _compare_head(
    report: Report, head: Head, sequence: int, chain_hash: bytes, sums: Mapping[int, int]
) -> None:
    if (head.sequence, head.hash) != (sequence, chain_hash):
        report.add(head.shard, head.sequence, "HEAD", f"The head says {head.sequence}, the chain {sequence}.")
    for kind, cents in head.deltas.items():
        if cents != sums.get(kind, 0):
            said = f"{kind.name}: the head says {cents} cents, the entries {sums.get(kind, 0)}."
            report.add(head.shard, head.sequence, "HEAD", said)
