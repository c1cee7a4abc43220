"""Tables of work in the background: the work itself, what simulations found, whom allocations name, files of
facts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from services.platform.operations.table import operations_table
from services.vouchers.store.columns import blank, cents, created, key, texts, words
from services.vouchers.store.tables import metadata

operations_table(metadata)

allocations = Table(
    "allocations",
    metadata,
    key(),
    Column("programme_id", Text, ForeignKey("programmes.id"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    words("sha256"),
    words("created_by"),
    created(),
)

# `outcome`: 1 waiting, 2 allocated, 3 refused, 4 invalid.
allocation_rows = Table(
    "allocation_rows",
    metadata,
    Column("operation_id", Uuid(as_uuid=False), ForeignKey("operations.id"), nullable=False),
    Column("line", BigInteger, nullable=False),
    words("learner"),
    Column("price_cents", BigInteger),
    Column("outcome", SmallInteger, nullable=False),
    texts("reason_codes"),
    texts("missing"),
    blank("explanation"),
    cents("cents"),
    Column("voucher_id", Uuid(as_uuid=False)),
    PrimaryKeyConstraint("operation_id", "line"),
)
Index(
    "allocation_rows_waiting",
    allocation_rows.c.operation_id,
    allocation_rows.c.line,
    postgresql_where=text("outcome = 1"),
)

learner_fact_files = Table(
    "learner_fact_files",
    metadata,
    key(),
    Column("size_bytes", BigInteger, nullable=False),
    words("sha256"),
    Column("operation_id", Uuid(as_uuid=False), ForeignKey("operations.id")),
    words("created_by"),
    created(),
)

# What is wrong in which line, with `place` to tell several findings apart. No value of the file stands here.
learner_fact_findings = Table(
    "learner_fact_findings",
    metadata,
    Column("operation_id", Uuid(as_uuid=False), ForeignKey("operations.id"), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    words("field"),
    words("explanation"),
    PrimaryKeyConstraint("operation_id", "line", "place"),
)

simulation_changes = Table(
    "simulation_changes",
    metadata,
    Column("operation_id", Uuid(as_uuid=False), ForeignKey("operations.id"), nullable=False),
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), nullable=False),
    Column("before", SmallInteger, nullable=False),
    Column("after", SmallInteger, nullable=False),
    cents("before_cents"),
    cents("after_cents"),
    texts("reason_codes"),
    PrimaryKeyConstraint("operation_id", "application_id"),
)
