"""Frameworks and instruments, which never change once published; questionnaires and their sealed parts."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
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
    create_editions("instrument_versions")
    create_questionnaires()


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


def create_questionnaires() -> None:
    op.create_table(
        "questionnaires",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("instrument", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    columns = ["holder_id", "instrument", "state", "id"]
    op.create_index("questionnaires_instrument", "questionnaires", columns)
    op.create_table(
        "questionnaire_parts",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("questionnaire_id", sa.Text, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("filled_by", sa.SmallInteger, nullable=False),
        sa.Column("special_category", sa.Boolean, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, unique=True),
        sa.Column("expires_at", TIME),
        sa.Column("filled_at", TIME),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "questionnaire_id"],
            ["questionnaires.holder_id", "questionnaires.id"],
            ondelete="CASCADE",
        ),
    )
    columns = ["holder_id", "questionnaire_id", "position"]
    op.create_index("questionnaire_parts_of", "questionnaire_parts", columns)
