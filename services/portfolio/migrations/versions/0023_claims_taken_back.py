"""A skill claim that was taken back says so for as long as a legal hold keeps it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("skill_claims", sa.Column("taken_back_at", sa.DateTime(timezone=True)))
    taken_back = sa.text("taken_back_at IS NOT NULL")
    op.create_index("skill_claims_taken_back", "skill_claims", ["taken_back_at"], postgresql_where=taken_back)
