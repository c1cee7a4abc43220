"""Tables of feeds: the sources they come from, and the runs that read them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, finding_columns, metadata, moment

sources = Table(
    "sources",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("format", SmallInteger, nullable=False),
    Column("removal_limit_percent", SmallInteger, nullable=False),
    Column("removal_grace_feeds", SmallInteger, nullable=False, server_default="0"),
    # Of linked courses the one of the source with the higher number comes first; by field where said.
    Column("precedence", Integer, nullable=False, server_default="0"),
    Column("field_precedence", JSONB, nullable=False, server_default="{}"),
    Column("max_feed_mib", Integer, nullable=False, server_default="512"),  # of a fetch or a push
    Column("default_language", Text, nullable=False),
    Column("default_nuts_code", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("close_time"),
    Column("removing", Boolean, nullable=False, server_default="false"),  # its courses, since it is closed
    moment("reopen_time"),
    Column("reopened_by", Text),
    Column("reopen_reason", Text, nullable=False, server_default=""),
    moment("restoring_since"),  # its courses, removed since then by its closing; NULL: none are to come back
    # How it is fetched; "": not at all. While it is, the next time is when the claim runs out.
    Column("pull_url", Text, nullable=False, server_default=""),
    Column("pull_schedule", JSONB),  # see domain.pull_schedule
    Column("pull_credentials", LargeBinary),  # sealed
    moment("pull_next_time"),
    moment("pull_last_time"),
    # What the last fetched file said of itself, and the run that read it; NULL once other settings count.
    Column("pull_etag", Text, nullable=False, server_default=""),
    Column("pull_modified", Text, nullable=False, server_default=""),
    Column("pull_run", UuidText),
    # Where reports of runs go, and their secrets, sealed.
    Column("report_url", Text, nullable=False, server_default=""),
    Column("report_secret", LargeBinary),
    Column("report_former", LargeBinary),
    moment("report_former_until"),
    CheckConstraint("max_feed_mib BETWEEN 1 AND 10240", name="source_max_feed"),
    CheckConstraint("removal_limit_percent BETWEEN 1 AND 100", name="source_removal_limit"),
    CheckConstraint("(pull_url = '') = (pull_next_time IS NULL)", name="source_pulled_at_times"),
    Index("sources_organisation", "organisation_id", "id"),
    Index("sources_removing", "id", postgresql_where=text("removing")),
    Index("sources_restoring", "id", postgresql_where=text("restoring_since IS NOT NULL")),
    Index("sources_due", "pull_next_time", postgresql_where=text("pull_next_time IS NOT NULL")),
)

# What a run counts; `feed_run_accounts_for_all` holds of the first four.
COUNTS = (
    "records_in",
    "records_accepted",
    "records_rejected",
    "records_held",
    "courses_created",
    "courses_updated",
    "courses_unchanged",
    "courses_removed",
    "courses_missing",
    "error_count",
    "warning_count",
)

feed_runs = Table(
    "feed_runs",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("source_id", UuidText, ForeignKey("sources.id"), nullable=False),
    Column("upload_id", UuidText, ForeignKey("uploads.id")),  # NULL: nothing came, or not yet
    Column("state", SmallInteger, nullable=False),  # FeedRun.State
    Column("way", SmallInteger, nullable=False, server_default="1"),  # FeedRun.Way
    Column(
        "staged", Boolean, nullable=False, server_default="false"
    ),  # read through; what is left is to apply
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("applied_to", Text, nullable=False, server_default=""),  # last external id applied
    Column("dry_run", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("removes", Boolean, nullable=False, server_default="false"),
    Column("hold_reason", SmallInteger, nullable=False, server_default="0"),
    Column("complete", Boolean, nullable=False, server_default="false"),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in COUNTS),
    Column("read_count", BigInteger, nullable=False, server_default="0"),  # records, while it is being read
    Column("reading", JSONB, nullable=False, server_default="{}"),  # see imports.reading.Mark; until staged
    Column("applied_count", BigInteger, nullable=False, server_default="0"),  # courses written so far
    Column("turn", Integer, nullable=False, server_default="0"),  # of whoever works on it: the newest alone
    Column("rolls_back_to", UuidText, ForeignKey("feed_runs.id")),  # whose raw copy it imports again
    Column("rolled_back_by", UuidText, ForeignKey("feed_runs.id")),
    Column("requested_by", Text, nullable=False, server_default=""),  # subject of the access token
    moment("create_time", now=True),
    moment("state_time", now=True),
    Column("report_state", SmallInteger, nullable=False, server_default="0"),  # FeedRun.ReportState
    Column("report_attempts", Integer, nullable=False, server_default="0"),
    Column("report_error", Text, nullable=False, server_default=""),
    moment("report_next_time"),
    Column("details_kept", Boolean, nullable=False, server_default="true"),  # findings and changes
    CheckConstraint(
        "records_in = records_accepted + records_rejected + records_held", name="feed_run_accounts_for_all"
    ),
    # One unfinished run a source: two could otherwise undo each other.
    Index(
        "feed_runs_active",
        "source_id",
        unique=True,
        postgresql_where=text("state IN (1, 2, 3, 8)"),
    ),
    Index("feed_runs_source", "source_id", "id"),
    Index("feed_runs_upload", "upload_id", postgresql_where=text("upload_id IS NOT NULL")),
    Index("feed_runs_detailed", "state_time", postgresql_where=text("details_kept")),
    Index("feed_runs_waiting", "id", postgresql_where=text("state IN (1, 2)")),
    Index("feed_reports_due", "report_next_time", postgresql_where=text("report_state = 1")),
)

# Chunks of courses that are being pushed: lines of JSON, until the run has made a raw copy of them.
feed_pushed = Table(
    "feed_pushed",
    metadata,
    Column("run_id", UuidText, ForeignKey("feed_runs.id"), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),  # number of its first course
    Column("course_count", Integer, nullable=False),
    Column("lines", LargeBinary, nullable=False),
)

feed_findings = Table(
    "feed_findings",
    metadata,
    Column("run_id", UuidText, ForeignKey("feed_runs.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    *finding_columns(),
)

# What a run does to courses, as far as it is told.
feed_changes = Table(
    "feed_changes",
    metadata,
    Column("run_id", UuidText, ForeignKey("feed_runs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),  # FeedChange.Kind
    Column("course_id", UuidText, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("titles", JSONB, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
)

feed_staged = Table(
    "feed_staged",
    metadata,
    Column("run_id", UuidText, primary_key=True),
    # "C": the order of bytes, as the applying cursor counts on.
    Column("external_id", Text(collation="C"), primary_key=True),
    Column("action", SmallInteger, nullable=False),  # see imports.pipeline.Action
    Column("course_id", UuidText),
    Column("raw_hash", LargeBinary),
    Column("document", JSONB),  # while applying: with corrections
    Column("imported", JSONB),  # while applying: as the feed says, where corrections differ
    prefixes=["UNLOGGED"],
)
