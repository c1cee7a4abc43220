"""Versions of shortage lists withdrawn before their first day, closings undone, sites removed."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
WITHDRAWN = """
ALTER TABLE shortage_versions ADD COLUMN IF NOT EXISTS withdrawn_by TEXT;
ALTER TABLE shortage_versions ADD COLUMN IF NOT EXISTS withdraw_time TIMESTAMP WITH TIME ZONE;
ALTER TABLE shortage_versions ADD COLUMN IF NOT EXISTS withdraw_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE shortage_versions DROP CONSTRAINT IF EXISTS shortage_version_withdrawn_by_another;
ALTER TABLE shortage_versions ADD CONSTRAINT shortage_version_withdrawn_by_another
  CHECK (withdrawn_by <> published_by);
ALTER TABLE shortage_versions DROP CONSTRAINT IF EXISTS shortage_version_withdrawn_whole;
ALTER TABLE shortage_versions ADD CONSTRAINT shortage_version_withdrawn_whole CHECK (
  (withdrawn_by IS NULL) = (withdraw_time IS NULL) AND (withdraw_time IS NULL) = (withdraw_reason = '')
  AND (withdraw_time IS NULL OR publish_time IS NOT NULL)
);
"""

# What is withdrawn changes in nothing else, once, and only before its first day.
FROZEN = """
CREATE OR REPLACE FUNCTION shortage_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  withdrawal CONSTANT text[] := ARRAY['withdrawn_by', 'withdraw_time', 'withdraw_reason', 'revision'];
BEGIN
  IF OLD.publish_time IS NULL THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.withdraw_time IS NULL AND NEW.withdraw_time IS NOT NULL
    AND current_date < OLD.valid_from
    AND to_jsonb(NEW) - withdrawal = to_jsonb(OLD) - withdrawal
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published shortage-list version never changes' USING ERRCODE = 'restrict_violation';
END $$;
"""

REOPENED = """
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS reopen_time TIMESTAMP WITH TIME ZONE;
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS reopened_by TEXT;
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS reopen_reason TEXT NOT NULL DEFAULT '';
"""
RESTORED = """
ALTER TABLE sources ADD COLUMN IF NOT EXISTS restoring_since TIMESTAMP WITH TIME ZONE;
CREATE INDEX IF NOT EXISTS sources_restoring ON sources (id) WHERE restoring_since IS NOT NULL;
"""
REMOVED = "ALTER TABLE sites ADD COLUMN IF NOT EXISTS delete_time TIMESTAMP WITH TIME ZONE"


def upgrade() -> None:
    op.execute(REMOVED)
    for table in ("organisations", "sources"):
        op.execute(REOPENED.format(table=table))
    op.execute(RESTORED)
    op.execute(WITHDRAWN)
    op.execute(FROZEN)
