"""Tables of the ledger: entries that are never changed, chain heads, signed rounds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.vouchers.store.columns import cents, moment, words
from services.vouchers.store.tables import metadata

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("transaction", Uuid(as_uuid=False), nullable=False),
    words("operation"),
    Column("kind", SmallInteger, nullable=False),
    words("owner"),
    Column("cents", BigInteger, nullable=False),
    words("currency"),
    words("reference"),
    Column("hash", LargeBinary, nullable=False),
    moment("created_at"),
    PrimaryKeyConstraint("shard", "sequence"),
)
Index("ledger_entries_reference", ledger_entries.c.reference)
Index("ledger_entries_created", ledger_entries.c.created_at, postgresql_using="brin")
Index(
    "ledger_entries_claw_backs",
    ledger_entries.c.created_at,
    postgresql_where=ledger_entries.c.operation == "clawback",
)
Index("ledger_entries_owner", ledger_entries.c.owner, ledger_entries.c.kind)

# One row a chain. The sums by kind of account stand here too, because this row is written anyway.
ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    words("currency"),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    cents("kind_1"),
    cents("kind_2"),
    cents("kind_3"),
    cents("kind_4"),
    cents("kind_5"),
    cents("kind_6"),
    cents("kind_7"),
    cents("kind_8"),
    cents("kind_9"),
    cents("kind_10"),
    cents("kind_11"),
    cents("kind_12"),
    postgresql_with={"fillfactor": "20"},
)
Index("ledger_heads_currency", ledger_heads.c.currency, ledger_heads.c.shard)

# What is signed: how far the chains that moved had come, an array's item each.
ledger_rounds = Table(
    "ledger_rounds",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("previous", LargeBinary, nullable=False),
    Column("shards", ARRAY(SmallInteger), nullable=False),
    Column("sequences", ARRAY(BigInteger), nullable=False),
    Column("hashes", ARRAY(LargeBinary), nullable=False),
    words("key_id"),
    Column("signature", LargeBinary, nullable=False),
    moment("created_at"),
)

# From before there were rounds: one signature a chain. Nothing is added to them any more.
ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    words("key_id"),
    Column("signature", LargeBinary, nullable=False),
    moment("created_at"),
    PrimaryKeyConstraint("shard", "sequence"),
)
Index("ledger_checkpoints_created", ledger_checkpoints.c.created_at)
