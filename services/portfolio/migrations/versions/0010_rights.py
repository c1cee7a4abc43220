"""What holders ask of the office by right, what the law asks to be kept, portfolios that are restricted,
looks without leave, and how many people somebody has looked at in a day."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("holder_keys", sa.Column("restricted_at", TIME))
    create_rights_requests()
    create_legal_holds()
    create_break_glass_accesses()
    create_read_quota()


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


def create_break_glass_accesses() -> None:
    op.create_table(
        "break_glass_accesses",
        sa.Column("holder_id", sa.Text, sa.ForeignKey("holders.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("ground", sa.SmallInteger, nullable=False),
        sa.Column("opener", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("verdict", sa.SmallInteger, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("reviewed_at", TIME),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("opener <> holder_id AND reviewer <> holder_id", name="break_glass_not_ones_own"),
        sa.CheckConstraint("reviewer <> opener", name="break_glass_second_person"),
        sa.CheckConstraint("(reviewer = '') = (reviewed_at IS NULL)", name="break_glass_reviewed"),
    )
    op.create_index("break_glass_opener", "break_glass_accesses", ["holder_id", "opener", "expires_at"])
    unreviewed = sa.text("reviewed_at IS NULL")
    op.create_index("break_glass_unreviewed", "break_glass_accesses", ["id"], postgresql_where=unreviewed)


def create_read_quota() -> None:
    op.create_table(
        "people_seen",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("holder_id", sa.Text, sa.ForeignKey("holders.id"), primary_key=True),
    )
    op.create_index("people_seen_holder", "people_seen", ["holder_id"])
    op.create_table(
        "people_counted",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
    )
