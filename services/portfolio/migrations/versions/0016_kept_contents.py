"""What things said before they were changed while a legal hold was in force, kept by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BY_ID = (
    "attestation_requests",
    "break_glass_accesses",
    "credentials",
    "cvs",
    "evidence",
    "exposure_consents",
    "goals",
    "group_memberships",
    "holders",
    "journal_entries",
    "legal_holds",
    "mentoring_matches",
    "page_collections",
    "page_comments",
    "page_submissions",
    "pages",
    "pathways",
    "plans",
    "questionnaires",
    "rights_requests",
    "skill_claims",
    "validation_cases",
)


def upgrade() -> None:
    op.create_table(
        "kept_contents",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
    )
    keep_on_change()
    for table in BY_ID:
        watch(table, "id")
    watch("guidance_cases", "holder_id")
    watch("pathway_spells", "id", "pathway_id")
    watch("pathway_steps", "id", "pathway_id")
    watch("questionnaire_parts", "id", "questionnaire_id")


def keep_on_change() -> None:
    """It locks the key, as `keeping.settle` does: a hold that is being set is waited for, and seen.

    What stands there for one step of undo (`former`) goes with the first change under a hold, and is kept.
    """
    op.execute(
        """
        CREATE FUNCTION keep_content() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            holder text;
            said jsonb;
            since timestamptz;
        BEGIN
            IF TG_TABLE_NAME = 'holders' THEN holder := OLD.id; ELSE holder := OLD.holder_id; END IF;
            PERFORM FROM holder_keys WHERE holder_id = holder FOR SHARE;
            SELECT min(created_at) INTO since FROM legal_holds WHERE holder_id = holder AND lifted_at IS NULL;
            IF since IS NOT NULL THEN
                said := to_jsonb(OLD);
                IF said ->> 'former' IS NOT NULL AND NOT EXISTS (
                    SELECT FROM kept_contents WHERE holder_id = holder AND kind = TG_TABLE_NAME
                    AND row_id = said ->> 'id' AND kept_at >= since
                ) THEN
                    INSERT INTO kept_contents (holder_id, kind, row_id, parent_id, sealed, kept_at)
                    VALUES (holder, TG_TABLE_NAME, (said ->> 'id') || '/former', '',
                            (said ->> 'former')::bytea, now());
                END IF;
                INSERT INTO kept_contents (holder_id, kind, row_id, parent_id, sealed, kept_at)
                VALUES (holder, TG_TABLE_NAME, said ->> TG_ARGV[0], coalesce(said ->> TG_ARGV[1], ''),
                        OLD.sealed, now());
            END IF;
            RETURN NULL;
        END $$
        """
    )


def watch(table: str, *key: str) -> None:
    """`key`: the column by which a row is sealed, and the one of what it is part of."""
    op.execute(
        f"""
        CREATE TRIGGER content_is_kept AFTER UPDATE OF sealed ON {table}
        FOR EACH ROW WHEN (OLD.sealed <> '' AND OLD.sealed <> NEW.sealed)
        EXECUTE FUNCTION keep_content({", ".join(f"'{column}'" for column in key)})
        """
    )
