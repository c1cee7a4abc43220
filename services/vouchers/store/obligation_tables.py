"""Tables of employers' promises to hire: obligations and the people who are trained."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from services.vouchers.store.columns import (
    blank,
    cents,
    created,
    document,
    key,
    moment,
    not_negative,
    sealed,
    version,
    words,
)
from services.vouchers.store.tables import metadata

employer_obligations = Table(
    "employer_obligations",
    metadata,
    key(),
    words("employer"),
    document("display_names"),
    Column("state", SmallInteger, nullable=False),
    words("currency"),
    Column("creditor_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    document("payers"),
    Column("hire_percent", SmallInteger, nullable=False),
    Column("refund_cents", BigInteger, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    cents("owed_cents"),
    cents("paid_cents"),
    cents("written_off_cents"),
    blank("proposed_by"),  # of a write-off that waits
    blank("write_off_by"),  # who had proposed the one approved
    sealed("sealed_reason"),
    blank("written_off_by"),
    moment("written_off_at", nullable=True),
    Column("due_told", Boolean, nullable=False, server_default="false"),
    version(),
    created(),
    not_negative("employer_obligations", "paid_cents", "written_off_cents"),
    CheckConstraint("paid_cents + written_off_cents <= owed_cents", name="employer_obligations_within_owed"),
    CheckConstraint(
        "written_off_by <> write_off_by OR written_off_by = ''", name="employer_obligations_maker_checker"
    ),
    CheckConstraint(
        "written_off_cents = 0 OR (written_off_by <> '' AND write_off_by <> '')",
        name="employer_obligations_written_off_by_someone",
    ),
)
Index("employer_obligations_employer", employer_obligations.c.employer, employer_obligations.c.id)

obligation_payments = Table(
    "obligation_payments",
    metadata,
    key(),
    Column("obligation_id", Uuid(as_uuid=False), ForeignKey("employer_obligations.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    blank("bank_reference"),
    words("recorded_by"),
    blank("undone_by"),
    moment("undone_at", nullable=True),
    created(),
    CheckConstraint("cents > 0", name="obligation_payments_some_amount"),
    CheckConstraint("undone_by <> recorded_by", name="obligation_payments_maker_checker"),
    CheckConstraint("(undone_by = '') = (undone_at IS NULL)", name="obligation_payments_undone_by_someone"),
)
Index("obligation_payments_obligation", obligation_payments.c.obligation_id, obligation_payments.c.id)

obligation_trainees = Table(
    "obligation_trainees",
    metadata,
    key(),
    Column("obligation_id", Uuid(as_uuid=False), ForeignKey("employer_obligations.id"), nullable=False),
    words("learner"),
    Column("cost_cents", BigInteger, nullable=False),
    document("parts"),
    Column("state", SmallInteger, nullable=False),
    blank("provider"),
    words("enrolled_by"),
    blank("approved_by"),
    Column("hiring", SmallInteger, nullable=False, server_default="0"),
    Column("hired_on", Date),
    blank("evidence_reference"),
    blank("reported_by"),
    blank("decided_by"),
    blank("correction_by"),  # who found a verified hiring wrong
    created(),
    UniqueConstraint("obligation_id", "learner"),
    CheckConstraint("approved_by <> enrolled_by", name="obligation_trainees_maker_checker"),
    CheckConstraint("state = 1 OR approved_by <> ''", name="obligation_trainees_approved_by_someone"),
    CheckConstraint(
        "decided_by = '' OR decided_by <> reported_by", name="obligation_trainees_hiring_maker_checker"
    ),
    CheckConstraint("hiring < 2 OR decided_by <> ''", name="obligation_trainees_hiring_decided_by_someone"),
    CheckConstraint(
        "hiring = 2 OR correction_by = '' OR correction_by <> decided_by",
        name="obligation_trainees_hiring_corrected_by_another",
    ),
)
Index("obligation_trainees_obligation", obligation_trainees.c.obligation_id, obligation_trainees.c.id)
