"""Local copies of what the catalogue tells by events; only reactions write them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.vouchers.store.columns import blank, document, moment, texts, words
from services.vouchers.store.tables import metadata

organisations = Table(
    "organisations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("accredited", Boolean, nullable=False),
    Column("accredited_until", Date),
    texts("addresses"),
    # In force when told, see `domain.accreditation.form`; none: `accredited` holds for all training.
    Column("accreditations", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
)
Index("organisations_addresses", organisations.c.addresses, postgresql_using="gin")

courses = Table(
    "courses",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
    words("organisation"),
    words("kind"),
    Column("eqf_level", SmallInteger, nullable=False),
    document("occupations"),
    texts("isced_f"),
    document("titles"),
)

Index(
    "courses_occupations",
    courses.c.occupations,
    postgresql_using="gin",
    postgresql_ops={"occupations": "jsonb_path_ops"},
)

# A session that a course no longer names, or that is cancelled, stays unlisted: redemptions may point to it.
# `release_from`: when it was told to be cancelled; empty once nothing that was reserved for it is left.
sessions = Table(
    "sessions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("course", Text, ForeignKey("courses.name"), nullable=False, index=True),
    Column("listed", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    Column("release_from", DateTime(timezone=True)),
    Column("start_date", Date),
    Column("end_date", Date),
    Column("apply_until", Date),
    Column("price_cents", BigInteger),
    blank("currency"),
    blank("nuts_code"),
)

Index("sessions_release", sessions.c.name, postgresql_where=text("release_from IS NOT NULL"))

# Entries may come before or after the version that announces them, so nothing refers to anything here.
shortage_versions = Table(
    "shortage_versions",
    metadata,
    Column("name", Text, primary_key=True),
    words("list"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("entry_count", Integer, nullable=False),
    words("digest"),
    moment("published_at"),
)
Index("shortage_versions_in_force", shortage_versions.c.list, shortage_versions.c.valid_from)

shortage_entries = Table(
    "shortage_entries",
    metadata,
    Column("name", Text, primary_key=True),
    words("version"),
    blank("uri"),
    blank("isco"),
    blank("nuts_code"),
    Column("severity", SmallInteger, nullable=False),
)
Index("shortage_entries_version", shortage_entries.c.version, shortage_entries.c.isco)
