"""Which skills occupations need."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
COUNT = """
ALTER TABLE taxonomy_versions ADD COLUMN IF NOT EXISTS occupation_skill_count INTEGER DEFAULT 0 NOT NULL
"""

NEEDS = """
CREATE TABLE occupation_skills (
    scheme TEXT NOT NULL,
    version TEXT NOT NULL,
    concept_id TEXT NOT NULL,
    skill_uri TEXT NOT NULL,
    essential BOOLEAN NOT NULL,
    PRIMARY KEY (scheme, version, concept_id, skill_uri),
    FOREIGN KEY (scheme, version, concept_id) REFERENCES concepts (scheme, version, id)
)
"""


def upgrade() -> None:
    op.execute(COUNT)
    op.execute(NEEDS)
