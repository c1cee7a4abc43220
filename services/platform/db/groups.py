"""Group commit: writes that wait at the same moment share one transaction.

A commit costs a flush to disk, round trips and a connection, however little it writes. While one thread has a
group under way the others line up; then one of them does the work of all in its own name (flat combining,
Hendler et al. 2010), in one transaction with two messages.

Each member stays as it would be alone. It brings locks that never wait (`wire.locking`): who meets a row that
somebody else has locked, or that is not there, leaves the group and runs in a transaction of its own, and so
groups cannot deadlock. Who meets a row that an earlier member has changed reads it again. A member that is
refused takes back what it wrote, while the others go on. When the database fails the group, each runs alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError
from waymark.errors.v1 import reason_pb2

from services.platform.db.requests import Claiming
from services.platform.db.transaction import Transaction, begin, commit
from services.platform.db.wire import Call, Prepared, keep_ahead, send, sent_ahead
from services.platform.errors import Refusal
from services.platform.telemetry import metrics
from services.platform.telemetry.tracing import current_trace, enter_trace

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from services.platform.identity.principals import Principal

LARGEST = 32  # members of a group
PATIENCE = "100ms"  # waiting for the twin of a request; alone it may wait longer
_PATIENCE = Prepared("waymark_patience", f"SELECT set_config('lock_timeout', '{PATIENCE}', true)")()
_SAVE = Prepared("waymark_save", "SAVEPOINT member")()
_BACK = Prepared("waymark_back", "ROLLBACK TO SAVEPOINT member")()


class Work:
    """One write. `share` does it in a group's transaction; `claiming` and `locks` travel ahead of it."""

    def __init__(
        self,
        principal: Principal,
        claiming: Claiming,
        locks: Sequence[Call],
        remaining: float,
        share: Callable[[Transaction], Any],
    ) -> None:
        self.principal = principal
        self.claiming = claiming
        self.locks = locks
        self.remaining = remaining  # seconds
        self.share = share
        self.trace = current_trace()
        self.leads = False
        self.alone = True  # until a group has answered it
        self.answer: Any = None
        self.error: BaseException | None = None
        self.turn = threading.Lock()  # released when the work is done, or its thread is to lead
        self.turn.acquire()


class Groups:
    """One per process."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._engine = engine
        self._mutex = threading.Lock()
        self._waiting: list[Work] = []
        self._led = False

    def run(self, work: Work, alone: Callable[[], Any]) -> Any:
        """Returns what `work.share` returns or raises what it raises; `alone` does the same by itself.

        Raises Refusal(DEADLINE_EXCEEDED) when the group takes longer than the work may; then it may have been
        done, and its request id will tell.
        """
        with self._mutex:
            work.leads = not self._led
            if self._led:
                self._waiting.append(work)
            self._led = True
        if not work.leads and not work.turn.acquire(timeout=work.remaining):
            self._leave(work)
        if work.leads:
            self._lead(work)
        if work.alone:
            return alone()
        if work.error is not None:
            raise work.error
        return work.answer

    def _lead(self, own: Work) -> None:
        members = self._gather(own)
        try:
            # A group that the database fails has had no effect, or the request ids tell each which.
            with suppress(SQLAlchemyError):
                _Group(self._engine, members).run()
        finally:
            enter_trace(own.trace)
            self._hand_over()
            for member in members:
                if member is not own:
                    member.turn.release()

    def _leave(self, work: Work) -> None:
        """Gives up waiting, unless the turn came at this very moment; raises Refusal(DEADLINE_EXCEEDED)."""
        with self._mutex:
            if work.leads:
                return
            if work in self._waiting:
                self._waiting.remove(work)
        raise Refusal(reason_pb2.REASON_DEADLINE_EXCEEDED)

    def _gather(self, own: Work) -> list[Work]:
        """Takes who waits, first come first served, but never two calls with the same request id."""
        members, ids, left = [own], {own.claiming.key}, []
        with self._mutex:
            for work in self._waiting:
                if len(members) < LARGEST and work.claiming.key not in ids:
                    members.append(work)
                    ids.add(work.claiming.key)
                else:
                    left.append(work)
            self._waiting = left
        return members

    def _hand_over(self) -> None:
        with self._mutex:
            self._led = bool(self._waiting)
            if self._led:
                following = self._waiting.pop(0)
                following.leads = True
                following.turn.release()


class _Group:
    """One transaction of several."""

    def __init__(self, engine: sqlalchemy.Engine, members: Sequence[Work]) -> None:
        self._engine = engine
        self._members = members
        self._writes: list[Call] = []  # of members that are done, not yet sent
        self._touched: set[tuple[str, Any]] = set()  # what they have locked

    def run(self) -> None:
        metrics.GROUP_SIZE.observe(len(self._members))
        calls = [_PATIENCE]
        for member in self._members:
            calls += (member.claiming.call, *(Call(_free(lock), lock.values) for lock in member.locks))
        longest = max(member.remaining for member in self._members)
        opened = begin(self._engine, calls, timeout=longest)
        done = []
        with opened.connection:
            answers = iter(opened.results[1:])
            for member in self._members:
                claimed, *locked = islice(answers, 1 + len(member.locks))
                if self._serve(member, opened.connection, opened.now, claimed, locked):
                    done.append(member)
            commit(opened.connection, self._writes)
        for member in done:
            member.alone = False

    def _serve(
        self,
        member: Work,
        connection: sqlalchemy.Connection,
        now: datetime,
        claimed: PGresult,
        locked: Sequence[PGresult],
    ) -> bool:
        """Does the work of a member; returns False when it has to be done alone."""
        tx = _Shared(connection, member.principal, now, self)
        tx.opening = [claimed.get_value(0, column) for column in range(claimed.nfields)]
        if not all(result.ntuples for result in locked):
            self._writes.append(member.claiming.take_back())
            return False
        keys = self._keys(keep_ahead(connection, member.locks, locked))
        if not self._touched.isdisjoint(keys):
            self.flush(connection)
            keep_ahead(connection, member.locks, send(connection, member.locks))
        enter_trace(member.trace)
        try:
            member.answer = member.share(tx)
            writes = tx.waiting()
        except SQLAlchemyError:
            raise
        except Exception as error:
            tx.undo()
            self._writes.append(member.claiming.take_back())
            member.error = error
            return True
        self._writes += writes
        self._touched |= keys
        return True

    def flush(self, connection: sqlalchemy.Connection, *more: Call) -> None:
        """Writes what members before have left for the commit."""
        calls, self._writes = [*self._writes, *more], []
        if calls:
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
