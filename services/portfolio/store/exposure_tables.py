"""Tables of what is suggested to holders: consents to count it by gender, and the counts.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, SmallInteger, Table, Text, text

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version

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
