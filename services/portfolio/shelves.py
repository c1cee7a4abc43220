"""What one can do with the things of one kind that a holder writes and plans: add, read, change, undo, put in
order, put into the trash and take out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.goal_pb2 import Deadline

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import deadlines, names
from services.portfolio.domain.dates import refuse
from services.portfolio.store import evidence, reminders
from services.portfolio.store.collection import Paged
from services.portfolio.store.planning import Kept
from services.portfolio.store.trash import Trashed
from services.portfolio.store.vault import Vault, open_vault

M = TypeVar("M", bound=Message)
# Fills in and checks a message of a holder, given what it said before, if anything; raises Refusal.
Prepare = Callable[[Transaction, str, Any, Any], None]
# What in a message is open and has a deadline, each with the id of its task, "" for itself.
Open = Callable[[Any], Iterable[tuple[str, Deadline]]]


class WithTrash(Generic[M]):
    """Things of one kind that are put into a trash. Requests have the fields of their kind of RPC; what each
    raises is in the contract."""

    def __init__(self, app: PortfolioApp, kept: Trashed[M]) -> None:
        self._app = app
        self._things = kept

    def get(self, tx: Transaction, request: Any) -> M:
        """Reads one; what is in the trash its holder alone."""
        return self.read(tx, *self.place(tx, request.name))

    def read(self, tx: Transaction, vault: Vault, row_id: str) -> M:
        """Reads one of an open vault; what is in the trash its holder alone."""
        found = self._things.get(tx, vault, row_id)
        if found.HasField("delete_time") and tx.principal.subject != vault.holder:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return found

    def page(self, tx: Transaction, request: Any, **equal: Any) -> Paged[M]:
        """Lists a page of those whose columns `equal` the given values; what is in the trash to its holder
        alone."""
        (holder,) = names.parse(request.parent, "holders")
        if request.show_deleted and tx.principal.subject != holder:
            refuse([Violation("show_deleted", "is for the holder alone")])
        seen = () if request.show_deleted else (self._things.untrashed(),)
        vault = open_vault(tx, self._app.keys, holder)
        return self._things.page(tx, self._app.signer, vault, request, *seen, **equal)

    def delete(self, tx: Transaction, request: Any) -> M:
        """Puts one into the trash."""
        vault, row_id = self.place(tx, request.name)
        self.current(tx, vault, row_id, request.etag)
        return self._things.trash(tx, vault, row_id, tx.now)

    def undelete(self, tx: Transaction, request: Any) -> M:
        """Takes one out of the trash."""
        vault, row_id = self.place(tx, request.name)
        found = self._things.get(tx, vault, row_id, lock=True)
        return self._things.trash(tx, vault, row_id, None) if found.HasField("delete_time") else found

    def place(self, tx: Transaction, name: str) -> tuple[Vault, str]:
        """Returns the open vault and the id that a name says."""
        holder, row_id = names.parse(name, "holders", self._things.segment)
        return open_vault(tx, self._app.keys, holder), row_id

    def current(self, tx: Transaction, vault: Vault, row_id: str, etag: str) -> M:
        """Locks one that is not in the trash; raises Refusal(NOT_FOUND, ETAG_STALE)."""
        found = self._things.get(tx, vault, row_id, etag=etag, lock=True)
        if found.HasField("delete_time"):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return found


class Shelf(WithTrash[M]):
    """Things of one kind with one step of undo. `field` of a request holds one."""

    def __init__(
        self, app: PortfolioApp, kept: Kept[M], field: str, prepare: Prepare, due: Open | None = None
    ) -> None:
        super().__init__(app, kept)
        self._kept = kept
        self._field = field
        self._prepare = prepare
        self._due = due

    def page(self, tx: Transaction, request: Any, **equal: Any) -> Paged[M]:
        """Lists a page, of what is due alone where that is asked for: days are sealed, so that they are
        looked at here, and a page may have fewer."""
        found, open_ = super().page(tx, request, **equal), self._due
        if open_ is None or not request.due:
            return found
        due = [
            message
            for message in found.messages
            if any(deadlines.is_due(each, tx.now) for _, each in _with_day(message, open_))
        ]
        return found._replace(messages=due)

    def create(self, tx: Transaction, request: Any) -> M:
        """Adds one."""
        (holder,) = names.parse(request.parent, "holders")
        message = without_outputs(getattr(request, self._field))
        self._prepare(tx, holder, message, None)
        return self._reminding(tx, self._kept.add(tx, open_vault(tx, self._app.keys, holder), message))

    def update(self, tx: Transaction, request: Any) -> M:
        """Changes one that is not in the trash."""
        change: Any = getattr(request, self._field)
        vault, row_id = self.place(tx, change.name)
        current = self.current(tx, vault, row_id, change.etag)
        message = merged(current, change, request.update_mask, self._field)
        self._prepare(tx, vault.holder, message, current)
        return self._reminding(tx, self._kept.change(tx, vault, row_id, current, message))

    def undo(self, tx: Transaction, request: Any) -> M:
        """Brings back what one said before its last change."""
        vault, row_id = self.place(tx, request.name)
        current = self.current(tx, vault, row_id, request.etag)
        former = self._kept.former(tx, vault, row_id)
        evidence.leave_gone(tx, vault, former)
        return self._reminding(tx, self._kept.change(tx, vault, row_id, current, former))

    def delete(self, tx: Transaction, request: Any) -> M:
        """Puts one into the trash, with which its reminders end."""
        return self._reminding(tx, super().delete(tx, request))

    def undelete(self, tx: Transaction, request: Any) -> M:
        """Takes one out of the trash, with which its reminders begin anew."""
        return self._reminding(tx, super().undelete(tx, request))

    def _reminding(self, tx: Transaction, message: M) -> M:
        if self._due is not None:
            remind(tx, self._kept.segment, message, self._due)
        return message


def remind(tx: Transaction, segment: str, message: Any, open_: Open) -> None:
    """Puts the reminders of a goal or plan in place of its former ones, none of what is in the trash."""
    due = _with_day(message, open_)
    moments = [(task, moment) for task, each in due for moment in deadlines.reminders(each, tx.now)]
    reminders.put(tx, names.holder_in(message.name), segment, names.last(message.name), moments)


def _with_day(message: Any, open_: Open) -> Iterable[tuple[str, Deadline]]:
    """Returns the open deadlines of a goal or plan; what is in the trash has none."""
    return () if message.HasField("delete_time") else open_(message)
