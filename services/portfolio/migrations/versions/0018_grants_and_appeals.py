"""Mandates say by which ground in law, links whether without name or with files, cases who concluded."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    basis = sa.Column("legal_basis", sa.SmallInteger, nullable=False, server_default="1")
    op.add_column("mandates", basis)
    # What opens special categories was explicit consent all along.
    op.execute("UPDATE mandates SET legal_basis = 5 WHERE purpose = 3")
    for column in ("anonymous", "files"):
        op.add_column("share_links", sa.Column(column, sa.Boolean, nullable=False, server_default="false"))
    op.add_column("validation_cases", sa.Column("concluder", sa.Text, nullable=False, server_default=""))
    op.create_check_constraint(
        "validation_cases_not_who_concluded", "validation_cases", "assessor <> concluder OR assessor = ''"
    )
