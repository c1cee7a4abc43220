"""What holders ask of the office by right, what the law asks to be kept, portfolios that are restricted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("holder_keys", sa.Column("restricted_at", TIME))
    create_rights_requests()
    create_legal_holds()


def create_rights_requests() -> None:
    op.create_table(
        "rights_requests",
        sa.Column("holder_id", sa.Text, sa.ForeignKey("holders.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("identity_proof", sa.SmallInteger, nullable=False),
        sa.Column("refusal_ground", sa.SmallInteger, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("extended_at", TIME),
        sa.Column("reminded_at", TIME),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("handler <> holder_id", name="rights_requests_not_ones_own"),
    )
    is_open = sa.text("state <= 3")
    op.create_index("rights_requests_open", "rights_requests", ["due_at", "id"], postgresql_where=is_open)
    unreminded = sa.text("state <= 3 AND reminded_at IS NULL")
    op.create_index("rights_requests_unreminded", "rights_requests", ["due_at"], postgresql_where=unreminded)


def create_legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("setter", sa.Text, nullable=False),
        sa.Column("lifter", sa.Text, nullable=False),
        sa.Column("lifted_at", TIME),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("setter <> holder_id AND lifter <> holder_id", name="legal_holds_not_ones_own"),
        sa.CheckConstraint("(lifter = '') = (lifted_at IS NULL)", name="legal_holds_lifted"),
    )
    in_force = sa.text("lifted_at IS NULL")
    op.create_index("legal_holds_in_force", "legal_holds", ["holder_id"], postgresql_where=in_force)
