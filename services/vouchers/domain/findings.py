"""What a verification of the ledger read and found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something wrong. `kind`: HASH, GAP, UNBALANCED, BALANCE, CHECKPOINT, NEGATIVE, HEAD, ROUND or TURNOVER.
    `round`: its number, 0 where the finding is about none; `shard` -1: about no chain, or nobody knows
    which."""

    shard: int
    sequence: int
    kind: str
    text: str
    round: int = 0


@dataclass
class Report:
    """What was read so far, of entries `expected` by the heads, and found; `findings` stops growing at the
    limit."""

    limit: int
    expected: int = 0
    entries: int = 0
    transactions: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, shard: int, sequence: int, kind: str, said: str, number: int = 0) -> None:
        """Notes a finding; `number` of a round."""
        if len(self.findings) < self.limit:
            self.findings.append(Finding(shard, sequence, kind, said, number))
