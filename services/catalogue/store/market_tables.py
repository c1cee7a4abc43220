"""Tables of labour-market information: sources and their figures, files on their way in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.catalogue.store.columns import UuidText, finding_columns, metadata
from services.platform.operations.table import operations_table

operations_table(metadata)

# "C": the order of bytes, which paging and the index share.
BYTES = Text(collation="C")

observation_sources = Table(
    "observation_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("publisher", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("coverage", Text, nullable=False),
    Column("biased", Boolean, nullable=False),
    Column("bias", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("suppress_below", Integer, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("NOT biased OR bias <> ''", name="observation_source_bias"),
)

# `hidden`: see domain.suppression; what is hidden is not kept anywhere.
observations = Table(
    "observations",
    metadata,
    Column("occupation", BYTES, primary_key=True),
    Column("nuts_code", BYTES, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("period", BYTES, primary_key=True),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("source_id", BYTES, ForeignKey("observation_sources.id"), primary_key=True),
    Column("last_day", Date, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("taxonomy_version", Text, nullable=False),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("hidden", SmallInteger, nullable=False),
    Column("import_id", UuidText, ForeignKey("operations.id"), nullable=False),
    Column("import_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("(hidden = 0) = (value IS NOT NULL)", name="observation_hidden_is_not_kept"),
    Index("observations_slice", "source_id", "measure", "first_day"),
    Index("observations_region", "nuts_code", "occupation", "first_day", "period", "measure", "source_id"),
)

observation_staged = Table(
    "observation_staged",
    metadata,
    Column("import_id", UuidText, ForeignKey("operations.id"), primary_key=True),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("first_day", Date, primary_key=True),
    Column("period", BYTES, primary_key=True),
    Column("occupation", BYTES, primary_key=True),
    Column("nuts_code", BYTES, primary_key=True),
    Column("last_day", Date, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("taxonomy_version", Text, nullable=False),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("hidden", SmallInteger, nullable=False),
    Column("line", Integer, nullable=False),
)

# What figures were before the newest import of their source, as they were shown; hidden ones have no value.
observation_former = Table(
    "observation_former",
    metadata,
    Column("undo_id", UuidText, ForeignKey("operations.id"), primary_key=True),  # the import that replaced it
    *(
        Column(column.name, column.type, primary_key=column.primary_key, nullable=column.nullable)
        for column in observations.columns
    ),
    Index("observation_former_source", "source_id"),
)

observation_findings = Table(
    "observation_findings",
    metadata,
    Column("import_id", UuidText, ForeignKey("operations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    *finding_columns(),
)

# `xid`: transaction that wrote it; see store.market_changes.
market_changes = Table(
    "market_changes",
    metadata,
    Column("xid", BigInteger, primary_key=True, server_default=text("pg_current_xact_id()::text::bigint")),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("resource", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("nuts_code", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# Active versions of voucher programmes, as the vouchers service told them; none ever changes.
programme_terms = Table(
    "programme_terms",
    metadata,
    Column("programme", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("effective_date", Date, nullable=False),
    Column("terms", JSONB, nullable=False),  # waymark.vouchers.v1.ProgrammeTerms
)

# How far the money of voucher programmes reaches; `number` counts what the vouchers service told of one.
programme_money = Table(
    "programme_money",
    metadata,
    Column("programme", Text, primary_key=True),
    Column("money_left", SmallInteger, nullable=False),  # waymark.vouchers.v1.MoneyLeft
    Column("number", Integer, nullable=False),
)
