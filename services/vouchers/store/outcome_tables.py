"""Tables of outcome contracts: terms, participants, what was reported of them, tranches released."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
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
    texts,
    version,
    words,
)
from services.vouchers.store.tables import metadata

outcome_contracts = Table(
    "outcome_contracts",
    metadata,
    Column("id", Text, primary_key=True),
    document("terms"),
    Column("state", SmallInteger, nullable=False),
    words("currency"),
    Column("payer_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    Column("start_date", Date, nullable=False),
    Column("repay_date", Date, nullable=False),
    texts("observers"),
    Column("shard", SmallInteger, nullable=False),
    cents("invested_cents"),
    cents("available_cents"),
    cents("unspent_cents"),
    words("created_by"),
    blank("activated_by"),
    blank("proposed_by"),
    blank("repaid_by"),
    version(),
    created(),
    not_negative("outcome_contracts", "available_cents"),
    CheckConstraint("activated_by <> created_by", name="outcome_contracts_maker_checker"),
    CheckConstraint("state = 1 OR activated_by <> ''", name="outcome_contracts_activated_by_someone"),
    CheckConstraint(
        "repaid_by = '' OR repaid_by <> proposed_by", name="outcome_contracts_repayment_maker_checker"
    ),
    CheckConstraint(
        "(state < 3 OR proposed_by <> '') AND (state < 4 OR repaid_by <> '')",
        name="outcome_contracts_repaid_by_someone",
    ),
)

outcome_participants = Table(
    "outcome_participants",
    metadata,
    key(),
    Column("contract_id", Text, ForeignKey("outcome_contracts.id"), nullable=False),
    words("learner"),
    blank("removal_by"),  # who proposed to remove them
    created(),
    UniqueConstraint("contract_id", "learner"),
)
Index("outcome_participants_contract", outcome_participants.c.contract_id, outcome_participants.c.id)
Index("outcome_participants_learner", outcome_participants.c.learner)

outcome_reports = Table(
    "outcome_reports",
    metadata,
    Column("participant_id", Uuid(as_uuid=False), ForeignKey("outcome_participants.id"), nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("occurred_on", Date, nullable=False),
    words("evidence_reference"),
    words("reported_by"),
    blank("decided_by"),
    moment("decided_at", nullable=True),
    blank("correction_by"),  # who found what was verified wrong
    created(),
    PrimaryKeyConstraint("participant_id", "outcome"),
    CheckConstraint("decided_by <> reported_by", name="outcome_reports_maker_checker"),
    CheckConstraint(
        "state = 2 OR correction_by = '' OR correction_by <> decided_by",
        name="outcome_reports_corrected_by_another",
    ),
    CheckConstraint("state = 1 OR decided_by <> ''", name="outcome_reports_decided_by_someone"),
)

outcome_tranches = Table(
    "outcome_tranches",
    metadata,
    Column("contract_id", Text, ForeignKey("outcome_contracts.id"), nullable=False),
    words("milestone"),
    Column("cents", BigInteger, nullable=False),
    words("released_by"),
    created(),
    PrimaryKeyConstraint("contract_id", "milestone"),
)
