"""Tables of what the words of courses say of skills, and what people say of that."""

from __future__ import annotations

from sqlalchemy import (
    REAL,
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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.catalogue.store.columns import UuidText, metadata, moment

# What was found in the texts of a course, as long as neither they nor the taxonomy change.
course_taggings = Table(
    "course_taggings",
    metadata,
    Column("course_id", UuidText, ForeignKey("courses.id"), primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # domain.skill_tags.digest
    Column("labels", Text, nullable=False),  # skill_tagging.Finder.state
    Column("phrases", JSONB, nullable=False),  # domain.skill_tags.Phrase: what may name something, or did
    Column("found", JSONB, nullable=False),  # of domain.skill_tags.Found, the surest first
)

# A phrase that names a skill, how many courses have it, and what a person says of it for all of them.
tag_reviews = Table(
    "tag_reviews",
    metadata,
    Column("id", UuidText, primary_key=True),  # domain.skill_tags.Found.review
    Column("language", Text, nullable=False),
    Column("phrase", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("confidence", REAL, nullable=False),
    Column("version", Text, nullable=False),  # of the taxonomy it was found with, or decided with
    Column("course_count", Integer, nullable=False, server_default="0"),
    Column("view_count", BigInteger, nullable=False, server_default="0"),
    Column("verdict", SmallInteger, nullable=False, server_default="0"),  # TagReview.Verdict
    Column("replacement", Text, nullable=False, server_default=""),
    Column("replacement_label", Text, nullable=False, server_default=""),
    Column("decided_by", Text, nullable=False, server_default=""),
    moment("decide_time"),
    # Counts decisions; courses that have taken an earlier one into account are to be gone through.
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("applied", Boolean, nullable=False, server_default="true"),
    UniqueConstraint("phrase", "language", "uri", name="tag_review_of_a_phrase"),
    CheckConstraint("(verdict = 0) = (decided_by = '')", name="tag_review_decided_by_somebody"),
    CheckConstraint("(verdict = 3) = (replacement <> '')", name="tag_review_replaced_by_something"),
    Index(
        "tag_reviews_by_use",
        "verdict",
        text("course_count DESC"),
        text("view_count DESC"),
        text("id DESC"),
        postgresql_where=text("course_count > 0 OR verdict <> 0"),
    ),
    Index("tag_reviews_to_apply", "id", postgresql_where=text("NOT applied")),
)

course_tags = Table(
    "course_tags",
    metadata,
    Column("course_id", UuidText, ForeignKey("courses.id"), primary_key=True),
    Column("review_id", UuidText, ForeignKey("tag_reviews.id"), primary_key=True),
    Column("revision", Integer, nullable=False),  # of the decision that the course shows
    Index("course_tags_review", "review_id", "revision", "course_id"),
)

# What a person says of a skill of one course.
course_tag_words = Table(
    "course_tag_words",
    metadata,
    Column("course_id", UuidText, ForeignKey("courses.id"), primary_key=True),
    Column("uri", Text, primary_key=True),
    Column("verdict", SmallInteger, nullable=False),
    Column("holds", Text, nullable=False),  # URI of the skill that holds or is rejected
    Column("label", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    moment("decide_time", now=True),
    CheckConstraint("verdict IN (1, 2, 3)", name="course_tag_word_is_one"),
)
