"""Tables of what holders, counsellors and awarding bodies say to one another: hand-overs, words on pathways,
validation cases, cases of guidance.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
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
    Column("concluder", Text, nullable=False, server_default=""),  # empty: nobody put it in force
    time("appeal_end", nullable=True),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    CheckConstraint("assessor <> holder_id", name="validation_cases_not_of_oneself"),
    CheckConstraint("assessor <> former_assessor OR assessor = ''", name="validation_cases_another_assessor"),
    CheckConstraint("assessor <> concluder OR assessor = ''", name="validation_cases_not_who_concluded"),
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

# One case of guidance for each holder who has had any.
guidance_cases = Table(
    "guidance_cases",
    metadata,
    owner(),
    Column("tier", SmallInteger, nullable=False),
    time("human_asked_at", nullable=True),  # set: the person waits for a human
    time("last_contact_at", nullable=True),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
)

tier_moves = Table(
    "tier_moves",
    metadata,
    owner(),
    id_(),
    Column("from_tier", SmallInteger, nullable=False),
    Column("to_tier", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("organisation", Text, nullable=False),  # empty: the holder
    sealed(),
    time("created_at"),
    time("updated_at"),
)

contact_records = Table(
    "contact_records",
    metadata,
    owner(),
    id_(),
    Column("counsellor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    sealed(),
    time("created_at"),
    time("updated_at"),
)

guidance_notes = Table(
    "guidance_notes",
    metadata,
    owner(),
    id_(),
    Column("visibility", SmallInteger, nullable=False),
    Column("counsellor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    sealed(),
    time("created_at"),
    time("updated_at"),
)

# What counsellors wrote on behalf of holders; a trigger refuses to change a record.
on_behalf_records = Table(
    "on_behalf_records",
    metadata,
    owner(),
    id_(),
    Column("counsellor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("mandate_id", Text, nullable=False),
    time("created_at"),
)
