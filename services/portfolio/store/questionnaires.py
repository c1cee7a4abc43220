"""Questionnaires: what they came to is sealed, and so is which instrument it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from waymark.portfolio.v1.questionnaire_pb2 import Questionnaire

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Collection
from services.portfolio.store.instrument_tables import questionnaires
from services.portfolio.store.vault import Vault

COLLECTIONS = ("holders", "questionnaires")
NEWEST = 24  # of which progress is told


def _finish(questionnaire: Questionnaire, row: Row[Any], _now: datetime) -> None:
    questionnaire.state = row.state


QUESTIONNAIRES = Collection(questionnaires, "questionnaires", Questionnaire, _finish)


def add(tx: Transaction, vault: Vault, instrument_version: str) -> Questionnaire:
    """Begins a questionnaire; raises Refusal(QUOTA_EXCEEDED)."""
    return QUESTIONNAIRES.add(
        tx,
        vault,
        Questionnaire(instrument_version=instrument_version),
        instrument=_blind(vault, names.instrument_of(instrument_version)),
        state=Questionnaire.STATE_OPEN,
    )


def completed(tx: Transaction, vault: Vault, instrument: str) -> list[Questionnaire]:
    """Returns the newest completed questionnaires of an instrument, `instruments/{instrument}`, of whatever
    version; the oldest first."""
    state, blind = Questionnaire.STATE_COMPLETED, _blind(vault, instrument)
    return QUESTIONNAIRES.newest(tx, vault, NEWEST, instrument=blind, state=state)[::-1]


def _blind(vault: Vault, instrument: str) -> bytes:
    return vault.key.blind("instrument", instrument)
