"""A holder can be erased: what is sealed goes with the key it is sealed under."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OWNED = ("entries", "skill_claims", "evidence", "mandates", "share_links", "pathways")
PATHWAY = ["holder_id", "pathway_id"]
STEP = [*PATHWAY, "step_id"]


def upgrade() -> None:
    op.add_column("holders", sa.Column("erased_at", sa.DateTime(timezone=True)))
    for table in OWNED:
        follow(table, ["holder_id"], "holder_keys", ["holder_id"])
    for table in ("pathway_steps", "pathway_spells"):
        follow(table, PATHWAY, "pathways", ["holder_id", "id"])
    follow("step_redemptions", STEP, "pathway_steps", ["holder_id", "pathway_id", "id"])


def follow(table: str, columns: list[str], parent: str, keys: list[str]) -> None:
    """Lets the rows of a table go with the row they belong to."""
    name = f"{table}_{'_'.join(columns)}_fkey"
    op.drop_constraint(name, table, type_="foreignkey")
    op.create_foreign_key(name, table, parent, columns, keys, ondelete="CASCADE")
