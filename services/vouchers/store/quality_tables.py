"""Tables of quality: rules on what was accepted, alerts, holds, complaints, sanctions, what learners say."""

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
    UniqueConstraint,
    Uuid,
    text,
)

from services.vouchers.store.columns import (
    blank,
    cents,
    created,
    document,
    key,
    moment,
    sealed,
    texts,
    words,
)
from services.vouchers.store.tables import metadata


def redemption_key() -> Column[str]:
    """The redemption that the row is about, at most one row each."""
    return Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), primary_key=True)


monitoring_rules = Table(
    "monitoring_rules",
    metadata,
    words("code"),
    Column("number", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    document("rule"),
    sealed("sealed_seed"),
    words("drafted_by"),
    blank("activated_by"),
    moment("activated_at", nullable=True),
    created(),
    PrimaryKeyConstraint("code", "number"),
    CheckConstraint("activated_by <> drafted_by", name="monitoring_rules_maker_checker"),
    CheckConstraint("state = 1 OR activated_by <> ''", name="monitoring_rules_activated_by_someone"),
)
Index(
    "monitoring_rules_one_active",
    monitoring_rules.c.code,
    unique=True,
    postgresql_where=text("state = 2"),
)

# What later redemptions are compared with; written when an acceptance is looked at, never by the acceptance.
acceptances = Table(
    "acceptances",
    metadata,
    redemption_key(),
    words("organisation"),
    words("course"),
    words("currency"),
    cents("accepted_cents"),
    Column("delivered_on", Date),
    moment("accepted_at"),
    moment("asked_at", nullable=True),
    CheckConstraint("currency <> 'XTS'", name="acceptances_real_money"),
)
Index("acceptances_course", acceptances.c.course, acceptances.c.redemption_id)
Index("acceptances_delivered", acceptances.c.organisation, acceptances.c.delivered_on)
Index("acceptances_first", acceptances.c.organisation, acceptances.c.accepted_at)
Index("acceptances_not_asked", acceptances.c.accepted_at, postgresql_where=text("asked_at IS NULL"))

alerts = Table(
    "alerts",
    metadata,
    key(),
    blank("rule_code"),
    Column("rule_number", Integer, nullable=False, server_default="0"),
    Column("kind", SmallInteger, nullable=False),
    words("target"),
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id")),
    blank("organisation"),
    Column("state", SmallInteger, nullable=False),
    Column("measured", BigInteger, nullable=False, server_default="0"),
    Column("allowed", BigInteger, nullable=False, server_default="0"),
    texts("linked"),
    words("raised_by"),
    sealed("sealed_reason"),
    Column("outcome", SmallInteger, nullable=False, server_default="0"),
    blank("evidence"),
    sealed("sealed_finding"),
    blank("found_by"),
    moment("found_at", nullable=True),
    blank("closed_by"),
    moment("closed_at", nullable=True),
    created(),
    CheckConstraint("found_by <> raised_by", name="alerts_found_by_another"),
    CheckConstraint(
        "closed_by = '' OR (closed_by <> found_by AND closed_by <> raised_by)",
        name="alerts_verified_by_another",
    ),
    CheckConstraint(
        "state < 2 OR (found_by <> '' AND outcome <> 0 AND evidence <> '')", name="alerts_found_by_someone"
    ),
    CheckConstraint("state < 3 OR closed_by <> ''", name="alerts_verified_by_someone"),
)
Index(
    "alerts_one_open",
    alerts.c.rule_code,
    alerts.c.target,
    unique=True,
    postgresql_where=text("state < 3"),
)
Index("alerts_state", alerts.c.state, alerts.c.id)
Index("alerts_organisation", alerts.c.organisation, alerts.c.id)
Index("alerts_redemption", alerts.c.redemption_id)

complaints = Table(
    "complaints",
    metadata,
    key(),
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), nullable=False),
    words("learner"),
    words("organisation"),
    words("course"),
    Column("kind", SmallInteger, nullable=False),
    sealed("sealed_note"),
    created(),
    UniqueConstraint("redemption_id", "kind"),
)
Index("complaints_learner", complaints.c.learner, complaints.c.id)
Index("complaints_organisation", complaints.c.organisation, complaints.c.created_at)
Index("complaints_course", complaints.c.course, complaints.c.created_at)

sanctions = Table(
    "sanctions",
    metadata,
    key(),
    words("organisation"),
    Column("kind", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    moment("ends_at", nullable=True),
    Column("alert_id", Uuid(as_uuid=False), ForeignKey("alerts.id")),
    Column("appeal_days", SmallInteger, nullable=False),
    sealed("sealed_reason"),
    words("proposed_by"),
    blank("imposed_by"),
    moment("imposed_at", nullable=True),
    Column("hold_id", Uuid(as_uuid=False), ForeignKey("holds.id")),
    sealed("sealed_appeal"),
    moment("appealed_at", nullable=True),
    sealed("sealed_decision"),
    blank("decided_by"),
    moment("decided_at", nullable=True),
    sealed("sealed_lift_reason"),
    blank("lift_proposed_by"),
    blank("lifted_by"),
    moment("lifted_at", nullable=True),
    blank("declined_by"),
    created(),
    CheckConstraint("imposed_by <> proposed_by", name="sanctions_maker_checker"),
    CheckConstraint(
        "lifted_by = '' OR (lift_proposed_by <> '' AND lifted_by <> lift_proposed_by)",
        name="sanctions_lifted_by_another",
    ),
    CheckConstraint("state IN (1, 6) OR imposed_by <> ''", name="sanctions_imposed_by_someone"),
    CheckConstraint(
        "decided_by = '' OR (decided_by <> proposed_by AND decided_by <> imposed_by)",
        name="sanctions_decided_by_a_third",
    ),
    CheckConstraint(
        "state < 4 OR decided_by <> '' OR (state = 5 AND lifted_by <> '')"
        " OR (state = 6 AND declined_by <> '')",
        name="sanctions_decided_by_someone",
    ),
)
Index("sanctions_organisation", sanctions.c.organisation, sanctions.c.id)
Index(
    "sanctions_barring",
    sanctions.c.organisation,
    postgresql_where=text("state IN (2, 3, 4) AND kind >= 2"),
)

rebookings = Table(
    "rebookings",
    metadata,
    redemption_key(),
    Column("state", SmallInteger, nullable=False),
    texts("sessions"),
    Column("new_redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id")),
    moment("expires_at"),
    created(),
)
Index("rebookings_open", rebookings.c.expires_at, postgresql_where=text("state = 1"))

# Whose voucher stood for a session of a delisted provider, with nothing booked, and was told.
delisting_notices = Table(
    "delisting_notices",
    metadata,
    Column("voucher_id", Uuid(as_uuid=False), ForeignKey("vouchers.id"), primary_key=True),
    created(),
)

feedback = Table(
    "feedback",
    metadata,
    redemption_key(),
    Column("satisfaction", SmallInteger, nullable=False),
    Column("skills_gained", SmallInteger, nullable=False),
    moment("updated_at"),
    created(),
    CheckConstraint(
        "satisfaction BETWEEN 1 AND 5 AND skills_gained BETWEEN 1 AND 5", name="feedback_one_to_five"
    ),
)

outcomes = Table(
    "outcomes",
    metadata,
    redemption_key(),
    Column("status", SmallInteger, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("observed_on", Date, nullable=False),
    moment("answered_at"),
    Column("improved", Boolean),
)

# NULL: not known.
leavings = Table(
    "leavings",
    metadata,
    redemption_key(),
    Column("status", SmallInteger),
    Column("in_education", Boolean),
    Column("qualified", Boolean),
    Column("source", SmallInteger, nullable=False),
    Column("left_on", Date, nullable=False),
    Column("observed_on", Date, nullable=False),
    moment("answered_at"),
)

holds = Table(
    "holds",
    metadata,
    key(),
    words("target"),
    sealed("sealed_reason"),
    moment("ends_at", nullable=True),
    words("placed_by"),
    blank("released_by"),
    moment("released_at", nullable=True),
    sealed("sealed_finding"),
    Column("alert_id", Uuid(as_uuid=False), ForeignKey("alerts.id")),
    blank("verified_by"),
    Column("renewals", SmallInteger, nullable=False, server_default="0"),
    blank("renewed_by"),
    moment("renewed_at", nullable=True),
    sealed("sealed_renewal"),
    created(),
    CheckConstraint("released_by <> placed_by", name="holds_maker_checker"),
    CheckConstraint("released_at IS NULL OR released_by <> ''", name="holds_released_by_someone"),
    CheckConstraint(
        "alert_id IS NULL OR released_at IS NULL OR verified_by <> ''", name="holds_finding_verified"
    ),
)
Index("holds_alert", holds.c.alert_id, postgresql_where=text("alert_id IS NOT NULL"))
Index("holds_standing", holds.c.target, postgresql_where=text("released_at IS NULL"))
