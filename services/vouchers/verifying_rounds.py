"""Compares signed rounds, and checkpoints from before there were any, with each other and with copies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row

from services.platform.db.transaction import Transaction
from services.vouchers.domain.findings import Report
from services.vouchers.domain.ledger import checkpoint_text
from services.vouchers.domain.rounds import START, Round, fold
from services.vouchers.store import rounds
from services.vouchers.store.ledger_reading import HASH

MOST = 1 << 22  # rounds of forty years: a number that somebody made up must not take all memory
Keys = Mapping[str, bytes]  # public keys, 32 bytes each, by id
Known = Mapping[int, str]  # digests of rounds in hex by number, as somebody kept them


class Signatures:
    """Checks signatures by the id of their key."""

    def __init__(self, keys: Keys) -> None:
        self._keys = {id_: Ed25519PublicKey.from_public_bytes(public) for id_, public in keys.items()}

    def fault(self, row: Row[Any], signed: bytes) -> str:
        """Returns what is wrong with `key_id` and `signature` of a row over `signed`; empty: nothing."""
        key = self._keys.get(row.key_id)
        if key is None:
            return f"The key {row.key_id} that signed is neither the present one nor among the former ones."
        try:
            key.verify(bytes(row.signature), signed)
        except InvalidSignature:
            return "The signature does not agree with what it is of."
        return ""


class Marks:
    """Compares what chains hold, as they are read, with the places that were signed.

    Of each round only a digest is kept, of what chains hold at the places it is said to name; `says` tells
    whether that is what the round signed. So nothing here rests on a comparison that the database makes,
    whose owner could have changed it.
    """

    def __init__(self, places: Iterator[Row[Any]], last: int, newest: Sequence[Row[Any]]) -> None:
        """`places`: of all rounds, as `rounds.by_chain` has them; `last`: number of the newest; `newest`:
        checkpoints of single chains, from before there were rounds."""
        self._places = places
        self._part, self._at = next(places, None), 0  # and how many of its places have been passed
        self._digests = bytearray(HASH * (min(last, MOST) + 1))
        self._newest = {row.shard: row for row in newest}

    def take(self, report: Report, shard: int, last: int, hashes: Mapping[int, bytes]) -> None:
        """Takes the hashes of the entries of a chain up to `last`, by place, that follow those before."""
        while (part := self._part) and part.shard <= shard:
            at, self._at = self._at, len(part.sequences)
            if part.shard == shard:
                self._at = bisect_right(part.sequences, last, at)
                named = zip(part.sequences[at : self._at], part.numbers[at : self._at], strict=True)
                self._fold(shard, named, hashes)
            if self._at < len(part.sequences):
                break
            self._part, self._at = next(self._places, None), 0
        old = self._newest.get(shard)
        if old and old.sequence in hashes and hashes[old.sequence] != bytes(old.hash):
            report.add(shard, old.sequence, "CHECKPOINT", "The entry is not the one that was signed.")

    def _fold(self, shard: int, named: Iterable[tuple[int, int]], hashes: Mapping[int, bytes]) -> None:
        """Takes places of a chain, each with the number of a round that names it."""
        digests, end = self._digests, len(self._digests)
        for sequence, number in named:
            at, found = HASH * number, hashes.get(sequence)
            if found and 0 < at < end:
                own = slice(at, at + HASH)
                digests[own] = fold(digests[own], shard, sequence, found)

    def says(self, made: Round) -> bool:
        """True when the chains hold what a round signed."""
        at = HASH * made.number
        return bytes(self._digests[at : at + HASH]) == made.marks_digest


@dataclass
class _Following:
    """Where reading rounds one after the other has come to; `wrong`: those that chains do not agree with."""

    number: int = 0
    digest: bytes = START
    wrong: list[int] = field(default_factory=list)


def check_rounds(
    tx: Transaction, report: Report, signatures: Signatures, marks: Marks, known: Known
) -> Iterator[None]:
    """Reads every round and compares numbers, what each covers, signatures, chains and the rounds `known`;
    yields now and then."""
    before, absent = _Following(), dict(known)
    for part in rounds.each(tx):
        for row in part:
            made = rounds.round_of(row)
            _check_place(report, made, before)
            if fault := signatures.fault(row, made.text):
                report.add(-1, 0, "ROUND", fault, made.number)
            if not marks.says(made):
                before.wrong.append(made.number)
            before.number, before.digest = made.number, made.digest
            if absent.pop(made.number, made.digest.hex()) != made.digest.hex():
                report.add(-1, 0, "ROUND", "The round is another one than was kept outside.", made.number)
            report.checkpoints += 1
        yield
    _name_entries(tx, report, before.wrong[0] if before.wrong else before.number + 1)
    if before.wrong:
        said = f"The chains do not hold what {len(before.wrong)} rounds from this one on signed."
        report.add(-1, 0, "ROUND", said, before.wrong[0])
    if absent:
        said = f"{len(absent)} that were kept outside are missing; {before.number} is the last there is."
        report.add(-1, 0, "ROUND", said, min(absent))


def _name_entries(tx: Transaction, report: Report, first: int) -> None:
    """Names entries that are not what rounds from `first` on, or checkpoints of single chains, say."""
    for row in rounds.contradicted(tx, first, report.limit):
        said = "There is no entry where" if row.missing else "The entry is not the one that"
        signed = f"round {row.number}" if row.number else "a checkpoint of the chain"
        report.add(row.shard, row.sequence, "CHECKPOINT", f"{said} {signed} says.", row.number)


def _check_place(report: Report, made: Round, before: _Following) -> None:
    if made.number != before.number + 1:
        up_to = f", and all before {made.number}" if made.number > before.number + 2 else ""
        report.add(-1, 0, "ROUND", f"Round {before.number + 1} is missing{up_to}.", before.number + 1)
    elif made.previous != before.digest:
        report.add(-1, 0, "ROUND", "The round does not cover the one before.", made.number)


def check_newest_of_chains(tx: Transaction, report: Report, signatures: Signatures) -> Sequence[Row[Any]]:
    """Compares signatures of the checkpoints of single chains from before there were rounds; returns the
    newest of each chain."""
    newest = rounds.newest_of_chains(tx)
    for row in newest:
        report.checkpoints += 1
        signed = checkpoint_text(row.shard, row.sequence, bytes(row.hash), row.created_at)
        if fault := signatures.fault(row, signed):
            report.add(row.shard, row.sequence, "CHECKPOINT", fault)
    return newest
