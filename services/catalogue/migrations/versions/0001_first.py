"""First tables of the catalogue."""

from __future__ import annotations

from alembic import op

from services.catalogue.store import tables
from services.platform.db.schema import create_platform_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Published versions and their entries stay as they are, whoever asks; a draft's entries never leave it half.
FROZEN = """
CREATE FUNCTION shortage_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.publish_time IS NOT NULL THEN
    RAISE EXCEPTION 'a published shortage-list version never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON shortage_versions
  FOR EACH ROW EXECUTE FUNCTION shortage_version_frozen();

CREATE FUNCTION shortage_entry_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entry shortage_entries := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
BEGIN
  PERFORM FROM shortage_versions v
    WHERE v.list_id = entry.list_id AND v.number = entry.number AND v.publish_time IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'a published shortage-list version never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON shortage_entries
  FOR EACH ROW EXECUTE FUNCTION shortage_entry_frozen();
"""

CHANGED = """
CREATE FUNCTION course_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_xid := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;
CREATE TRIGGER changed BEFORE INSERT OR UPDATE ON courses
  FOR EACH ROW EXECUTE FUNCTION course_changed();
"""

OWN = (
    "uploads",
    "taxonomy_versions",
    "concepts",
    "concept_labels",
    "organisations",
    "sites",
    "accreditations",
    "shortage_lists",
    "shortage_versions",
    "shortage_entries",
    "shortage_findings",
    "sources",
    "feed_runs",
    "feed_findings",
    "feed_staged",
    "courses",
)


def upgrade() -> None:
    create_platform_tables(op)
    tables.metadata.create_all(op.get_bind(), tables=[tables.metadata.tables[name] for name in OWN])
    op.execute(FROZEN)
    op.execute(CHANGED)
