"""Tables of settlement: bank accounts, payout batches, what the bank says, what providers owe back."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.vouchers.store.columns import (
    blank,
    cents,
    created,
    key,
    moment,
    not_negative,
    sealed,
    texts,
    version,
    words,
)
from services.vouchers.store.tables import metadata

bank_accounts = Table(
    "bank_accounts",
    metadata,
    key(),
    words("organisation"),
    words("holder_name"),
    words("iban"),
    blank("bic"),
    Column("state", SmallInteger, nullable=False),
    words("proposed_by"),
    blank("confirmed_by"),
    moment("confirmed_at", nullable=True),
    moment("effective_at", nullable=True),
    Column("is_first", Boolean, nullable=False, server_default=text("false")),
    blank("withdrawn_by"),
    moment("withdrawn_at", nullable=True),
    created(),
    CheckConstraint("confirmed_by <> proposed_by", name="bank_accounts_maker_checker"),
    CheckConstraint("state <> 2 OR confirmed_by <> ''", name="bank_accounts_confirmed_by_someone"),
    CheckConstraint("state <> 3 OR withdrawn_by <> ''", name="bank_accounts_withdrawn_by_someone"),
    # Only a provider's first account is used at once, and it has but one.
    CheckConstraint(
        "state <> 2 OR is_first OR coalesce(confirmed_at >= created_at "
        "AND effective_at >= confirmed_at + interval '72 hours', false)",
        name="bank_accounts_change_waits",
    ),
)
Index(
    "bank_accounts_one_first",
    bank_accounts.c.organisation,
    unique=True,
    postgresql_where=text("is_first"),
)
Index("bank_accounts_organisation", bank_accounts.c.organisation, bank_accounts.c.id)

payout_batches = Table(
    "payout_batches",
    metadata,
    key(),
    Column("state", SmallInteger, nullable=False),
    Column("execution_date", Date, nullable=False),
    words("debtor_name"),
    words("debtor_iban"),
    blank("debtor_bic"),
    words("currency"),
    cents("total_cents"),
    texts("skipped"),
    Column("kind", SmallInteger, nullable=False, server_default="1"),
    words("created_by"),
    blank("frozen_by"),
    blank("approved_by"),
    moment("approved_at", nullable=True),
    moment("frozen_at", nullable=True),
    blank("sent_by"),
    moment("sent_at", nullable=True),
    moment("settled_at", nullable=True),
    moment("file_read_at", nullable=True),
    blank("file_retracted_by"),
    moment("file_retracted_at", nullable=True),
    blank("cancelled_by"),
    moment("cancelled_at", nullable=True),
    sealed("sealed_cancel_reason"),
    version(),
    created(),
    CheckConstraint("state IN (1, 7) OR frozen_by <> ''", name="payout_batches_frozen_by_someone"),
    CheckConstraint("state IN (1, 2, 7) OR approved_by <> ''", name="payout_batches_approved_by_someone"),
    CheckConstraint(
        "state IN (1, 2, 3, 7) OR (sent_by <> '' AND sent_at IS NOT NULL)",
        name="payout_batches_sent_by_someone",
    ),
    CheckConstraint(
        "state <> 7 OR (cancelled_by <> '' AND cancelled_at IS NOT NULL)",
        name="payout_batches_cancelled_by_someone",
    ),
    # What the bank may have, it may pay; paid by another batch too, it would be paid twice.
    CheckConstraint(
        "state <> 7 OR (sent_at IS NULL AND file_read_at IS NULL)"
        " OR (file_retracted_by <> '' AND file_retracted_by <> cancelled_by)",
        name="payout_batches_cancelled_before_the_bank",
    ),
    CheckConstraint(
        "approved_by = '' OR (approved_by <> created_by AND approved_by <> frozen_by)",
        name="payout_batches_maker_checker",
    ),
    # No bank can be told of a sandbox batch, whatever the code does: there is no account to pay from.
    CheckConstraint("(currency = 'XTS') = (debtor_iban = '')", name="payout_batches_sandbox_from_no_account"),
)

payouts = Table(
    "payouts",
    metadata,
    Column("batch_id", Uuid(as_uuid=False), ForeignKey("payout_batches.id"), nullable=False),
    words("organisation"),
    cents("amount_cents"),
    cents("set_off_cents"),
    Column("redemption_count", Integer, nullable=False),
    words("end_to_end_id"),
    words("holder_name"),
    words("iban"),
    blank("bic"),
    Column("result", SmallInteger, nullable=False, server_default="0"),
    blank("return_code"),
    moment("result_at", nullable=True),
    PrimaryKeyConstraint("batch_id", "organisation"),
    CheckConstraint(
        "amount_cents >= 0 AND set_off_cents >= 0 AND amount_cents + set_off_cents > 0",
        name="payouts_some_amount",
    ),
    CheckConstraint("result IN (0, 5, 6)", name="payouts_result"),
)
Index("payouts_end_to_end_id", payouts.c.end_to_end_id, unique=True)

# What was approved to be paid by the bank and is no redemption.
payables = Table(
    "payables",
    metadata,
    key(),
    Column("subject", Text, nullable=False, unique=True),
    words("organisation"),
    words("currency"),
    Column("shard", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    Column("batch_id", Uuid(as_uuid=False), ForeignKey("payout_batches.id")),
    Column("source_id", Text, ForeignKey("funding_sources.id")),
    created(),
    CheckConstraint("cents > 0", name="payables_some_amount"),
    CheckConstraint("(state = 1) = (batch_id IS NULL)", name="payables_wait_in_no_batch"),
    CheckConstraint("state <> 4 OR source_id IS NOT NULL", name="payables_investors_are_repaid"),
)
Index("payables_waiting", payables.c.currency, payables.c.id, postgresql_where=text("state = 1"))
Index("payables_organisation", payables.c.organisation, payables.c.id)
Index("payables_batch", payables.c.batch_id, postgresql_where=text("batch_id IS NOT NULL"))

# What moved for a provider, in the ledger's cents: by day for what a statement says, by month for what stood
# when it begins; and up to which entry of each chain that is counted.
provider_days = Table(
    "provider_days",
    metadata,
    words("organisation"),
    words("currency"),
    Column("day", Date, nullable=False),
    words("operation"),
    Column("kind", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("organisation", "currency", "day", "operation", "kind"),
)
provider_months = Table(
    "provider_months",
    metadata,
    words("organisation"),
    words("currency"),
    Column("month", Date, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("organisation", "currency", "month", "kind"),
)
turnover_marks = Table(
    "turnover_marks",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    words("zone"),  # by whose days it was counted
)

receivables = Table(
    "receivables",
    metadata,
    key(),
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), nullable=False),
    words("organisation"),
    words("currency"),
    Column("shard", SmallInteger, nullable=False),
    cents("amount_cents"),
    cents("reserved_cents"),
    cents("set_off_cents"),
    cents("paid_cents"),
    cents("written_off_cents"),
    words("created_by"),
    blank("proposed_by"),  # of a write-off that waits
    blank("write_off_by"),  # who had proposed the last one approved
    sealed("sealed_reason"),
    blank("written_off_by"),
    moment("written_off_at", nullable=True),
    version(),
    created(),
    not_negative("receivables", "reserved_cents", "set_off_cents", "paid_cents", "written_off_cents"),
    CheckConstraint(
        "reserved_cents + set_off_cents + paid_cents + written_off_cents <= amount_cents",
        name="receivables_within_amount",
    ),
    CheckConstraint(
        "written_off_by <> write_off_by OR written_off_by = ''", name="receivables_maker_checker"
    ),
    CheckConstraint(
        "written_off_cents = 0 OR (written_off_by <> '' AND write_off_by <> '')",
        name="receivables_written_off_by_someone",
    ),
)
Index("receivables_organisation", receivables.c.organisation, receivables.c.id)
Index("receivables_ending", text('"right"(id::text, 12)'), _table=receivables)  # what a transfer names

receivable_payments = Table(
    "receivable_payments",
    metadata,
    key(),
    Column("receivable_id", Uuid(as_uuid=False), ForeignKey("receivables.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    blank("bank_reference"),
    words("recorded_by"),
    blank("undone_by"),
    moment("undone_at", nullable=True),
    blank("credit"),  # what tells the credit in the bank's files, SHA-256; empty where a person noted it
    created(),
    CheckConstraint("cents > 0", name="receivable_payments_some_amount"),
    CheckConstraint("undone_by <> recorded_by", name="receivable_payments_maker_checker"),
    CheckConstraint("(undone_by = '') = (undone_at IS NULL)", name="receivable_payments_undone_by_someone"),
)
Index("receivable_payments_receivable", receivable_payments.c.receivable_id, receivable_payments.c.id)
Index(
    "receivable_payments_credit",
    receivable_payments.c.credit,
    unique=True,
    postgresql_where=receivable_payments.c.credit != "",
)

set_offs = Table(
    "set_offs",
    metadata,
    Column("batch_id", Uuid(as_uuid=False), ForeignKey("payout_batches.id"), nullable=False),
    Column("receivable_id", Uuid(as_uuid=False), ForeignKey("receivables.id"), nullable=False),
    words("organisation"),
    cents("cents"),
    PrimaryKeyConstraint("batch_id", "receivable_id"),
    CheckConstraint("cents > 0", name="set_offs_some_amount"),
)

bank_reports = Table(
    "bank_reports",
    metadata,
    key(),
    Column("format", SmallInteger, nullable=False),
    words("message_id"),
    Column("page", Integer, nullable=False),
    words("sha256"),
    moment("bank_at"),
    Column("entry_count", Integer, nullable=False),
    Column("applied_count", Integer, nullable=False, server_default="0"),
    Column("open_count", Integer, nullable=False, server_default="0"),
    words("imported_by"),
    created(),
    UniqueConstraint("format", "message_id", "page"),
)

bank_report_entries = Table(
    "bank_report_entries",
    metadata,
    Column("report_id", Uuid(as_uuid=False), ForeignKey("bank_reports.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    blank("end_to_end_id"),
    blank("bank_reference"),
    Column("verdict", SmallInteger, nullable=False),
    blank("code"),
    Column("amount_cents", BigInteger),
    blank("currency"),
    Column("outcome", SmallInteger, nullable=False),
    Column("batch_id", Uuid(as_uuid=False), ForeignKey("payout_batches.id")),
    blank("organisation"),
    blank("creditor_reference"),
    Column("receivable_id", Uuid(as_uuid=False), ForeignKey("receivables.id")),
    cents("excess_cents"),
    PrimaryKeyConstraint("report_id", "number"),
)
