"""What a decision needs to be computed again: hashes of all it rests on, and the pot's answer."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A race for the last money left a refusal whose clauses still said that a pot held enough.
PINS = """
ALTER TABLE applications ADD COLUMN pins JSONB DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE applications ADD COLUMN pot_held BOOLEAN;
UPDATE applications a SET pot_held = b.held
FROM (
  SELECT id, bool_and(c ->> 'outcome' = 'OUTCOME_PASSED') AS held
  FROM applications,
    jsonb_array_elements(CASE jsonb_typeof(clauses) WHEN 'array' THEN clauses ELSE '[]' END) AS c
  WHERE c ->> 'clause' = 'budget' GROUP BY id
) AS b WHERE b.id = a.id;
UPDATE applications SET pot_held = FALSE, clauses = (
  SELECT jsonb_agg(CASE WHEN c ->> 'clause' = 'budget'
    THEN c || '{"outcome": "OUTCOME_FAILED", "reason_code": "BUDGET_EXHAUSTED"}' ELSE c END ORDER BY place)
  FROM jsonb_array_elements(clauses) WITH ORDINALITY AS each(c, place)
)
WHERE state = 3 AND automatic AND pot_held AND reason_codes = '{BUDGET_EXHAUSTED}';
"""


def upgrade() -> None:
    op.execute(PINS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
