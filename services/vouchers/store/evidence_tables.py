"""The table of what providers hand in to show a delivery."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Uuid

from services.vouchers.store.columns import created, key, moment, words
from services.vouchers.store.tables import metadata

evidence = Table(
    "evidence",
    metadata,
    key(),
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    words("content_type"),
    words("sha256"),
    Column("kind", SmallInteger, nullable=False, server_default="1"),
    moment("checked_at", nullable=True),  # the uploaded bytes
    moment("verified_at", nullable=True),  # handed in
    moment("returned_at", nullable=True),  # sent back
    moment("let_go_at", nullable=True),  # its bytes
    created(),
)
