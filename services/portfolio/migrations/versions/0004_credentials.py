"""Credentials: the wallet, trusted issuers, awarding bodies with their keys, and what they issued."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_wallet()
    create_issuers()
    create_issued()


def create_wallet() -> None:
    op.create_table(
        "credentials",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("print", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("holder_id", "print", name="credentials_print"),
    )
    op.create_table(
        "credential_files",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("credential_id", sa.Text, primary_key=True),
        sa.Column("form", sa.SmallInteger, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "credential_id"], ["credentials.holder_id", "credentials.id"], ondelete="CASCADE"
        ),
    )


def create_issuers() -> None:
    op.create_table(
        "trusted_issuers",
        sa.Column("issuer_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "credential_issuers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("issued", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("organisation", name="credential_issuers_organisation"),
    )
    op.create_table(
        "issuer_keys",
        sa.Column("issuer_id", sa.Text, sa.ForeignKey("credential_issuers.id"), primary_key=True),
        sa.Column("multikey", sa.Text, primary_key=True),
        sa.Column("master_key_id", sa.Text),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("retired_at", TIME),
        sa.CheckConstraint("(wrapped IS NULL) = (retired_at IS NOT NULL)", name="issuer_keys_secret"),
    )
    current = sa.text("retired_at IS NULL")
    op.create_index(
        "issuer_keys_current", "issuer_keys", ["issuer_id"], unique=True, postgresql_where=current
    )
    op.create_index("issuer_keys_master_key_id", "issuer_keys", ["master_key_id"])


def create_issued() -> None:
    op.create_table(
        "achievements",
        sa.Column("issuer_id", sa.Text, sa.ForeignKey("credential_issuers.id"), primary_key=True),
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "issued_credentials",
        sa.Column("issuer_id", sa.Text, sa.ForeignKey("credential_issuers.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("holder_id", sa.Text, sa.ForeignKey("holder_keys.holder_id", ondelete="SET NULL")),
        sa.Column("list", sa.Integer, nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("achievement_id", sa.LargeBinary, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("valid_until", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("issuer_id", "list", "index", name="issued_credentials_place"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id"], ["achievements.issuer_id", "achievements.id"]
        ),
    )
    op.create_index("issued_credentials_holder", "issued_credentials", ["holder_id"])
    op.create_index(
        "issued_credentials_taken_back",
        "issued_credentials",
        ["issuer_id", "list", "state"],
        postgresql_where=sa.text("state <> 1"),
    )
