"""Partners: trees with roles and branding, criteria of accreditations, applications, agreements."""

from __future__ import annotations

from alembic import op

from services.catalogue.store import agreement_tables, partner_application_tables, tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
TREE = """
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS parent_id text REFERENCES organisations;
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS roles smallint[] NOT NULL DEFAULT '{}';
ALTER TABLE organisations DROP CONSTRAINT IF EXISTS organisation_not_its_own_parent;
ALTER TABLE organisations ADD CONSTRAINT organisation_not_its_own_parent CHECK (parent_id <> id);
CREATE INDEX IF NOT EXISTS organisations_parent ON organisations (parent_id, display_name, id);
"""

BRANDING = """
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS logo_id uuid REFERENCES uploads;
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS narratives jsonb NOT NULL DEFAULT '{}';
"""

ACCREDITATION = """
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS end_announced boolean NOT NULL DEFAULT false;
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS criteria jsonb NOT NULL DEFAULT '[]';
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS review_date date;
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS review_asked boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS accreditations_ending ON accreditations (valid_to) WHERE NOT end_announced;
CREATE INDEX IF NOT EXISTS accreditations_to_review ON accreditations (review_date) WHERE NOT review_asked;
"""
AGREEMENTS = (
    agreement_tables.agreements,
    agreement_tables.agreement_targets,
    agreement_tables.agreement_reviews,
    agreement_tables.agreement_feedback,
    agreement_tables.contact_details,
)
APPLICATIONS = (partner_application_tables.partner_applications,)


def upgrade() -> None:
    op.execute(TREE)
    op.execute(BRANDING)
    op.execute(ACCREDITATION)
    tables.metadata.create_all(op.get_bind(), tables=[*AGREEMENTS, *APPLICATIONS])
