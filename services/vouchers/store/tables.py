"""Tables of the vouchers database. The checks hold whatever the code does."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.platform.db.schema import platform_tables
from services.vouchers.store.columns import (
    blank,
    cents,
    created,
    created_on,
    document,
    key,
    moment,
    not_negative,
    sealed,
    texts,
    version,
    words,
)

metadata = MetaData()
platform_tables(metadata)

funding_sources = Table(
    "funding_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    document("display_names"),
    Column("retention_years", SmallInteger, nullable=False, server_default="5"),
    created(),
    CheckConstraint("retention_years BETWEEN 5 AND 30", name="funding_sources_retention"),
)

programmes = Table(
    "programmes",
    metadata,
    Column("id", Text, primary_key=True),
    document("display_names"),
    words("currency"),
    Column("last_version", Integer, nullable=False, server_default="0"),
    Column("money_told", SmallInteger, nullable=False, server_default="0"),  # waymark.vouchers.v1.MoneyLeft
    Column("money_changes", Integer, nullable=False, server_default="0"),
    created(),
)

programme_versions = Table(
    "programme_versions",
    metadata,
    Column("programme_id", Text, ForeignKey("programmes.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("rules", JSONB, nullable=False),
    texts("drafted_by"),
    blank("activated_by"),
    moment("activated_at", nullable=True),
    version(),
    created(),
    Column("terms_told", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("programme_id", "number"),
    CheckConstraint("state = 1 OR activated_by <> ''", name="programme_versions_activated_by_someone"),
    CheckConstraint("activated_by <> ALL (drafted_by)", name="programme_versions_maker_checker"),
)
Index(
    "programme_versions_in_force",
    programme_versions.c.programme_id,
    programme_versions.c.effective_date,
    postgresql_where=text("state = 2"),
)

budgets = Table(
    "budgets",
    metadata,
    key(),
    Column("programme_id", Text, ForeignKey("programmes.id"), nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    created(),
    UniqueConstraint("programme_id", "start_date"),
    CheckConstraint("start_date <= end_date", name="budgets_period"),
)

pots = Table(
    "pots",
    metadata,
    key(),
    Column("budget_id", Uuid(as_uuid=False), ForeignKey("budgets.id"), nullable=False),
    words("code"),
    Column("funding_source_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    texts("target_groups"),
    cents("funded_cents"),
    cents("available_cents"),
    words("name"),
    UniqueConstraint("budget_id", "code"),
    not_negative("pots", "funded_cents", "available_cents"),
    postgresql_with={"fillfactor": "50"},
)

# `erased_at`: when they erased their portfolio, until what is kept of them here is let go.
learners = Table(
    "learners", metadata, Column("id", Text, primary_key=True), moment("erased_at", nullable=True)
)
Index("learners_erased", learners.c.id, postgresql_where=text("erased_at IS NOT NULL"))

learner_facts = Table(
    "learner_facts",
    metadata,
    key(),
    words("learner"),
    words("key"),
    Column("source", SmallInteger, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("observed_date", Date, nullable=False),
    Column("valid_until", Date),
    blank("told_by"),
    created(),
    UniqueConstraint("learner", "key", "source"),
)

applications = Table(
    "applications",
    metadata,
    key(),
    words("learner"),
    words("programme_id"),
    Column("version_number", Integer, nullable=False),
    words("session"),
    words("course"),
    words("organisation"),
    Column("state", SmallInteger, nullable=False),
    blank("shortage_version"),
    blank("shortage_entry"),
    document("facts"),
    words("fact_hash"),
    document("offer"),
    document("history"),
    document("pins"),
    Column("pot_held", Boolean),
    created_on("applied_on"),
    Column("decided_on", Date, nullable=False),
    document("clauses"),
    texts("reason_codes"),
    sealed("sealed_note"),
    blank("decided_by"),
    Column("automatic", Boolean, nullable=False),
    cents("amount_cents"),
    cents("share_cents"),
    cents("face_cents"),
    Column("cover_percent", SmallInteger, nullable=False, server_default="0"),
    words("currency"),
    blank("target_group"),
    Column("voucher_id", Uuid(as_uuid=False)),
    moment("decided_at", nullable=True),
    blank("assignee"),
    Column("answer_due", Date),
    Column("appeal_until", Date),
    moment("appealed_at", nullable=True),
    sealed("sealed_grounds"),
    Column("appeal_outcome", SmallInteger, nullable=False, server_default="0"),
    blank("appeal_decided_by"),
    moment("appeal_decided_at", nullable=True),
    sealed("sealed_appeal_note"),
    moment("facts_let_go_at", nullable=True),  # set: the facts and all words are gone, see store/retention.py
    # Its voucher ended unused, and its person applied for the same session once more.
    Column("superseded", Boolean, nullable=False, server_default="false"),
    Column("left_draw", Boolean, nullable=False, server_default="false"),  # withdrawn before the seed was out
    version(),
    created(),
    ForeignKeyConstraint(
        ["programme_id", "version_number"], ["programme_versions.programme_id", "programme_versions.number"]
    ),
    not_negative("applications", "amount_cents", "share_cents", "face_cents"),
    CheckConstraint(
        "learner NOT IN ('learners/' || decided_by, 'learners/' || appeal_decided_by)",
        name="applications_not_ones_own",
    ),
    CheckConstraint(
        "appeal_decided_by = '' OR appeal_decided_by <> decided_by", name="applications_appeal_second_person"
    ),
    CheckConstraint(
        "appeal_outcome = 0 OR (appeal_outcome = 3 AND appealed_at IS NOT NULL)"
        " OR (appealed_at IS NOT NULL AND appeal_decided_by <> '')",
        name="applications_appeal_decided_by_someone",
    ),
)
Index(
    "applications_one_open",
    applications.c.learner,
    applications.c.programme_id,
    applications.c.session,
    unique=True,
    postgresql_where=text("state IN (1, 2, 5) AND NOT superseded"),
)
Index("applications_queue", applications.c.state, applications.c.id)
Index("applications_waiting", applications.c.id, postgresql_where=text("state IN (1, 5)"))
Index(
    "applications_assignee",
    applications.c.assignee,
    applications.c.id,
    postgresql_where=text("assignee <> ''"),
)
Index("applications_granted", applications.c.organisation, postgresql_where=text("voucher_id IS NOT NULL"))
Index("applications_learner", applications.c.learner, applications.c.id)
Index("applications_programme", applications.c.programme_id, applications.c.created_at, applications.c.id)
Index("applications_created", applications.c.created_at, postgresql_using="brin")
Index("applications_decided_at", applications.c.decided_at, postgresql_using="brin")
Index("applications_decided", applications.c.programme_id, applications.c.decided_at)

vouchers = Table(
    "vouchers",
    metadata,
    key(),
    words("learner"),
    words("programme_id"),
    Column("version_number", Integer, nullable=False),
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), nullable=False),
    words("course"),
    Column("pot_id", Uuid(as_uuid=False), ForeignKey("pots.id"), nullable=False),
    Column("shard", SmallInteger, nullable=False),
    words("currency"),
    Column("cover_percent", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    cents("value_cents"),
    cents("available_cents"),
    cents("reserved_cents"),
    cents("spent_cents"),
    cents("returned_cents"),
    moment("order_until"),
    moment("expires_at"),
    Column("code_hmac", LargeBinary, unique=True),
    Column("end_reason", SmallInteger, nullable=False, server_default="0"),
    sealed("sealed_note"),
    Column("issue_number", Integer, nullable=False, server_default="1"),
    moment("proposed_expires_at", nullable=True),
    version(),
    created(),
    not_negative("vouchers", "available_cents", "reserved_cents", "spent_cents", "returned_cents"),
    CheckConstraint(
        "available_cents + reserved_cents + spent_cents + returned_cents = value_cents",
        name="vouchers_never_beyond_value",
    ),
    postgresql_with={"fillfactor": "60"},
)
Index("vouchers_created", vouchers.c.created_at, postgresql_using="brin")
Index("vouchers_learner", vouchers.c.learner, vouchers.c.id)
Index("vouchers_leftovers", vouchers.c.id, postgresql_where=text("state >= 5 AND available_cents > 0"))
Index("vouchers_expiry", vouchers.c.expires_at, postgresql_where=text("state <= 3"))

redemptions = Table(
    "redemptions",
    metadata,
    key(),
    Column("voucher_id", Uuid(as_uuid=False), ForeignKey("vouchers.id"), nullable=False),
    words("learner"),
    words("programme_id"),
    Column("version_number", Integer, nullable=False),
    words("course"),
    words("session"),
    words("organisation"),
    Column("shard", SmallInteger, nullable=False),
    words("currency"),
    Column("state", SmallInteger, nullable=False),
    cents("price_cents"),
    cents("amount_cents"),
    cents("accepted_cents"),
    cents("held_cents"),
    cents("cleared_cents"),
    cents("paid_cents"),
    cents("clawed_cents"),
    cents("taken_cents"),
    Column("part_of", Uuid(as_uuid=False), ForeignKey("redemptions.id")),
    Column("instalment", SmallInteger, nullable=False, server_default="0"),
    texts("evidence"),
    Column("end_reason", SmallInteger, nullable=False, server_default="0"),
    sealed("sealed_note"),
    moment("authorise_until"),
    moment("release_at", nullable=True),
    moment("accepted_at", nullable=True),
    moment("started_at", nullable=True),
    moment("delivered_at", nullable=True),
    moment("no_show_at", nullable=True),
    moment("checked_at", nullable=True),
    moment("overdue_told_at", nullable=True),
    Column("batch_id", Uuid(as_uuid=False), ForeignKey("payout_batches.id")),
    moment("updated_at"),
    version(),
    created(),
    not_negative(
        "redemptions",
        "accepted_cents",
        "held_cents",
        "cleared_cents",
        "paid_cents",
        "clawed_cents",
        "taken_cents",
    ),
    CheckConstraint("amount_cents > 0", name="redemptions_some_amount"),
    CheckConstraint("clawed_cents <= accepted_cents", name="redemptions_clawed_within_accepted"),
    CheckConstraint("accepted_cents <= amount_cents", name="redemptions_accepted_within_reserved"),
    CheckConstraint(
        "held_cents + cleared_cents + paid_cents <= accepted_cents", name="redemptions_owed_within_accepted"
    ),
    postgresql_with={"fillfactor": "60"},
)
Index("redemptions_accepted", redemptions.c.accepted_at, postgresql_using="brin")
Index("redemptions_created", redemptions.c.created_at, postgresql_using="brin")
Index("redemptions_learner", redemptions.c.learner, redemptions.c.id)
Index("redemptions_organisation", redemptions.c.organisation, redemptions.c.id)
Index("redemptions_no_show", redemptions.c.no_show_at, postgresql_where=text("no_show_at IS NOT NULL"))
Index(
    "redemptions_parts",
    redemptions.c.part_of,
    redemptions.c.instalment,
    unique=True,
    postgresql_where=text("part_of IS NOT NULL"),
)
Index("redemptions_open", redemptions.c.session, postgresql_where=text("state IN (1, 2, 3, 4)"))
Index("redemptions_waiting", redemptions.c.authorise_until, postgresql_where=text("state = 1"))
Index("redemptions_held", redemptions.c.release_at, postgresql_where=text("state = 5 AND held_cents > 0"))
Index("redemptions_unchecked", redemptions.c.id, postgresql_where=text("state = 5 AND checked_at IS NULL"))
Index(
    "redemptions_cleared",
    redemptions.c.currency,
    redemptions.c.organisation,
    postgresql_where=text("state = 5 AND cleared_cents > 0"),
)
Index(
    "redemptions_sandbox",
    redemptions.c.organisation,
    redemptions.c.id,
    postgresql_where=text("currency = 'XTS'"),
)
Index("redemptions_batch", redemptions.c.batch_id, postgresql_where=text("batch_id IS NOT NULL"))

# The metadata is complete once this module is imported, as Alembic expects.
from services.vouchers.store import (  # noqa: E402
    catalogue_tables,
    desk_tables,
    evidence_tables,
    fund_return_tables,
    ledger_tables,
    levy_tables,
    obligation_tables,
    operation_tables,
    outcome_tables,
    payment_share_tables,
    quality_tables,
    retention_tables,
    settlement_tables,
    target_tables,
    wallet_tables,
    webhook_tables,
)

__all__ = [
    "catalogue_tables",
    "desk_tables",
    "evidence_tables",
    "fund_return_tables",
    "ledger_tables",
    "levy_tables",
    "metadata",
    "obligation_tables",
    "operation_tables",
    "outcome_tables",
    "payment_share_tables",
    "quality_tables",
    "retention_tables",
    "settlement_tables",
    "target_tables",
    "wallet_tables",
    "webhook_tables",
]
