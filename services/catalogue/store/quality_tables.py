"""Tables of holds on courses and organisations, and of what learners say of courses."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text, text

from services.catalogue.store.columns import UuidText, metadata, moment

quality_holds = Table(
    "quality_holds",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("subject", Text, nullable=False),  # resource name of the course or organisation
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("placed_by", Text, nullable=False),  # opaque subject of the access token
    Column("outcome", SmallInteger, nullable=False, server_default="0"),  # QualityHold.Outcome
    Column("lifted_by", Text),
    moment("create_time", now=True),
    moment("lift_time"),
    # Of an organisation: its last course, by id, that followers have been told of; NULL once that is all.
    Column("tell_after", UuidText),
    CheckConstraint("lifted_by <> placed_by", name="quality_hold_second_person"),
    CheckConstraint(
        "(lifted_by IS NULL) = (outcome = 0) AND (lift_time IS NULL) = (outcome = 0)",
        name="quality_hold_lifted_by_somebody",
    ),
    Index("quality_holds_open", "subject", unique=True, postgresql_where=text("lift_time IS NULL")),
    Index("quality_holds_organisation", "organisation_id", "id"),
)

# Who has completed which course with a voucher, and so may say something of it.
course_completions = Table(
    "course_completions",
    metadata,
    Column("course_id", UuidText, primary_key=True),
    Column("learner", Text, primary_key=True),  # opaque subject of the access token
    moment("complete_time"),  # when it was told; unset: before that was kept
)

course_feedback = Table(
    "course_feedback",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("course_id", UuidText, ForeignKey("courses.id"), nullable=False),
    Column("author", Text, nullable=False),  # opaque subject of the access token
    Column("rating", SmallInteger, nullable=False),
    Column("comment", Text, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # domain.course_feedback.State
    Column("fault", SmallInteger, nullable=False, server_default="0"),  # CourseFeedback.Fault
    Column("hidden_by", Text),
    Column("decided_by", Text),  # of an appeal
    moment("create_time", now=True),
    moment("answer_time"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="course_feedback_rating"),
    CheckConstraint("decided_by <> hidden_by", name="course_feedback_second_person"),
    CheckConstraint(
        "(state IN (3, 4)) <= (hidden_by IS NOT NULL)", name="course_feedback_hidden_by_somebody"
    ),
    Index("course_feedback_author", "course_id", "author", unique=True),
    Index("course_feedback_course", "course_id", "id"),
    Index("course_feedback_queue", "id", postgresql_where=text("state IN (2, 4)")),
)

appeals = Table(
    "appeals",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("subject", Text, nullable=False),  # resource name of what it is against
    Column("organisation_id", Text, ForeignKey("organisations.id")),  # none of an application
    Column("reason", Text, nullable=False),
    Column("filed_by", Text, nullable=False),  # opaque subjects of access tokens, as are the next two
    Column("against", Text, nullable=False),  # who did what it is against; empty where that was not kept
    Column("decided_by", Text),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # domain.appeal.State
    Column("finding", Text, nullable=False, server_default=""),
    moment("create_time", now=True),
    moment("decide_time"),
    CheckConstraint("decided_by <> against AND decided_by <> filed_by", name="appeal_second_person"),
    CheckConstraint("(state = 1) = (decided_by IS NULL)", name="appeal_decided_by_somebody"),
    # One that was upheld leaves nothing to appeal against until the same is decided again.
    Index("appeals_once", "subject", unique=True, postgresql_where=text("state <> 2")),
    Index("appeals_organisation", "organisation_id", "id"),
    Index("appeals_state", "state", "id"),
)
