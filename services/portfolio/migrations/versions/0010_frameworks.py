"""Frameworks of skills, which never change once published."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change_of_published() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'what is published is never changed'; END $$
        """
    )
    create_editions("framework_versions")


def create_editions(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("drafted_by", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("published_by", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("published_at", TIME),
        sa.CheckConstraint("published_by <> ALL (drafted_by)", name=f"{name}_by_another"),
        sa.CheckConstraint("(published_by IS NULL) = (published_at IS NULL)", name=f"{name}_published"),
    )
    op.execute(
        f"""
        CREATE TRIGGER {name}_stay BEFORE UPDATE OR DELETE ON {name}
        FOR EACH ROW WHEN (OLD.published_by IS NOT NULL) EXECUTE FUNCTION refuse_change_of_published()
        """
    )
