"""Tables of the catalogue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.platform.db.schema import platform_tables

metadata = MetaData()
platform_tables(metadata)

UuidText = Uuid(as_uuid=False)


def moment(name: str, *, now: bool = False) -> Column[Any]:
    """Returns a column for a time, UTC; with `now` the database fills it in."""
    if now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))


def finding_columns() -> list[Column[Any]]:
    """The columns of a table of findings, after its key."""
    return [
        Column("code", Text, nullable=False),
        Column("severity", SmallInteger, nullable=False),
        Column("record", Text, nullable=False),
        Column("line", Integer, nullable=False),
        Column("path", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("message", Text, nullable=False),
        Column("remedy", Text, nullable=False),
    ]


uploads = Table(
    "uploads",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("owner", Text, nullable=False),  # opaque subject of the access token
    Column("size_bytes", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("ready", Boolean, nullable=False, server_default="false"),
    moment("create_time", now=True),
)

taxonomy_versions = Table(
    "taxonomy_versions",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("languages", ARRAY(Text), nullable=False),
    Column("concept_count", Integer, nullable=False),
    Column("label_count", Integer, nullable=False),
    moment("import_time", now=True),
    moment("in_use_time"),  # of several the latest is in use
)

concepts = Table(
    "concepts",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("description", Text, nullable=False),
    ForeignKeyConstraint(["scheme", "version"], ["taxonomy_versions.scheme", "taxonomy_versions.version"]),
    Index("concepts_uri", "uri"),
    Index("concepts_isco_code", "isco_code"),
)

concept_labels = Table(
    "concept_labels",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("concept_id", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("normal", Text, nullable=False),  # see domain.labels.normal
    Column("preferred", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["scheme", "version", "concept_id"], ["concepts.scheme", "concepts.version", "concepts.id"]
    ),
    Index("concept_labels_normal", "normal", postgresql_ops={"normal": "text_pattern_ops"}),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("legal_ids", JSONB, nullable=False),
    Column("sector", SmallInteger, nullable=False),
    Column("parent_id", Text, ForeignKey("organisations.id")),  # of whom it is a branch
    Column("roles", ARRAY(SmallInteger), nullable=False, server_default="{}"),
    Column("logo_id", UuidText, ForeignKey("uploads.id")),
    Column("narratives", JSONB, nullable=False, server_default="{}"),  # by language
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("update_time", now=True),
    CheckConstraint("parent_id <> id", name="organisation_not_its_own_parent"),
    Index("organisations_display_name", "display_name", "id"),
    Index("organisations_parent", "parent_id", "display_name", "id"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("town", Text, nullable=False),
    Column("nuts_code", Text, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Index("sites_organisation", "organisation_id", "id"),
)

accreditations = Table(
    "accreditations",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("scheme", Text, nullable=False),
    moment("withdraw_time"),
    Column("withdraw_reason", Text, nullable=False, server_default=""),
    Column("announced", Boolean, nullable=False),  # others have heard that it is in force
    Column("end_announced", Boolean, nullable=False, server_default="false"),  # and that it has run out
    Column("criteria", JSONB, nullable=False, server_default="[]"),  # domain.accreditation.Criterion
    Column("review_date", Date),
    Column("review_asked", Boolean, nullable=False, server_default="false"),
    CheckConstraint("valid_to >= valid_from", name="accreditation_ends_after_start"),
    Index("accreditations_organisation", "organisation_id", "valid_from"),
    Index("accreditations_silent", "valid_from", postgresql_where=text("NOT announced")),
    Index("accreditations_ending", "valid_to", postgresql_where=text("NOT end_announced")),
    Index("accreditations_to_review", "review_date", postgresql_where=text("NOT review_asked")),
)

shortage_lists = Table(
    "shortage_lists",
    metadata,
    Column("id", Text, primary_key=True),
    Column("display_names", JSONB, nullable=False),
    Column("nuts_code", Text, nullable=False),
    moment("create_time", now=True),
)

shortage_versions = Table(
    "shortage_versions",
    metadata,
    Column("list_id", Text, ForeignKey("shortage_lists.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("method", Text, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("rejected_row_count", Integer, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    Column("digest", Text, nullable=False, server_default=""),
    Column("created_by", Text, nullable=False),
    Column("published_by", Text),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("publish_time"),
    CheckConstraint("published_by <> created_by", name="shortage_version_second_person"),
    CheckConstraint(
        "(published_by IS NULL) = (publish_time IS NULL) AND (publish_time IS NULL) = (digest = '')",
        name="shortage_version_published_whole",
    ),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="shortage_version_ends_after_start"),
    Index("shortage_versions_published", "valid_from", postgresql_where=text("publish_time IS NOT NULL")),
)

shortage_entries = Table(
    "shortage_entries",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("uri", Text, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("nuts_code", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("cause", SmallInteger, nullable=False),
    Column("line", Integer, nullable=False),
    CheckConstraint("severity BETWEEN 1 AND 5", name="shortage_entry_severity"),
    ForeignKeyConstraint(["list_id", "number"], ["shortage_versions.list_id", "shortage_versions.number"]),
    Index("shortage_entries_isco", "isco_code", "nuts_code"),
    Index("shortage_entries_uri", "uri", postgresql_where=text("uri <> ''")),
)

shortage_findings = Table(
    "shortage_findings",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    *finding_columns(),
    ForeignKeyConstraint(["list_id", "number"], ["shortage_versions.list_id", "shortage_versions.number"]),
)

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
    Column("default_language", Text, nullable=False),
    Column("default_nuts_code", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
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
    CheckConstraint("removal_limit_percent BETWEEN 1 AND 100", name="source_removal_limit"),
    CheckConstraint("(pull_url = '') = (pull_next_time IS NULL)", name="source_pulled_at_times"),
    Index("sources_organisation", "organisation_id", "id"),
    Index("sources_due", "pull_next_time", postgresql_where=text("pull_next_time IS NOT NULL")),
)

_COUNTS = (
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
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in _COUNTS),
    Column("rolls_back_to", UuidText, ForeignKey("feed_runs.id")),  # whose raw copy it imports again
    Column("rolled_back_by", UuidText, ForeignKey("feed_runs.id")),
    Column("requested_by", Text, nullable=False, server_default=""),  # subject of the access token
    moment("create_time", now=True),
    moment("state_time", now=True),
    Column("report_state", SmallInteger, nullable=False, server_default="0"),  # FeedRun.ReportState
    Column("report_attempts", Integer, nullable=False, server_default="0"),
    Column("report_error", Text, nullable=False, server_default=""),
    moment("report_next_time"),
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

courses = Table(
    "courses",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("source_id", UuidText, ForeignKey("sources.id"), nullable=False),
    Column("external_id", Text(collation="C"), nullable=False),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("raw_hash", LargeBinary, nullable=False),
    Column("document", JSONB, nullable=False),  # as served, corrections applied
    Column("imported", JSONB),  # as the feed says; NULL while nothing is corrected
    Column("corrections", JSONB, nullable=False, server_default="{}"),
    Column("skills", JSONB, nullable=False, server_default="{}"),  # domain.skill_tags.Skills; no feed sets it
    # Complete feeds in a row that left it out, the last of them, since when; reset by a feed that names it.
    Column("missing_feeds", SmallInteger, nullable=False, server_default="0"),
    Column("missing_run", UuidText),
    moment("missing_time"),
    moment("removed_time"),
    Column("same_as", UuidText),  # the course that stands for it, as `store.course_links` finds
    # Transaction that changed the row last, set by a trigger; the index follows it below the xmin horizon.
    Column("changed_xid", BigInteger, nullable=False, server_default="0"),
    moment("create_time", now=True),
    moment("update_time", now=True),
    UniqueConstraint("source_id", "external_id", name="course_identity"),
    Index("courses_changed", "changed_xid", "id"),
    Index("courses_organisation", "organisation_id", "id", postgresql_where=text("removed_time IS NULL")),
    Index("courses_offered", "id", postgresql_where=text("removed_time IS NULL")),
    Index("courses_same_as", "same_as", postgresql_where=text("same_as IS NOT NULL")),
)

# All courses of one moment, in files of the object store.
course_snapshots = Table(
    "course_snapshots",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("state", SmallInteger, nullable=False),  # CourseSnapshot.State
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("course_count", BigInteger, nullable=False, server_default="0"),
    Column("change_token", Text, nullable=False, server_default=""),
    Column("parts", JSONB, nullable=False, server_default="[]"),  # store.course_snapshots.Part
    moment("create_time", now=True),
    moment("state_time", now=True),
    # One at a time: who asks while one is being made gets that one.
    Index("course_snapshots_open", text("(true)"), unique=True, postgresql_where=text("state IN (1, 2)")),
)

course_usage = Table(
    "course_usage",
    metadata,
    Column("course_id", UuidText, ForeignKey("courses.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("views", BigInteger, nullable=False),
    Column("bookings", BigInteger, nullable=False),
)

course_complaints = Table(
    "course_complaints",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("course_id", UuidText, ForeignKey("courses.id"), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # CourseComplaint.State
    Column("filed_by", Text, nullable=False),  # opaque subject of the access token
    Column("decided_by", Text),
    moment("create_time", now=True),
    moment("decide_time"),
    CheckConstraint("(state = 1) = (decided_by IS NULL)", name="course_complaint_decided_by_somebody"),
    Index("course_complaints_open", "course_id", "filed_by", unique=True, postgresql_where=text("state = 1")),
    Index("course_complaints_course", "course_id", "id"),
    Index("course_complaints_filer", "filed_by", "id"),
)

# The metadata is complete once this module is imported, as Alembic expects.
from services.catalogue.store import (  # noqa: E402
    api_tables,
    assessment_tables,
    derived_tables,
    market_tables,
    shortage_tables,
    taxonomy_tables,
)

__all__ = [
    "api_tables",
    "assessment_tables",
    "derived_tables",
    "market_tables",
    "metadata",
    "shortage_tables",
    "taxonomy_tables",
]
