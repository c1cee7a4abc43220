"""A skill claim that was taken back says so for as long as a legal hold keeps it; what waits for a course is
looked at in parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("skill_claims", sa.Column("taken_back_at", sa.DateTime(timezone=True)))
    taken_back = sa.text("taken_back_at IS NOT NULL")
    op.create_index("skill_claims_taken_back", "skill_claims", ["taken_back_at"], postgresql_where=taken_back)
    op.add_column("courses", sa.Column("looked_to", ARRAY(sa.Text)))
    unfinished = sa.text("looked_to IS NOT NULL")
    op.create_index("courses_looked_to", "courses", ["course"], postgresql_where=unfinished)
    op.drop_index("pathway_steps_named")
    in_order = ["course", "holder_id", "pathway_id"]
    op.create_index(
        "pathway_steps_named", "pathway_steps", in_order, postgresql_where=sa.text("course <> ''")
    )
