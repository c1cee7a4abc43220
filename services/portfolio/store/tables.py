"""Tables of the portfolio.

Whatever says something of a person is in a `sealed` column, under the person's own key; the rest are opaque
ids, states, times and numbers.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.portfolio.store import (
    company_tables,
    credential_tables,
    exposure_tables,
    guidance_tables,
    instrument_tables,
    page_tables,
    planning_tables,
    rights_tables,
)
from services.portfolio.store.columns import id_, metadata, of_pathway, owner, sealed, time, version

# The metadata is complete once this module is imported, as Alembic expects.
__all__ = [
    "company_tables",
    "credential_tables",
    "exposure_tables",
    "guidance_tables",
    "instrument_tables",
    "metadata",
    "page_tables",
    "planning_tables",
    "rights_tables",
]

holders = Table(
    "holders",
    metadata,
    Column("id", Text, primary_key=True),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    time(
        "erased_at", nullable=True
    ),  # set: the person is gone, and only this row and the access log are left
    time("last_erased_at", nullable=True),  # the same, and stays when the person begins anew
    Index("holders_last_erased_at", "last_erased_at", postgresql_where=text("last_erased_at IS NOT NULL")),
)

# Deleting a row here deletes all that is sealed for the holder, and makes every copy of it unreadable.
holder_keys = Table(
    "holder_keys",
    metadata,
    Column("holder_id", Text, ForeignKey("holders.id"), primary_key=True),
    Column("master_key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    time("restricted_at", nullable=True),  # set: the key opens for nobody but the holder
    time("created_at"),
    Index("holder_keys_master_key_id", "master_key_id"),
)

entries = Table(
    "entries",
    metadata,
    owner(),
    id_(),
    Column("kind", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    time("deleted_at", nullable=True),  # set: in the trash
    Column("position", BigInteger, nullable=False, server_default="0"),
    Index("entries_trash", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    Index("entries_order", "holder_id", "position", "id"),
)

# What an entry said at each version before its current one; gone with the entry.
entry_revisions = Table(
    "entry_revisions",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    sealed(),
    time("updated_at"),
    ForeignKeyConstraint(["holder_id", "entry_id"], ["entries.holder_id", "entries.id"], ondelete="CASCADE"),
)

skill_claims = Table(
    "skill_claims",
    metadata,
    owner(),
    id_(),
    Column("source", SmallInteger, nullable=False),
    Column("concept", LargeBinary, nullable=False),  # blind index of the concept URI
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    time("taken_back_at", nullable=True),  # set: stays for a legal hold alone
    UniqueConstraint("holder_id", "source", "concept", name="skill_claims_concept"),
    Index("skill_claims_taken_back", "taken_back_at", postgresql_where=text("taken_back_at IS NOT NULL")),
)

# Versions of the CV.
cvs = Table(
    "cvs",
    metadata,
    owner(),
    id_(),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
)

# What documents said beyond a portfolio; what belongs to an entry is gone with it.
remainders = Table(
    "remainders",
    metadata,
    owner(),
    id_(),
    Column("format", SmallInteger, nullable=False),
    Column("entry_id", Text),
    Column("import_id", Text),  # which import set it aside; none: one that is not in the history
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    ForeignKeyConstraint(["holder_id", "entry_id"], ["entries.holder_id", "entries.id"], ondelete="CASCADE"),
    Index("remainders_entry", "holder_id", "entry_id", postgresql_where=text("entry_id IS NOT NULL")),
)

# What documents brought.
document_imports = Table(
    "document_imports",
    metadata,
    owner(),
    id_(),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    time("undone_at", nullable=True),  # set: all that nobody needs went again
)

UNCHECKED = text("state = 3")  # files whose bytes are there and are to be checked
UNSCANNED = text("scan_state IN (1, 2)")  # stored files that no scanner has looked at
UNPREVIEWED = text("preview_due")  # images of which a small picture is to be made

evidence = Table(
    "evidence",
    metadata,
    owner(),
    id_(),
    Column("state", SmallInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("scan_state", SmallInteger, nullable=False, server_default="0"),
    Column("upload_fault", Text, nullable=False, server_default=""),
    Column("has_poster", Boolean, nullable=False, server_default="false"),
    Column("preview_due", Boolean, nullable=False, server_default="false"),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    Index("evidence_unchecked", "id", postgresql_where=UNCHECKED),
    Index("evidence_unscanned", "id", postgresql_where=UNSCANNED),
    Index("evidence_unpreviewed", "id", postgresql_where=UNPREVIEWED),
)

# Small pictures of files, apart from what lists read.
evidence_posters = Table(
    "evidence_posters",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("evidence_id", Text, primary_key=True),
    sealed(),
    ForeignKeyConstraint(
        ["holder_id", "evidence_id"], ["evidence.holder_id", "evidence.id"], ondelete="CASCADE"
    ),
)

mandates = Table(
    "mandates",
    metadata,
    owner(),
    id_(),
    Column("counsellor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("act_on_behalf", Boolean, nullable=False, server_default="false"),
    Column("questionnaire_id", Text, nullable=False, server_default=""),  # empty: for none
    Column("legal_basis", SmallInteger, nullable=False, server_default="1"),  # consent
    Column("parts", ARRAY(SmallInteger), nullable=False, server_default="{}"),  # none: what the purpose opens
    Column("max_uses", Integer, nullable=False, server_default="0"),  # days; 0: as many as there are
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("used_on", Date),  # the last of them
    time("expires_at"),
    time("revoked_at", nullable=True),
    time("created_at"),
    time("next_contact_at"),
    CheckConstraint("counsellor <> holder_id", name="mandates_not_to_oneself"),
    CheckConstraint("questionnaire_id = '' OR purpose = 3", name="mandates_questionnaire"),
    CheckConstraint("max_uses = 0 OR uses <= max_uses", name="mandates_uses"),
    Index("mandates_counsellor", "holder_id", "counsellor"),
    Index("mandates_caseload", "counsellor", "holder_id"),
    Index(
        "mandates_due",
        "counsellor",
        "organisation",
        "next_contact_at",
        "holder_id",
        "id",
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

share_links = Table(
    "share_links",
    metadata,
    owner(),
    id_(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("pin_hash", Text, nullable=False),  # empty: opening needs no PIN
    Column("pin_failures", Integer, nullable=False, server_default="0"),
    Column("fields", ARRAY(Text), nullable=False),
    Column("pages", ARRAY(Text), nullable=False, server_default="{}"),  # none: all of them
    Column("anonymous", Boolean, nullable=False, server_default="false"),
    Column("files", Boolean, nullable=False, server_default="false"),  # true: their bytes too
    Column("max_uses", Integer, nullable=False),
    Column("uses", Integer, nullable=False, server_default="0"),
    sealed(),
    time("expires_at"),
    time("revoked_at", nullable=True),
    time("created_at"),
    CheckConstraint("uses <= max_uses", name="share_links_uses"),
)

# A trigger refuses to change or delete a record; it stays when the holder is erased.
access_records = Table(
    "access_records",
    metadata,
    Column("holder_id", Text, ForeignKey("holders.id"), primary_key=True),
    id_(),
    time("accessed_at"),
    Column("subject", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("grant_name", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
)

pathways = Table(
    "pathways",
    metadata,
    owner(),
    id_(),
    Column("state", SmallInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("holder_agreed", Integer, nullable=False),
    Column("counsellor_agreed", Integer, nullable=False),
    time("stalled_at", nullable=True),  # set: nothing moves, and that was told
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    Index("pathways_still", "updated_at", postgresql_where=text("state = 3 AND stalled_at IS NULL")),
    Index("pathways_stalled", "holder_id", postgresql_where=text("state = 3 AND stalled_at IS NOT NULL")),
)


pathway_steps = Table(
    "pathway_steps",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("pathway_id", Text, primary_key=True),
    id_(),
    Column("state", SmallInteger, nullable=False),
    Column("course", Text, nullable=False),  # `courses/{course}`, or empty
    sealed(),
    of_pathway(),
    Index("pathway_steps_course", "holder_id", "course"),
    Index("pathway_steps_named", "course", "holder_id", "pathway_id", postgresql_where=text("course <> ''")),
)

# Courses as the catalogue told them last, each session by name with its first day. They tell of no holder.
courses = Table(
    "courses",
    metadata,
    Column("course", Text, primary_key=True),  # `courses/{course}`
    Column("version", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("sessions", JSONB, nullable=False),  # that can be booked: name → first day, or empty
    Column("cancelled", ARRAY(Text), nullable=False, server_default="{}"),
    # Set: of the pathways with the course, those after this one (holder, pathway) are still to be looked at.
    Column("looked_to", ARRAY(Text)),
    Index("courses_looked_to", "course", postgresql_where=text("looked_to IS NOT NULL")),
)

# How far each redemption spent on a step's course is known to have come.
step_redemptions = Table(
    "step_redemptions",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("pathway_id", Text, primary_key=True),
    Column("step_id", Text, primary_key=True),
    Column("redemption", Text, primary_key=True),
    Column("stage", SmallInteger, nullable=False),
    Column("session", Text, nullable=False, server_default=""),
    ForeignKeyConstraint(
        ["holder_id", "pathway_id", "step_id"],
        ["pathway_steps.holder_id", "pathway_steps.pathway_id", "pathway_steps.id"],
        ondelete="CASCADE",
    ),
)

pathway_spells = Table(
    "pathway_spells",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("pathway_id", Text, primary_key=True),
    id_(),
    sealed(),
    of_pathway(),
)

# One-time links by which employers attest skills. Whom for, and what came of it, is sealed.
attestation_requests = Table(
    "attestation_requests",
    metadata,
    owner(),
    id_(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("skill_claim_id", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("expires_at"),
    time("created_at"),
    time("updated_at"),
    ForeignKeyConstraint(
        ["holder_id", "skill_claim_id"], ["skill_claims.holder_id", "skill_claims.id"], ondelete="CASCADE"
    ),
    Index("attestation_requests_claim", "holder_id", "skill_claim_id"),
)
