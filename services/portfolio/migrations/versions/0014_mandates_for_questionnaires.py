"""Mandates for special categories name their questionnaire; those from before name none, and open nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mandates", sa.Column("questionnaire_id", sa.Text, nullable=False, server_default=""))
    op.create_check_constraint("mandates_questionnaire", "mandates", "questionnaire_id = '' OR purpose = 3")
