"""Tables of what people are rated by and asked, which is of nobody, and of what was answered, sealed."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version


def _editions(name: str) -> Table:
    """Numbered versions of which a trigger refuses to change or delete a published one."""
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("content", LargeBinary, nullable=False),
        Column("drafted_by", ARRAY(Text), nullable=False),
        Column("published_by", Text),  # null: a draft
        version(),
        time("created_at"),
        time("updated_at"),
        time("published_at", nullable=True),
        CheckConstraint("published_by <> ALL (drafted_by)", name=f"{name}_by_another"),
        CheckConstraint("(published_by IS NULL) = (published_at IS NULL)", name=f"{name}_published"),
    )


framework_versions = _editions("framework_versions")
instrument_versions = _editions("instrument_versions")

# Fillings of an instrument by or for one person; what they came to is sealed.
questionnaires = Table(
    "questionnaires",
    metadata,
    owner(),
    id_(),
    Column("instrument", LargeBinary, nullable=False),  # blind index of the instrument's id
    Column("state", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    Index("questionnaires_instrument", "holder_id", "instrument", "state", "id"),
)

# Who fills a part, and how far that is; who did and what was answered is sealed, each part by itself.
questionnaire_parts = Table(
    "questionnaire_parts",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),  # `{questionnaire}.{part}`
    Column("questionnaire_id", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("filled_by", SmallInteger, nullable=False),
    Column("special_category", Boolean, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("token_hash", LargeBinary, unique=True),
    time("expires_at", nullable=True),
    time("filled_at", nullable=True),
    sealed(),
    ForeignKeyConstraint(
        ["holder_id", "questionnaire_id"],
        ["questionnaires.holder_id", "questionnaires.id"],
        ondelete="CASCADE",
    ),
    Index("questionnaire_parts_of", "holder_id", "questionnaire_id", "position"),
)
