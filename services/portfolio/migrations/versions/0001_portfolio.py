"""Tables of the portfolio as first published."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.platform.db.schema import create_platform_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def owner() -> sa.Column[Any]:
    return sa.Column("holder_id", sa.Text, sa.ForeignKey("holders.id"), primary_key=True)


def row_id() -> sa.Column[Any]:
    return sa.Column("id", sa.Text, primary_key=True)


def version() -> sa.Column[Any]:
    return sa.Column("version", sa.Integer, nullable=False, server_default="1")


def needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def in_pathway() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("pathway_id", sa.Text, primary_key=True),
    )


def of_pathway() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["holder_id", "pathway_id"], ["pathways.holder_id", "pathways.id"])


def upgrade() -> None:
    create_platform_tables(op)
    create_holders()
    create_portfolio()
    create_grants()
    create_pathways()
    seal_access_log()


def create_holders() -> None:
    op.create_table(
        "holders",
        row_id(),
        version(),
        needed("sealed", sa.LargeBinary),
        needed("created_at", TIME),
        needed("updated_at", TIME),
    )
    op.create_table(
        "holder_keys",
        owner(),
        needed("master_key_id", sa.Text),
        needed("wrapped", sa.LargeBinary),
        needed("created_at", TIME),
    )
    op.create_index("holder_keys_master_key_id", "holder_keys", ["master_key_id"])


def create_portfolio() -> None:
    own_columns: dict[str, list[Any]] = {
        "entries": [needed("kind", sa.SmallInteger)],
        "skill_claims": [
            needed("source", sa.SmallInteger),
            needed("concept", sa.LargeBinary),
            sa.UniqueConstraint("holder_id", "source", "concept", name="skill_claims_concept"),
        ],
        "evidence": [needed("state", sa.SmallInteger), needed("size_bytes", sa.BigInteger)],
    }
    for table, columns in own_columns.items():
        op.create_table(
            table,
            owner(),
            row_id(),
            *columns,
            version(),
            needed("sealed", sa.LargeBinary),
            needed("created_at", TIME),
            needed("updated_at", TIME),
        )


def create_grants() -> None:
    op.create_table(
        "mandates",
        owner(),
        row_id(),
        needed("counsellor", sa.Text),
        needed("organisation", sa.Text),
        needed("purpose", sa.SmallInteger),
        needed("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        needed("created_at", TIME),
        sa.CheckConstraint("counsellor <> holder_id", name="mandates_not_to_oneself"),
    )
    op.create_index("mandates_counsellor", "mandates", ["holder_id", "counsellor"])
    op.create_table(
        "share_links",
        owner(),
        row_id(),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        needed("pin_hash", sa.Text),
        sa.Column("pin_failures", sa.Integer, nullable=False, server_default="0"),
        needed("fields", ARRAY(sa.Text)),
        needed("max_uses", sa.Integer),
        sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
        needed("sealed", sa.LargeBinary),
        needed("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        needed("created_at", TIME),
        sa.CheckConstraint("uses <= max_uses", name="share_links_uses"),
    )
    op.create_table(
        "access_records",
        owner(),
        row_id(),
        needed("accessed_at", TIME),
        *(needed(name, sa.Text) for name in ("subject", "organisation", "action", "resource", "grant_name")),
        needed("fields", ARRAY(sa.Text)),
    )


def create_pathways() -> None:
    op.create_table(
        "pathways",
        owner(),
        row_id(),
        needed("state", sa.SmallInteger),
        *(needed(name, sa.Integer) for name in ("revision", "holder_agreed", "counsellor_agreed")),
        version(),
        needed("sealed", sa.LargeBinary),
        needed("created_at", TIME),
        needed("updated_at", TIME),
    )
    op.create_table(
        "pathway_steps",
        *in_pathway(),
        row_id(),
        needed("state", sa.SmallInteger),
        needed("course", sa.Text),
        needed("sealed", sa.LargeBinary),
        of_pathway(),
    )
    op.create_index("pathway_steps_course", "pathway_steps", ["holder_id", "course"])
    op.create_table(
        "step_redemptions",
        *in_pathway(),
        sa.Column("step_id", sa.Text, primary_key=True),
        sa.Column("redemption", sa.Text, primary_key=True),
        needed("stage", sa.SmallInteger),
        sa.ForeignKeyConstraint(
            ["holder_id", "pathway_id", "step_id"],
            ["pathway_steps.holder_id", "pathway_steps.pathway_id", "pathway_steps.id"],
        ),
    )
    op.create_table("pathway_spells", *in_pathway(), row_id(), needed("sealed", sa.LargeBinary), of_pathway())


def seal_access_log() -> None:
    """What was looked at stays written: no statement of the service can change or remove a record."""
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'access records are never changed'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER access_records_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON access_records
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
