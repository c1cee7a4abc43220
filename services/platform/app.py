"""What one process of a service holds for its whole life: settings, database engine, keys, object store."""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Self

from services.platform import days
from services.platform.db.engine import make_engine
from services.platform.db.paging import PageTokenSigner

if TYPE_CHECKING:
    import sqlalchemy
    from google.protobuf.message import Message

    from services.platform.db.transaction import Transaction
    from services.platform.objects.store import Objects
    from services.platform.settings import Settings

GATHERED = 1  # connection beside one per thread, of the calls that share transactions


class App:
    """One per process. A service subclasses it for keys of its own, loading them in `__init__`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        days.live_in(settings.time_zone)  # before the first connection, whose session runs in it
        self.engine: sqlalchemy.Engine = make_engine(settings.database_url, settings.threads + GATHERED)
        key = settings.secret("page-token.key", size=32)
        self.signer = PageTokenSigner(key)
        # A key of its own for request bodies, from the same file: what one reveals says nothing of the other.
        self.request_key = hmac.digest(key, b"waymark request ids", "sha256")

    @classmethod
    def build(cls, settings: Settings) -> Self:
        """Builds the app; opens no connection yet. Raises SettingsError for a missing or unfit key."""
        return cls(settings)

    @cached_property
    def objects(self) -> Objects:
        """The object store, loaded on first use: most processes never need its client."""
        from services.platform.objects.store import Objects

        return Objects(self.settings)

    def seal_answer(self, tx: Transaction, request: Message, answer: bytes) -> bytes:  # noqa: ARG002
        """Returns what is kept of a serialized answer, for a repeat of its request.

        A service whose answers are personal data overrides this and `open_answer` to keep a ciphertext.
        """
        return answer

    def open_answer(self, tx: Transaction, request: Message, kept: bytes) -> bytes:  # noqa: ARG002
        """Returns the serialized answer that `seal_answer` made `kept` of."""
        return kept

    def close(self) -> None:
        """Gives back every connection: to the database, and to the object store if it was used."""
        if "objects" in self.__dict__:
            self.objects.close()
        self.engine.dispose()
