"""Validation cases with what was frozen of them; who agreed to what in pathways; pathways that
stall; mandates handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_validation()
    extend_pathways()
    create_handovers()


def create_handovers() -> None:
    op.create_table(
        "handovers",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("mandate_id", sa.Text, nullable=False),
        sa.Column("counsellor", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("new_mandate_id", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "mandate_id"], ["mandates.holder_id", "mandates.id"], ondelete="CASCADE"
        ),
        sa.CheckConstraint("counsellor <> holder_id", name="handovers_not_to_the_holder"),
    )


def extend_pathways() -> None:
    op.add_column("pathways", sa.Column("stalled_at", TIME))
    still = sa.text("state = 3 AND stalled_at IS NULL")
    op.create_index("pathways_still", "pathways", ["updated_at"], postgresql_where=still)
    stalled = sa.text("state = 3 AND stalled_at IS NOT NULL")
    op.create_index("pathways_stalled", "pathways", ["holder_id"], postgresql_where=stalled)
    op.create_index("mandates_caseload", "mandates", ["counsellor", "holder_id"])
    op.create_table(
        "pathway_words",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("pathway_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "pathway_id"], ["pathways.holder_id", "pathways.id"], ondelete="CASCADE"
        ),
    )


def create_validation() -> None:
    op.create_table(
        "validation_cases",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("issuer_id", sa.Text, sa.ForeignKey("credential_issuers.id"), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("outcome", sa.SmallInteger, nullable=False),
        sa.Column("assessor", sa.Text, nullable=False),
        sa.Column("former_assessor", sa.Text, nullable=False),
        sa.Column("appeal_end", TIME),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("assessor <> holder_id", name="validation_cases_not_of_oneself"),
        sa.CheckConstraint(
            "assessor <> former_assessor OR assessor = ''", name="validation_cases_another_assessor"
        ),
    )
    op.create_index(
        "validation_cases_handed_in",
        "validation_cases",
        ["issuer_id", "id"],
        postgresql_where=sa.text("state BETWEEN 4 AND 11"),
    )
    op.create_table(
        "validation_snapshots",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "id"], ["validation_cases.holder_id", "validation_cases.id"], ondelete="CASCADE"
        ),
    )
