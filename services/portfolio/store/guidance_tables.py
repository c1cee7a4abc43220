"""Tables of what holders, counsellors and awarding bodies say to one another: hand-overs, words on pathways,
validation cases; and of what is suggested to holders.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from services.portfolio.store.columns import id_, metadata, of_pathway, owner, sealed, time, version

# Offers of counsellors to hand their mandates over.
handovers = Table(
    "handovers",
    metadata,
    owner(),
    id_(),
    Column("mandate_id", Text, nullable=False),
    Column("counsellor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("new_mandate_id", Text, nullable=False),  # empty: not accepted
    time("created_at"),
    time("updated_at"),
    ForeignKeyConstraint(
        ["holder_id", "mandate_id"], ["mandates.holder_id", "mandates.id"], ondelete="CASCADE"
    ),
    CheckConstraint("counsellor <> holder_id", name="handovers_not_to_the_holder"),
)

# Who proposed steps and who agreed to them; what they agreed to is sealed.
pathway_words = Table(
    "pathway_words",
    metadata,
    Column("holder_id", Text, primary_key=True),
    Column("pathway_id", Text, primary_key=True),
    id_(),
    Column("kind", SmallInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("organisation", Text, nullable=False),  # empty: the holder
    sealed(),
    time("created_at"),
    of_pathway(),
)

# Validation of what was learnt outside of school; what a case says is sealed, where it stands is not.
validation_cases = Table(
    "validation_cases",
    metadata,
    owner(),
    id_(),
    Column("issuer_id", Text, ForeignKey("credential_issuers.id"), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("assessor", Text, nullable=False),  # empty: nobody yet
    Column("former_assessor", Text, nullable=False),  # empty: there was no appeal
    time("appeal_end", nullable=True),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    CheckConstraint("assessor <> holder_id", name="validation_cases_not_of_oneself"),
    CheckConstraint("assessor <> former_assessor OR assessor = ''", name="validation_cases_another_assessor"),
    Index("validation_cases_handed_in", "issuer_id", "id", postgresql_where=text("state BETWEEN 4 AND 11")),
)

# What the documentation said when it was handed in, apart from what lists read.
validation_snapshots = Table(
    "validation_snapshots",
    metadata,
    Column("holder_id", Text, primary_key=True),
    id_(),  # of the case
    sealed(),
    ForeignKeyConstraint(
        ["holder_id", "id"], ["validation_cases.holder_id", "validation_cases.id"], ondelete="CASCADE"
    ),
)

# Receipts of consent to being counted by gender; which gender is sealed, and so is what was counted.
exposure_consents = Table(
    "exposure_consents",
    metadata,
    owner(),
    id_(),
    version(),
    sealed(),
    Column("counted", LargeBinary, nullable=False),  # domain.exposure.Counted
    time("withdrawn_at", nullable=True),
    time("created_at"),
    time("updated_at"),
    Index(
        "exposure_consents_in_force", "holder_id", unique=True, postgresql_where=text("withdrawn_at IS NULL")
    ),
)

# How many people of a gender were shown an occupation group in a month: numbers of nobody.
idea_exposures = Table(
    "idea_exposures",
    metadata,
    Column("month", Date, primary_key=True),
    Column("isco_code", Text, primary_key=True),
    Column("gender", SmallInteger, primary_key=True, autoincrement=False),
    Column("people", Integer, nullable=False),
)
