"""Reading a whole portfolio a page at a time, so that neither memory nor a transaction grows with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction, transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged
from services.portfolio.store.evidence import BUCKET
from services.portfolio.store.vault import Vault, open_vault

if TYPE_CHECKING:
    from services.platform.rpc.call import Call
    from services.portfolio.app import PortfolioApp

T = TypeVar("T")
M = TypeVar("M", bound=Message)
Listed = Callable[[Transaction, PageTokenSigner, Vault, Any], Paged[M]]
PAGE = 50  # rows of one transaction


class Reader:
    """What of a holder a call may read. Each look is a transaction of its own: one that lasted as long as
    somebody's download would keep the database from clearing up."""

    def __init__(self, app: PortfolioApp, call: Call, holder: str) -> None:
        self._app = app
        self._call = call
        self.holder = holder

    def look(self, read: Callable[[Transaction, Vault], T]) -> T:
        """Returns what `read` reads; raises Refusal(NOT_FOUND) once the holder was erased, and
        DEADLINE_EXCEEDED."""
        with transaction(
            self._app, self._call.principal, read_only=True, timeout=self._call.remaining()
        ) as tx:
            return read(tx, open_vault(tx, self._app.keys, self.holder))

    def pages(self, request: Callable[..., Message], listed: Listed[M]) -> Iterator[M]:
        """Yields all that a list of the store holds, page by page, asked by a list's `request`."""
        token = ""
        while True:
            wanted = request(page_size=PAGE, page_token=token)
            found = self.look(partial(self._listed, listed, wanted))
            yield from found.messages
            token = found.next_page_token
            if not token:
                return

    def _listed(self, listed: Listed[M], wanted: Message, tx: Transaction, vault: Vault) -> Paged[M]:
        return listed(tx, self._app.signer, vault, wanted)

    def file(self, evidence: Evidence) -> Iterator[bytes]:
        """Yields the bytes of a file; raises Refusal(NOT_FOUND, UNAVAILABLE), INTERNAL at the end of altered
        ones, and DEADLINE_EXCEEDED."""
        key = names.last(evidence.name)
        with self._app.objects.open(BUCKET, key, sha256=evidence.sha256) as stream:
            for chunk in stream:
                self._call.remaining()
                yield chunk
