"""Points in a transaction at which a test can hold every caller, so that a kill hits exactly there.

A trigger takes a shared advisory lock at each point; a closed gate holds that lock alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import LiteralString

import psycopg

# The server's own lock timeout would let callers through; a deadline still ends them.
_FUNCTION = """
CREATE OR REPLACE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = '5min' AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint); RETURN coalesce(NEW, OLD); END $$
"""


class Point(IntEnum):
    """Where a gate stands; the numbers are those of the locks."""

    CLAIMED = 880_001  # the request id is taken, nothing else is done yet
    COMMITTING = 880_002  # everything is written, COMMIT is under way
    PUBLISHED = 880_003  # the broker has the events, the outbox still has them too
    EFFECT = 880_004  # events had their effect, COMMIT is under way, the broker knows nothing of it


_DEFERRED = "DEFERRABLE INITIALLY DEFERRED"
_TRIGGERS = {
    "vouchers": {
        Point.CLAIMED: "CREATE TRIGGER gate_claimed AFTER INSERT ON request_ids",
        Point.COMMITTING: "CREATE CONSTRAINT TRIGGER gate_committing AFTER INSERT OR UPDATE ON redemptions "
        + _DEFERRED,
        Point.PUBLISHED: "CREATE TRIGGER gate_published BEFORE DELETE ON outbox",
    },
    "portfolio": {
        Point.EFFECT: f"CREATE CONSTRAINT TRIGGER gate_effect AFTER INSERT ON inbox {_DEFERRED}",
        Point.COMMITTING: "CREATE CONSTRAINT TRIGGER gate_committing "
        f"AFTER INSERT OR UPDATE OR DELETE ON evidence {_DEFERRED}",
    },
}


@dataclass(frozen=True)
class Gate:
    """A closed gate; `opening` is the connection that holds it."""

    point: Point
    opening: psycopg.Connection[tuple[object, ...]]

    def waiting(self) -> int:
        """How many transactions stand before it."""
        return self._count("NOT granted")

    def answering(self) -> int:
        """How many of these answer a request: jobs take no request id."""
        asked: LiteralString = "SELECT pid FROM pg_locks WHERE relation = 'request_ids'::regclass"
        return self._count(f"NOT granted AND pid IN ({asked} AND mode = 'RowExclusiveLock')")

    def inside(self) -> int:
        """How many transactions stand before it or have passed it and are not over."""
        return self._count("mode = 'ShareLock'")

    def _count(self, which: LiteralString) -> int:
        query: LiteralString = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s::bigint AND "
        )
        row = self.opening.execute(query + which, (int(self.point),)).fetchone()
        assert row is not None
        return int(str(row[0]))

    def open(self) -> None:
        """Lets everybody through."""
        self.opening.execute("SELECT pg_advisory_unlock_all()")


@dataclass(frozen=True)
class Gates:
    """The gates of one service's database, all open until one is closed."""

    url: str

    @contextmanager
    def closed(self, point: Point) -> Iterator[Gate]:
        """Closes a gate for the length of the block, or until it is opened."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (int(point),))
            yield Gate(point, connection)


@contextmanager
def gates(url: str, service: str = "vouchers") -> Iterator[Gates]:
    """Builds the gates into the service's database at `url` (an administrator's) and takes them out again."""
    with psycopg.connect(url, autocommit=True) as admin, ExitStack() as ending:
        ending.callback(admin.execute, "DROP FUNCTION gate() CASCADE")
        admin.execute(_FUNCTION)
        for point, trigger in _TRIGGERS[service].items():
            admin.execute(f"{trigger} FOR EACH ROW EXECUTE FUNCTION gate({int(point)})".encode())
        yield Gates(url)
