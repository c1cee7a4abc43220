"""Tables of work in the background: the work itself, and what simulations found."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, SmallInteger, Table, Uuid

from services.platform.operations.table import operations_table
from services.vouchers.store.columns import cents, texts
from services.vouchers.store.tables import metadata

operations_table(metadata)

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
