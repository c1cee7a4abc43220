"""Skill tags of courses, and what people say of them."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
SKILLS = "ALTER TABLE courses ADD COLUMN IF NOT EXISTS skills JSONB DEFAULT '{}' NOT NULL"

TAGS = """
CREATE TABLE course_taggings (
    course_id UUID PRIMARY KEY REFERENCES courses (id),
    digest BYTEA NOT NULL,
    labels TEXT NOT NULL,
    phrases JSONB NOT NULL,
    found JSONB NOT NULL
);
CREATE TABLE tag_reviews (
    id UUID PRIMARY KEY,
    language TEXT NOT NULL,
    phrase TEXT NOT NULL,
    uri TEXT NOT NULL,
    label TEXT NOT NULL,
    confidence REAL NOT NULL,
    version TEXT NOT NULL,
    course_count INTEGER DEFAULT 0 NOT NULL,
    view_count BIGINT DEFAULT 0 NOT NULL,
    verdict SMALLINT DEFAULT 0 NOT NULL,
    replacement TEXT DEFAULT '' NOT NULL,
    replacement_label TEXT DEFAULT '' NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decide_time TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 0 NOT NULL,
    applied BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT tag_review_of_a_phrase UNIQUE (phrase, language, uri),
    CONSTRAINT tag_review_decided_by_somebody CHECK ((verdict = 0) = (decided_by = '')),
    CONSTRAINT tag_review_replaced_by_something CHECK ((verdict = 3) = (replacement <> ''))
);
CREATE INDEX tag_reviews_by_use ON tag_reviews (verdict, course_count DESC, view_count DESC, id DESC)
    WHERE course_count > 0 OR verdict <> 0;
CREATE INDEX tag_reviews_to_apply ON tag_reviews (id) WHERE NOT applied;
CREATE TABLE course_tags (
    course_id UUID NOT NULL REFERENCES courses (id),
    review_id UUID NOT NULL REFERENCES tag_reviews (id),
    revision INTEGER NOT NULL,
    PRIMARY KEY (course_id, review_id)
);
CREATE INDEX course_tags_review ON course_tags (review_id, revision, course_id);
CREATE TABLE course_tag_words (
    course_id UUID NOT NULL REFERENCES courses (id),
    uri TEXT NOT NULL,
    verdict SMALLINT NOT NULL,
    holds TEXT NOT NULL,
    label TEXT NOT NULL,
    version TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decide_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (course_id, uri),
    CONSTRAINT course_tag_word_is_one CHECK (verdict IN (1, 2, 3))
);
"""


def upgrade() -> None:
    op.execute(SKILLS)
    op.execute(TAGS)
