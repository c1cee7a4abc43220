"""Images of which a small picture is to be made; none of those from before, whose people may want none."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evidence", sa.Column("preview_due", sa.Boolean, nullable=False, server_default="false"))
    op.create_index("evidence_unpreviewed", "evidence", ["id"], postgresql_where=sa.text("preview_due"))
