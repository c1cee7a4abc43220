"""What is left for statistics of decisions whose facts were let go of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, PrimaryKeyConstraint, Table, Text

from services.vouchers.store.columns import words
from services.vouchers.store.tables import metadata

# Counts of `domain.esf`, which name nobody: of grants that were a person's first in a programme and month.
let_go_indicators = Table(
    "let_go_indicators",
    metadata,
    words("programme_id"),
    Column("month", Date, nullable=False),  # its first day
    Column("code", Text, nullable=False),
    Column("participants", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("not_told", BigInteger, nullable=False, server_default="0"),
    Column("female", BigInteger, nullable=False, server_default="0"),
    Column("male", BigInteger, nullable=False, server_default="0"),
    Column("other", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("programme_id", "month", "code"),
)
