"""Tables of pages: what a person puts together, what others say to it, and what was handed in.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version

pages = Table(
    "pages",
    metadata,
    owner(),
    id_(),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
)

page_collections = Table(
    "page_collections",
    metadata,
    owner(),
    id_(),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
)


def of_page() -> ForeignKeyConstraint:
    """The row goes with its page."""
    return ForeignKeyConstraint(["holder_id", "page_id"], ["pages.holder_id", "pages.id"], ondelete="CASCADE")


# Links by which somebody reads a page and says something to it. Whom for is sealed.
page_invitations = Table(
    "page_invitations",
    metadata,
    owner(),
    id_(),
    Column("page_id", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("max_comments", Integer, nullable=False),
    Column("comments", Integer, nullable=False, server_default="0"),
    version(),
    sealed(),
    time("expires_at"),
    time("withdrawn_at", nullable=True),
    time("created_at"),
    time("updated_at"),
    of_page(),
    CheckConstraint("comments <= max_comments", name="page_invitations_comments"),
    Index("page_invitations_page", "holder_id", "page_id"),
)

page_comments = Table(
    "page_comments",
    metadata,
    owner(),
    id_(),
    Column("page_id", Text, nullable=False),
    Column("invitation_id", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    of_page(),
    Index("page_comments_page", "holder_id", "page_id", "state"),
)

# Who may read what was handed in, until when.
page_submissions = Table(
    "page_submissions",
    metadata,
    owner(),
    id_(),
    Column("recipient", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("expires_at"),
    time("created_at"),
    time("updated_at"),
    CheckConstraint("recipient <> holder_id", name="page_submissions_not_to_oneself"),
    Index(
        "page_submissions_received",
        "recipient",
        "organisation",
        "id",
        postgresql_where=text("state IN (1, 2)"),
    ),
)

# The pages as they were, apart from what lists read.
submitted_pages = Table(
    "submitted_pages",
    metadata,
    Column("holder_id", Text, primary_key=True),
    id_(),  # of the submission
    sealed(),
    ForeignKeyConstraint(
        ["holder_id", "id"], ["page_submissions.holder_id", "page_submissions.id"], ondelete="CASCADE"
    ),
)
