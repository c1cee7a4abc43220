"""What an active version of a programme says stays as it is, whoever asks, with the currency it counts in."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Decisions are computed again by the version that took them. What may move is named, so a column that comes
# later is as fixed as the rules until somebody decides otherwise; no version goes back to a draft. Nobody can
# truncate the table: the ledger's shares hang on it.
FROZEN = """
CREATE FUNCTION programme_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moving CONSTANT text[] := '{state,version,terms_told}';
BEGIN
  IF OLD.state = 1 THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.state > 1 AND to_jsonb(NEW) - moving = to_jsonb(OLD) - moving THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'an active version of a programme never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON programme_versions
  FOR EACH ROW EXECUTE FUNCTION programme_version_frozen();

CREATE FUNCTION programme_currency_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM programme_versions WHERE programme_id = OLD.id AND state > 1) THEN
    RAISE EXCEPTION 'an active version of a programme never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OF currency ON programmes FOR EACH ROW
  WHEN (NEW.currency <> OLD.currency) EXECUTE FUNCTION programme_currency_frozen();
"""


def upgrade() -> None:
    op.execute(FROZEN)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
