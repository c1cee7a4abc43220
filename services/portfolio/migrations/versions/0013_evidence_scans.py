"""What a malware scan found in each file of evidence, large files that are checked afterwards, and
small pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evidence", sa.Column("scan_state", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("evidence", sa.Column("upload_fault", sa.Text, nullable=False, server_default=""))
    op.add_column("evidence", sa.Column("has_poster", sa.Boolean, nullable=False, server_default="false"))
    op.execute("UPDATE evidence SET scan_state = 1 WHERE state = 2")  # stored, and not scanned
    op.create_index("evidence_unchecked", "evidence", ["id"], postgresql_where=sa.text("state = 3"))
    op.create_index(
        "evidence_unscanned", "evidence", ["id"], postgresql_where=sa.text("scan_state IN (1, 2)")
    )
    op.create_table(
        "evidence_posters",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("evidence_id", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "evidence_id"], ["evidence.holder_id", "evidence.id"], ondelete="CASCADE"
        ),
    )
