"""What the catalogue has published, read from its outbox."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import select

from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from tests.support.catalogue import Catalogue

M = TypeVar("M", bound=Message)


def events(catalogue: Catalogue, kind: type[M]) -> list[M]:
    """Returns the events of one type in the order they were published."""
    statement = select(outbox.c.payload).where(outbox.c.type == kind.DESCRIPTOR.full_name)
    with transaction(catalogue.app, read_only=True) as tx:
        return [kind.FromString(row.payload) for row in tx.execute(statement.order_by(outbox.c.seq))]
