"""Tables of API products, of who has them, and of what is called."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, metadata, moment

api_products = Table(
    "api_products",
    metadata,
    Column("id", Text, primary_key=True),
    Column("display_names", JSONB, nullable=False),
    Column("methods", ARRAY(Text), nullable=False),
    Column("eligibility", JSONB, nullable=False),  # domain.api_products.Rule
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
)

api_plans = Table(
    "api_plans",
    metadata,
    Column("product_id", Text, ForeignKey("api_products.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("display_names", JSONB, nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", SmallInteger, nullable=False),  # ApiPlan.Period
    Column("per_minute", BigInteger, nullable=False),
    Column("per_day", BigInteger, nullable=False),
    Column("per_month", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False, server_default="false"),
    CheckConstraint("price_cents >= 0", name="api_plan_price"),
)

api_grants = Table(
    "api_grants",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("product_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),  # ApiGrant.State
    Column("refusal_reasons", JSONB, nullable=False),
    Column("end_reason", Text, nullable=False, server_default=""),
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("end_time"),
    ForeignKeyConstraint(["product_id", "plan_id"], ["api_plans.product_id", "api_plans.id"]),
    CheckConstraint("(state = 3) = (end_time IS NOT NULL)", name="api_grant_ended_whole"),
    # One grant of a product at a time.
    Index(
        "api_grants_held", "organisation_id", "product_id", unique=True, postgresql_where=text("state = 1")
    ),
    Index("api_grants_organisation", "organisation_id", "id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("grant_id", UuidText, ForeignKey("api_grants.id"), nullable=False),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),  # whose calls it counts
    Column("label", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256; the key itself is not kept
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("expire_time"),
    moment("revoke_time"),
    moment("create_time", now=True),
    CheckConstraint("octet_length(digest) = 32", name="api_key_digest"),
    Index("api_keys_grant", "grant_id", "id"),
)

# What of a quota processes have taken to let through; of each window only the one that was current last.
api_windows = Table(
    "api_windows",
    metadata,
    Column("grant_id", UuidText, ForeignKey("api_grants.id"), primary_key=True),
    Column("period", SmallInteger, primary_key=True),  # domain.api_quota.Window
    Column("start", DateTime(timezone=True), nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("last_share", BigInteger, nullable=False),
)

api_usage = Table(
    "api_usage",
    metadata,
    Column("key_id", UuidText, ForeignKey("api_keys.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("refused_calls", BigInteger, nullable=False),
)

TABLES = (api_products, api_plans, api_grants, api_keys, api_windows, api_usage)
