"""Tables of the catalogue: files, taxonomies, organisations, shortage lists and courses."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

# With these the metadata is complete once this module is imported, as Alembic expects.
from services.catalogue.store import (
    agreement_tables,
    api_tables,
    assessment_tables,
    derived_tables,
    feed_tables,
    market_tables,
    partner_application_tables,
    place_tables,
    quality_tables,
    shortage_tables,
    skill_tables,
    taxonomy_tables,
)
from services.catalogue.store.columns import UuidText, finding_columns, metadata, moment

__all__ = [
    "agreement_tables",
    "api_tables",
    "assessment_tables",
    "derived_tables",
    "feed_tables",
    "market_tables",
    "metadata",
    "partner_application_tables",
    "place_tables",
    "quality_tables",
    "shortage_tables",
    "skill_tables",
    "taxonomy_tables",
]

uploads = Table(
    "uploads",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("owner", Text, nullable=False),  # opaque subject of the access token
    Column("organisation_id", Text, nullable=False, server_default=""),  # of a partner's, whose quota it is
    Column("size_bytes", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("ready", Boolean, nullable=False, server_default="false"),
    Column("checking", Boolean, nullable=False, server_default="false"),  # a job compares its bytes
    Column("fault", Text, nullable=False, server_default=""),  # what was wrong when they were compared
    moment("create_time", now=True),
    Index("uploads_age", "create_time"),
    Index("uploads_checking", "id", postgresql_where=text("checking")),
    Index(
        "uploads_organisation",
        "organisation_id",
        "create_time",
        postgresql_where=text("organisation_id <> ''"),
    ),
)

taxonomy_versions = Table(
    "taxonomy_versions",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("languages", ARRAY(Text), nullable=False),
    Column("concept_count", Integer, nullable=False),
    Column("label_count", Integer, nullable=False),
    Column("occupation_skill_count", Integer, nullable=False, server_default="0"),
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
    moment("close_time"),
    moment("reopen_time"),
    Column("reopened_by", Text),
    Column("reopen_reason", Text, nullable=False, server_default=""),
    Column("tell_after", UuidText),  # others have heard anew of its courses up to this one; NULL: of all
    Column("version", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("update_time", now=True),
    CheckConstraint("parent_id <> id", name="organisation_not_its_own_parent"),
    Index("organisations_display_name", "display_name", "id"),
    Index("organisations_parent", "parent_id", "display_name", "id"),
    Index("organisations_to_tell", "id", postgresql_where=text("tell_after IS NOT NULL")),
    Index("organisations_logo", "logo_id", postgresql_where=text("logo_id IS NOT NULL")),
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
    Column("location_derived", Boolean, nullable=False, server_default="false"),  # from postcode or town
    moment("delete_time"),
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
    Column("withdrawn_by", Text, nullable=False, server_default=""),  # empty: before that was kept
    Column("announced", Boolean, nullable=False),  # others have heard that it is in force
    Column("end_announced", Boolean, nullable=False, server_default="false"),  # and that it has run out
    Column("criteria", JSONB, nullable=False, server_default="[]"),  # domain.accreditation.Criterion
    Column("review_date", Date),
    Column("review_asked", Boolean, nullable=False, server_default="false"),
    Column("scope", JSONB, nullable=False, server_default="{}"),  # domain.accreditation.Scope
    Column("evidence", ARRAY(Text), nullable=False, server_default="{}"),
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
    Column("withdrawn_by", Text),
    Column("withdraw_reason", Text, nullable=False, server_default=""),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    moment("create_time", now=True),
    moment("publish_time"),
    moment("withdraw_time"),
    CheckConstraint("published_by <> created_by", name="shortage_version_second_person"),
    CheckConstraint("withdrawn_by <> published_by", name="shortage_version_withdrawn_by_another"),
    CheckConstraint(
        "(withdrawn_by IS NULL) = (withdraw_time IS NULL)"
        " AND (withdraw_time IS NULL) = (withdraw_reason = '')"
        " AND (withdraw_time IS NULL OR publish_time IS NOT NULL)",
        name="shortage_version_withdrawn_whole",
    ),
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
    Column("evidence", ARRAY(Text), nullable=False, server_default="{}"),
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
    Column("decision_reason", Text, nullable=False, server_default=""),
    moment("create_time", now=True),
    moment("decide_time"),
    CheckConstraint("(state = 1) = (decided_by IS NULL)", name="course_complaint_decided_by_somebody"),
    Index("course_complaints_open", "course_id", "filed_by", unique=True, postgresql_where=text("state = 1")),
    Index("course_complaints_course", "course_id", "id"),
    Index("course_complaints_filer", "filed_by", "id"),
)
