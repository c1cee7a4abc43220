"""Group commit: writes that wait at the same moment share one transaction.

A commit costs a flush to disk, round trips and a connection, however little it writes. Calls that a gathering
takes (`gathering`) join with what they have to lock; the work of all is then done in one transaction with two
messages.

Each member stays as it would be alone. It brings locks that never wait (`wire.locking`): who meets a row that
somebody else has locked, or that is not there, leaves the group and runs in a transaction of its own, and so
groups cannot deadlock. Who meets a row that an earlier member has changed reads it again. A member that is
refused takes back what it wrote, while the others go on. When the database fails the group, each runs alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy
import structlog
from sqlalchemy.exc import SQLAlchemyError
from waymark.errors.v1 import reason_pb2

from services.platform.db import requests
from services.platform.db.closing import Closing
from services.platform.db.transaction import Transaction, begin, commit
from services.platform.db.wire import Call, Prepared, keep_ahead, loaded, send, sent_ahead
from services.platform.errors import Refusal
from services.platform.gathering import aside, join
from services.platform.telemetry import metrics
from services.platform.telemetry.tracing import current_trace, enter_trace

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from services.platform.db.requests import Claiming
    from services.platform.identity.principals import Principal

_log = structlog.get_logger()

LARGEST = 32  # members of a group
PATIENCE = "100ms"  # waiting for the twin of a request; alone it may wait longer
_PATIENCE = Prepared("waymark_patience", f"SELECT set_config('lock_timeout', '{PATIENCE}', true)")()
_SAVE = Prepared("waymark_save", "SAVEPOINT member")()
_BACK = Prepared("waymark_back", "ROLLBACK TO SAVEPOINT member")()


class Work:
    """One write. `share` does it in a group's transaction; `claiming` and `locks` travel ahead of it.
    `deadline` is a moment of the monotonic clock."""

    def __init__(
        self,
        principal: Principal,
        claiming: Claiming,
        locks: Sequence[Call],
        deadline: float,
        share: Callable[[Transaction], Any],
    ) -> None:
        self.principal = principal
        self.claiming = claiming
        self.locks = locks
        self.deadline = deadline
        self.share = share
        self.trace = current_trace()
        self.done = False  # by a group, with an answer or an error
        self.answer: Any = None
        self.error: Exception | None = None

    def refuse(self, error: Exception) -> None:
        """Ends the work with an error."""
        self.done, self.error = True, error

    def outcome(self) -> Any:
        """Returns the answer, or raises the error, of what is done."""
        if self.error is not None:
            raise self.error
        return self.answer


def run(work: Work, alone: Callable[[], Any]) -> Any:
    """Returns what `work.share` returns or raises what it raises; `alone` does the same by itself.

    Raises Refusal(DEADLINE_EXCEEDED) when the turn comes too late. Outside a gathering there are no groups.
    """
    if join(work) and work.done:
        return work.outcome()
    return aside(alone)


class Groups:
    """One per process."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._engine = engine

    def serve(self, works: Sequence[Work]) -> None:
        """Does what can be done together; the rest is left undone."""
        for members in _split([work for work in works if not _late(work)]):
            # A group that fails has had no effect, or the request ids tell each which; each then runs alone.
            try:
                _Group(self._engine, members).run()
            except SQLAlchemyError:
                pass  # each hears for itself what the database says
            except Exception as error:
                _log.error("group failed", exc_info=error)
        enter_trace(None)


def _late(work: Work) -> bool:
    late = work.deadline <= time.monotonic()
    if late:
        work.refuse(Refusal(reason_pb2.REASON_DEADLINE_EXCEEDED))
    return late


def _split(works: Sequence[Work]) -> Iterator[Sequence[Work]]:
    """First come first served, but never two calls with the same request id in a group."""
    while works:
        members: dict[tuple[str, str, str], Work] = {}
        left = []
        for work in works:
            if len(members) < LARGEST and work.claiming.key not in members:
                members[work.claiming.key] = work
            else:
                left.append(work)
        yield list(members.values())
        works = left


class _Group:
    """One transaction of several."""

    def __init__(self, engine: sqlalchemy.Engine, members: Sequence[Work]) -> None:
        self._engine = engine
        self._members = members
        self._closing = Closing()  # of members that are done, not yet sent
        self._touched: set[tuple[str, Any]] = set()  # what they have locked

    def run(self) -> None:
        metrics.GROUP_SIZE.observe(len(self._members))
        claim = requests.claim([member.claiming for member in self._members])
        locks = [Call(_free(lock), lock.values) for member in self._members for lock in member.locks]
        longest = max(member.deadline for member in self._members) - time.monotonic()
        opened = begin(self._engine, [_PATIENCE, claim, *locks], timeout=longest)
        with opened.connection as connection:
            _, claimed, *locked = opened.results
            rows = requests.by_key(loaded(connection, claim, claimed))
            answers = iter(locked)
            shared = []
            for member in self._members:
                tx = _Shared(connection, member.principal, opened.now, self)
                tx.opening = rows[member.claiming.key]
                if self._serve(member, tx, [next(answers) for _ in member.locks]):
                    shared.append(member)
            commit(connection, self._closing.take())
        for member in shared:
            member.done = True

    def _serve(self, member: Work, tx: _Shared, locked: Sequence[PGresult]) -> bool:
        """Does the work of a member; returns False when it has to be done alone."""
        if not all(result.ntuples for result in locked):
            self._closing.calls.append(member.claiming.take_back())
            return False
        keys = self._keys(keep_ahead(tx.connection, member.locks, locked))
        if not self._touched.isdisjoint(keys):
            self.flush(tx.connection)
            keep_ahead(tx.connection, member.locks, send(tx.connection, member.locks))
        enter_trace(member.trace)
        try:
            member.answer = member.share(tx)
        except SQLAlchemyError:
            raise
        except Exception as error:
            tx.undo()
            self._closing.calls.append(member.claiming.take_back())
            member.error = error
            return True
        self._closing.add(tx.closing)
        self._touched |= keys
        return True

    def flush(self, connection: sqlalchemy.Connection, *more: Call) -> None:
        """Writes what members before have left for the commit."""
        if calls := [*self._closing.take(), *more]:
            send(connection, calls)

    def _keys(self, rows: Mapping[Call, Sequence[Any]]) -> set[tuple[str, Any]]:
        return {
            (key, getattr(row, key))
            for call, found in rows.items()
            for row in found
            for key in call.prepared.keys
        }


class _Shared(Transaction):
    """What a member takes for its transaction. Its own statements, beyond what was sent ahead, see what the
    members before have written, and can be taken back."""

    def __init__(
        self, connection: sqlalchemy.Connection, principal: Principal, now: datetime, group: _Group
    ) -> None:
        super().__init__(connection, principal, now)
        self._group = group
        self._saved = False

    def execute(
        self,
        statement: sqlalchemy.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sqlalchemy.CursorResult[Any]:
        self._save()
        return super().execute(statement, parameters)

    def rows(self, call: Call) -> list[Any]:
        if sent_ahead(self.connection, call) is None:
            self._save()
        return super().rows(call)

    def flush(self) -> None:
        self._save()
        super().flush()

    def undo(self) -> None:
        """Takes back what the member has sent."""
        if self._saved:
            send(self.connection, [_BACK])

    def _save(self) -> None:
        if not self._saved:
            self._group.flush(self.connection, _SAVE)
            self._saved = True


def _free(lock: Call) -> Prepared:
    assert lock.prepared.free is not None
    return lock.prepared.free
