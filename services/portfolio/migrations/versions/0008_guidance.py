"""Cases of guidance with contacts, notes and moves between tiers; whose contact is due; acting on behalf;
journal, goals, plans and reminders."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    make_contacts_due()
    create_cases()
    create_words()
    create_on_behalf()
    create_planning()


def make_contacts_due() -> None:
    op.add_column("mandates", sa.Column("next_contact_at", TIME))
    op.execute("UPDATE mandates SET next_contact_at = created_at")
    op.alter_column("mandates", "next_contact_at", nullable=False)
    op.create_index(
        "mandates_due",
        "mandates",
        ["counsellor", "organisation", "next_contact_at", "holder_id", "id"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def create_cases() -> None:
    op.create_table(
        "guidance_cases",
        owner(),
        needed("tier", sa.SmallInteger),
        sa.Column("human_asked_at", TIME),
        sa.Column("last_contact_at", TIME),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        needed("sealed", sa.LargeBinary),
        *times(),
    )


def create_words() -> None:
    op.create_table(
        "tier_moves",
        owner(),
        row_id(),
        needed("from_tier", sa.SmallInteger),
        needed("to_tier", sa.SmallInteger),
        needed("subject", sa.Text),
        needed("organisation", sa.Text),
        needed("sealed", sa.LargeBinary),
        *times(),
    )
    for name, columns in (
        ("contact_records", []),
        ("guidance_notes", [needed("visibility", sa.SmallInteger)]),
    ):
        op.create_table(
            name,
            owner(),
            row_id(),
            *columns,
            needed("counsellor", sa.Text),
            needed("organisation", sa.Text),
            needed("sealed", sa.LargeBinary),
            *times(),
        )


def create_on_behalf() -> None:
    permitted = sa.Column("act_on_behalf", sa.Boolean, nullable=False, server_default="false")
    op.add_column("mandates", permitted)
    op.create_table(
        "on_behalf_records",
        owner(),
        row_id(),
        *(needed(each, sa.Text) for each in ("counsellor", "organisation", "action", "resource")),
        needed("mandate_id", sa.Text),
        needed("created_at", TIME),
    )
    op.execute(
        """
        CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'records of acting on behalf are never changed'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER on_behalf_records_stay BEFORE UPDATE OR TRUNCATE ON on_behalf_records
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
        """
    )


def create_planning() -> None:
    for name in ("journal_entries", "goals", "plans"):
        in_order = name != "journal_entries"
        op.create_table(
            name,
            owner(),
            row_id(),
            sa.Column("version", sa.Integer, nullable=False, server_default="1"),
            needed("sealed", sa.LargeBinary),
            sa.Column("former", sa.LargeBinary),
            *times(),
            sa.Column("deleted_at", TIME),
            *([needed("position", sa.BigInteger)] if in_order else []),
        )
        in_trash = sa.text("deleted_at IS NOT NULL")
        op.create_index(f"{name}_trash", name, ["deleted_at"], postgresql_where=in_trash)
        if in_order:
            op.create_index(f"{name}_order", name, ["holder_id", "position", "id"])
    op.create_table(
        "reminders",
        owner(),
        *(sa.Column(each, sa.Text, primary_key=True) for each in ("segment", "row_id", "task")),
        sa.Column("remind_at", TIME, primary_key=True),
    )
    op.create_index("reminders_due", "reminders", ["remind_at"])


def owner() -> sa.Column[Any]:
    key = sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE")
    return sa.Column("holder_id", sa.Text, key, primary_key=True)


def row_id() -> sa.Column[Any]:
    return sa.Column("id", sa.Text, primary_key=True)


def needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def times() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return needed("created_at", TIME), needed("updated_at", TIME)
