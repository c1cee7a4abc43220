"""Tables of the wallet: changes of vouchers that move no money, waiting lists, openings and their draws,
codes by which learners agree to a spend, and tries at codes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
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
    texts,
    version,
    words,
)
from services.vouchers.store.tables import metadata

# `place`: how far the voucher's chain of the ledger had come, which puts changes and movements in one order.
voucher_changes = Table(
    "voucher_changes",
    metadata,
    key(),
    Column("voucher_id", Uuid(as_uuid=False), ForeignKey("vouchers.id"), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False, server_default="0"),
    moment("expires_at", nullable=True),
    words("asked_by"),
    blank("approved_by"),
    Column("beyond_rule", Boolean, nullable=False, server_default="false"),
    created(),
    CheckConstraint("approved_by <> asked_by OR approved_by = ''", name="voucher_changes_maker_checker"),
    CheckConstraint(
        "kind <> 14 OR NOT beyond_rule OR approved_by <> ''", name="voucher_changes_second_person"
    ),
)
Index("voucher_changes_voucher", voucher_changes.c.voucher_id, voucher_changes.c.place)

waiting_list = Table(
    "waiting_list",
    metadata,
    key(),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), nullable=False),
    words("learner"),
    words("programme_id"),
    blank("target_group"),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    Column("pot_id", Uuid(as_uuid=False), ForeignKey("pots.id")),
    words("currency"),
    cents("held_cents"),
    cents("offered_cents"),
    moment("accept_until", nullable=True),
    Column("voucher_id", Uuid(as_uuid=False)),
    texts("reason_codes"),
    moment("ended_at", nullable=True),
    version(),
    created(),
    UniqueConstraint("place"),
    not_negative("waiting_list", "held_cents", "offered_cents"),
    CheckConstraint("(state = 2) = (held_cents > 0)", name="waiting_list_held_while_offered"),
)
Index(
    "waiting_list_one_open",
    waiting_list.c.learner,
    waiting_list.c.programme_id,
    unique=True,
    postgresql_where=text("state IN (1, 2)"),
)
Index(
    "waiting_list_turn",
    waiting_list.c.programme_id,
    waiting_list.c.target_group,
    waiting_list.c.place,
    postgresql_where=text("state = 1"),
)
Index("waiting_list_offers", waiting_list.c.accept_until, postgresql_where=text("state = 2"))
Index("waiting_list_learner", waiting_list.c.learner, waiting_list.c.place)
Index("waiting_list_programme", waiting_list.c.programme_id, waiting_list.c.place)

openings = Table(
    "openings",
    metadata,
    words("programme_id"),
    Column("number", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    moment("open_at"),
    moment("close_at"),
    Column("seed_sha256", LargeBinary, nullable=False),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("seed", LargeBinary),
    Column("application_count", Integer, nullable=False, server_default="0"),
    Column("done_count", Integer, nullable=False, server_default="0"),
    Column("granted_count", Integer, nullable=False, server_default="0"),
    Column("waiting_count", Integer, nullable=False, server_default="0"),
    moment("drawn_at", nullable=True),
    created(),
    PrimaryKeyConstraint("programme_id", "number"),
    ForeignKeyConstraint(
        ["programme_id", "number"], ["programme_versions.programme_id", "programme_versions.number"]
    ),
    CheckConstraint("open_at < close_at", name="openings_window"),
    CheckConstraint("created_at < open_at", name="openings_committed_before"),
    CheckConstraint("(state = 1) = (seed IS NULL)", name="openings_seed_revealed_when_drawn"),
    CheckConstraint("seed IS NULL OR sha256(seed) = seed_sha256", name="openings_seed_as_committed"),
    CheckConstraint("done_count <= application_count", name="openings_done_within_drawn"),
)
Index(
    "openings_one_standing",
    openings.c.programme_id,
    unique=True,
    postgresql_where=text("state < 3"),
)
Index("openings_due", openings.c.close_at, postgresql_where=text("state < 3"))

sandbox_days = Table(
    "sandbox_days",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("issued", Integer, nullable=False),
)

drawn_applications = Table(
    "drawn_applications",
    metadata,
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), primary_key=True),
    words("programme_id"),
    Column("number", Integer, nullable=False),
    words("learner"),
    Column("rank", Integer),
    Column("outcome", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("programme_id", "number", "learner"),
    UniqueConstraint("programme_id", "number", "rank"),
    ForeignKeyConstraint(["programme_id", "number"], ["openings.programme_id", "openings.number"]),
)

# Once used, a code has no HMAC any more. `wrong_tries` counts since the newest code.
authorisation_codes = Table(
    "authorisation_codes",
    metadata,
    Column("redemption_id", Uuid(as_uuid=False), ForeignKey("redemptions.id"), primary_key=True),
    Column("code_hmac", LargeBinary),
    moment("expires_at", nullable=True),
    Column("wrong_tries", SmallInteger, nullable=False, server_default="0"),
    Column("codes_sent", SmallInteger, nullable=False, server_default="0"),
    moment("used_at", nullable=True),
    CheckConstraint("code_hmac IS NULL OR expires_at IS NOT NULL", name="authorisation_codes_expire"),
    CheckConstraint("code_hmac IS NULL OR used_at IS NULL", name="authorisation_codes_used_once"),
)

code_attempts = Table(
    "code_attempts",
    metadata,
    Column("subject", Text, primary_key=True),
    moment("window_start"),
    Column("failures", Integer, nullable=False),
)
