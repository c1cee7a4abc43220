"""Tables of levies: schemes with their rates, employers' accounts, contributions, claims, what lapsed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.vouchers.store.columns import (
    blank,
    cents,
    created,
    document,
    key,
    moment,
    not_negative,
    words,
)
from services.vouchers.store.tables import metadata

levy_schemes = Table(
    "levy_schemes",
    metadata,
    Column("id", Text, primary_key=True),
    document("display_names"),
    words("currency"),
    Column("funding_source_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    Column("carry_over_years", SmallInteger, nullable=False),
    created(),
)

levy_rates = Table(
    "levy_rates",
    metadata,
    Column("scheme_id", Text, ForeignKey("levy_schemes.id"), nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("parts", Integer, nullable=False),  # of 100 000
    blank("legal_reference"),
    created(),
    PrimaryKeyConstraint("scheme_id", "effective_date"),
)

levy_accounts = Table(
    "levy_accounts",
    metadata,
    key(),
    Column("scheme_id", Text, ForeignKey("levy_schemes.id"), nullable=False),
    words("employer"),
    words("currency"),
    Column("shard", SmallInteger, nullable=False),
    created(),
    UniqueConstraint("scheme_id", "employer"),
)
Index("levy_accounts_employer", levy_accounts.c.employer, levy_accounts.c.id)

levy_years = Table(
    "levy_years",
    metadata,
    Column("account_id", Uuid(as_uuid=False), ForeignKey("levy_accounts.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    cents("contributed_cents"),
    cents("reserved_cents"),
    cents("claimed_cents"),
    cents("expired_cents"),
    Column("expires_on", Date, nullable=False),
    PrimaryKeyConstraint("account_id", "year"),
    not_negative("levy_years", "reserved_cents", "claimed_cents", "expired_cents"),
    CheckConstraint(
        "reserved_cents + claimed_cents + expired_cents <= contributed_cents",
        name="levy_years_within_contributed",
    ),
)
Index(
    "levy_years_expiry",
    levy_years.c.expires_on,
    postgresql_where=text("contributed_cents > reserved_cents + claimed_cents + expired_cents"),
)

levy_contributions = Table(
    "levy_contributions",
    metadata,
    Column("account_id", Uuid(as_uuid=False), ForeignKey("levy_accounts.id"), nullable=False),
    Column("month", Date, nullable=False),
    Column("gross_cents", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    words("imported_by"),
    created(),
    PrimaryKeyConstraint("account_id", "month"),
)

levy_corrections = Table(
    "levy_corrections",
    metadata,
    key(),
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("month", Date, nullable=False),
    Column("gross_cents", BigInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),  # by how much the contribution changes
    words("imported_by"),
    Column("corrected_on", Date, nullable=False),  # the day for statements; as it counted then
    created(),
    ForeignKeyConstraint(
        ["account_id", "month"], ["levy_contributions.account_id", "levy_contributions.month"]
    ),
)
Index("levy_corrections_month", levy_corrections.c.account_id, levy_corrections.c.month)
Index("levy_corrections_day", levy_corrections.c.account_id, levy_corrections.c.corrected_on)

levy_claims = Table(
    "levy_claims",
    metadata,
    key(),
    Column("account_id", Uuid(as_uuid=False), ForeignKey("levy_accounts.id"), nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("training_date", Date, nullable=False),
    words("evidence_reference"),
    Column("state", SmallInteger, nullable=False),
    Column("reject_reason", SmallInteger, nullable=False, server_default="0"),
    words("created_by"),
    blank("decided_by"),
    moment("decided_at", nullable=True),
    Column("decided_on", Date),  # the day for statements; as it counted then
    created(),
    CheckConstraint("amount_cents > 0", name="levy_claims_some_amount"),
    CheckConstraint("state <> 2 OR decided_by <> created_by", name="levy_claims_maker_checker"),
    CheckConstraint(
        "state = 1 OR (decided_by <> '' AND decided_at IS NOT NULL AND decided_on IS NOT NULL)",
        name="levy_claims_decided_by_someone",
    ),
)
Index("levy_claims_account", levy_claims.c.account_id, levy_claims.c.id)
Index(
    "levy_claims_approved",
    levy_claims.c.account_id,
    levy_claims.c.decided_on,
    postgresql_where=text("state = 2"),
)
Index(
    "levy_claims_evidence",
    levy_claims.c.account_id,
    levy_claims.c.evidence_reference,
    unique=True,
    postgresql_where=text("state <> 3"),
)

levy_claim_parts = Table(
    "levy_claim_parts",
    metadata,
    Column("claim_id", Uuid(as_uuid=False), ForeignKey("levy_claims.id"), nullable=False),
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("claim_id", "year"),
    ForeignKeyConstraint(["account_id", "year"], ["levy_years.account_id", "levy_years.year"]),
)

levy_expiries = Table(
    "levy_expiries",
    metadata,
    key(),
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("expired_on", Date, nullable=False),
    created(),
    ForeignKeyConstraint(["account_id", "year"], ["levy_years.account_id", "levy_years.year"]),
)
Index("levy_expiries_account", levy_expiries.c.account_id, levy_expiries.c.expired_on)

# What moved on an account, in cents, on the days of a year: its statement begins with the years before.
levy_turnover = Table(
    "levy_turnover",
    metadata,
    Column("account_id", Uuid(as_uuid=False), ForeignKey("levy_accounts.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "year"),
)
