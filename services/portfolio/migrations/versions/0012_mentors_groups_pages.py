"""Mentors and their matches with holders; group programmes and who is in them; pages,
what others say to them, and what was handed in."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_mentoring()
    create_groups()
    create_pages()
    create_page_company()


def create_groups() -> None:
    op.create_table(
        "group_programmes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("leader", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("members", sa.Integer),
        sa.Column("map", sa.LargeBinary),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("completed_at", TIME),
    )
    op.create_index("group_programmes_organisation", "group_programmes", ["organisation", "id"])
    op.create_table(
        "group_memberships",
        *owned(),
        sa.Column("programme_id", sa.Text, sa.ForeignKey("group_programmes.id"), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        *sealed(),
    )
    op.create_index(
        "group_memberships_once",
        "group_memberships",
        ["programme_id", "holder_id"],
        unique=True,
        postgresql_where=sa.text("state = 1"),
    )


def create_mentoring() -> None:
    op.create_table(
        "mentors",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("occupation_uris", ARRAY(sa.Text), nullable=False),
        sa.Column("isco_codes", ARRAY(sa.Text), nullable=False),
        sa.Column("isco_groups", ARRAY(sa.Text), nullable=False),
        sa.Column("languages", ARRAY(sa.Text), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("retired_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("organisation", "subject", name="mentors_subject"),
    )
    op.create_index("mentors_organisation", "mentors", ["organisation", "id"])
    for column in ("occupation_uris", "isco_groups"):
        op.create_index(f"mentors_{column}", "mentors", [column], postgresql_using="gin")
    op.create_table(
        "mentoring_matches",
        *owned(),
        sa.Column("mentor_id", sa.Text, sa.ForeignKey("mentors.id"), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("holder_agreed", TIME),
        sa.Column("mentor_agreed", TIME),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint(
            "state <> 2 OR (holder_agreed IS NOT NULL AND mentor_agreed IS NOT NULL)",
            name="mentoring_matches_both_agreed",
        ),
        *sealed(),
    )
    live = sa.text("state IN (1, 2)")
    op.create_index(
        "mentoring_matches_once",
        "mentoring_matches",
        ["mentor_id", "holder_id"],
        unique=True,
        postgresql_where=live,
    )
    op.create_index("mentoring_matches_ends", "mentoring_matches", ["expires_at"], postgresql_where=live)


def owned() -> list[sa.Column[Any]]:
    """Whose a row is, and its id."""
    key = sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE")
    return [
        sa.Column("holder_id", sa.Text, key, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
    ]


def sealed() -> list[sa.Column[Any]]:
    """What a row says of a person, its version and times."""
    return [
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def create_pages() -> None:
    op.create_table("pages", *owned(), *sealed())
    op.create_table("page_collections", *owned(), *sealed())
    pages: sa.Column[Any] = sa.Column("pages", ARRAY(sa.Text), nullable=False, server_default="{}")
    op.add_column("share_links", pages)


def create_page_company() -> None:
    op.create_table(
        "page_invitations",
        *owned(),
        sa.Column("page_id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("max_comments", sa.Integer, nullable=False),
        sa.Column("comments", sa.Integer, nullable=False, server_default="0"),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME),
        *sealed(),
        of_page(),
        sa.CheckConstraint("comments <= max_comments", name="page_invitations_comments"),
    )
    op.create_index("page_invitations_page", "page_invitations", ["holder_id", "page_id"])
    op.create_table(
        "page_comments",
        *owned(),
        sa.Column("page_id", sa.Text, nullable=False),
        sa.Column("invitation_id", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        *sealed(),
        of_page(),
    )
    op.create_index("page_comments_page", "page_comments", ["holder_id", "page_id", "state"])
    op.create_table(
        "page_submissions",
        *owned(),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        *sealed(),
        sa.CheckConstraint("recipient <> holder_id", name="page_submissions_not_to_oneself"),
    )
    op.create_index(
        "page_submissions_received",
        "page_submissions",
        ["recipient", "organisation", "id"],
        postgresql_where=sa.text("state IN (1, 2)"),
    )
    op.create_table(
        "submitted_pages",
        sa.Column("holder_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "id"], ["page_submissions.holder_id", "page_submissions.id"], ondelete="CASCADE"
        ),
    )


def of_page() -> sa.ForeignKeyConstraint:
    """A row goes with its page."""
    return sa.ForeignKeyConstraint(
        ["holder_id", "page_id"], ["pages.holder_id", "pages.id"], ondelete="CASCADE"
    )
