"""Tables of credentials: those of holders' wallets, whom the office trusts, and those that are issued here.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version

# What a holder was awarded; what each says is sealed, as is the file it came in.
credentials = Table(
    "credentials",
    metadata,
    owner(),
    id_(),
    Column("print", LargeBinary, nullable=False),  # blind index of the file, so that none comes in twice
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    UniqueConstraint("holder_id", "print", name="credentials_print"),
)

# Apart from what lists read, because each may be as large as a picture.
credential_files = Table(
    "credential_files",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("credential_id", Text, primary_key=True),
    Column("form", SmallInteger, primary_key=True),
    sealed(),
    ForeignKeyConstraint(
        ["holder_id", "credential_id"], ["credentials.holder_id", "credentials.id"], ondelete="CASCADE"
    ),
)

# Issuers of credentials that this office trusts, by DID or address.
trusted_issuers = Table(
    "trusted_issuers",
    metadata,
    Column("issuer_id", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    time("created_at"),
)

# Awarding bodies that issue credentials here.
credential_issuers = Table(
    "credential_issuers",
    metadata,
    id_(),
    Column("organisation", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("issued", Integer, nullable=False, server_default="0"),  # credentials so far
    time("created_at"),
    UniqueConstraint("organisation", name="credential_issuers_organisation"),
)

# Former keys stay, without what they sign by, so that what they signed can be verified.
issuer_keys = Table(
    "issuer_keys",
    metadata,
    Column("issuer_id", Text, ForeignKey("credential_issuers.id"), primary_key=True),
    Column("multikey", Text, primary_key=True),  # its public half, by which proofs name it
    Column("master_key_id", Text),
    Column("wrapped", LargeBinary),
    time("created_at"),
    time("retired_at", nullable=True),
    Index(
        "issuer_keys_current",
        "issuer_id",
        unique=True,
        postgresql_where=text("retired_at IS NULL"),
    ),
    Index("issuer_keys_master_key_id", "master_key_id"),
    CheckConstraint("(wrapped IS NULL) = (retired_at IS NOT NULL)", name="issuer_keys_secret"),
)

# What can be achieved, once for all who achieve it. `id`: hash of what it says.
achievements = Table(
    "achievements",
    metadata,
    Column("issuer_id", Text, ForeignKey("credential_issuers.id"), primary_key=True),
    Column("id", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# What was issued here. It tells of nobody once the holder is erased, and can be revoked all the same.
issued_credentials = Table(
    "issued_credentials",
    metadata,
    Column("issuer_id", Text, ForeignKey("credential_issuers.id"), primary_key=True),
    id_(),
    Column("holder_id", Text, ForeignKey("holder_keys.holder_id", ondelete="SET NULL")),
    Column("list", Integer, nullable=False),
    Column("index", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("achievement_id", LargeBinary, nullable=False),
    time("valid_from"),
    time("valid_until", nullable=True),
    time("created_at"),
    time("updated_at"),
    UniqueConstraint("issuer_id", "list", "index", name="issued_credentials_place"),
    ForeignKeyConstraint(["issuer_id", "achievement_id"], ["achievements.issuer_id", "achievements.id"]),
    Index("issued_credentials_holder", "holder_id"),
    Index(
        "issued_credentials_taken_back",
        "issuer_id",
        "list",
        "state",
        postgresql_where=text("state <> 1"),
    ),
)
