"""Tables of co-funding: what each source bears of each payment, and how far each voucher has been paid."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from services.vouchers.store.columns import key, moment, words
from services.vouchers.store.tables import metadata

# Append-only by a rule of the database, like the ledger.
payment_shares = Table(
    "payment_shares",
    metadata,
    key(),
    Column("transaction", Uuid(as_uuid=False), nullable=False),
    Column("movement", SmallInteger, nullable=False),
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), nullable=False),
    Column("voucher_id", Uuid(as_uuid=False), nullable=False),
    words("programme_id"),
    Column("version_number", Integer, nullable=False),
    Column("batch_id", Uuid(as_uuid=False)),
    Column("funding_source_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    words("currency"),
    moment("created_at"),
    UniqueConstraint("transaction", "movement", "redemption_id", "funding_source_id"),
    CheckConstraint("currency <> 'XTS'", name="payment_shares_real_money"),
)
Index(
    "payment_shares_source",
    payment_shares.c.funding_source_id,
    payment_shares.c.created_at,
    payment_shares.c.id,
)
Index("payment_shares_redemption", payment_shares.c.redemption_id)
Index("payment_shares_batch", payment_shares.c.batch_id)
Index("payment_shares_programme", payment_shares.c.programme_id, payment_shares.c.created_at)
Index("payment_shares_created", payment_shares.c.created_at, payment_shares.c.id)

payment_totals = Table(
    "payment_totals",
    metadata,
    Column("voucher_id", Uuid(as_uuid=False), primary_key=True),
    Column("cents", BigInteger, nullable=False),
)
