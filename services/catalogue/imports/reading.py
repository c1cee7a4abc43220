"""How far a run has read its file, so that whoever takes it up goes on with the first record not read yet.

The mark is written together with the batch that it stands behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.catalogue.store import feed_runs, staging
from services.platform.db.transaction import Transaction


class Mark(NamedTuple):
    """What was found up to here: `counts` by column of the run, of which `records_in` says how far that is.

    `salt`: what the reading depends on beside the file; `told`: as in `Context`; `staged` and `findings`: how
    many records and findings are kept of it.
    """

    salt: str
    counts: dict[str, int]
    nameless: int
    told: Sequence[str]
    staged: int
    findings: int


def taken_up(tx: Transaction, run: Any, salt: str) -> Mark:
    """Returns where a run (its row) reads on, and forgets what it found beyond.

    From the beginning where what it read would be read otherwise by now (`salt`), and where staged records
    are lost: a crash of the database empties their table.
    """
    mark = Mark(**run.reading) if run.reading else None
    if mark is None or mark.salt != salt or mark.staged != staging.count(tx, run.id):
        mark = Mark(salt, {}, 0, (), 0, 0)
        staging.forget(tx, run.id)
    feed_runs.forget_findings(tx, run.id, mark.findings)
    return mark
