"""A questionnaire with a part on health, on a running stack, to be asked for."""

from __future__ import annotations

import secrets

from services.cli.demo import portfolio
from tests.support.traffic import Callers, Person

NAMES = {"en": "x"}


def fill(callers: Callers, learner: Person, holder: str, counsellor: Person) -> None:
    """Publishes an instrument, begins it for the learner, and lets the counsellor read what is special."""
    maker, checker = callers.person("catalogue_manager"), callers.person("catalogue_manager")
    parts = [
        {"id": "me", "titles": NAMES, "filled_by": "FILLER_HOLDER"},
        {"id": "health", "titles": NAMES, "filled_by": "FILLER_DOCTOR", "special_category": True},
    ]
    questions = [{"id": part["id"], "part": part["id"], "titles": NAMES} for part in parts]
    version = {"titles": NAMES, "parts": parts, "questions": questions}
    parent = f"instruments/x-{secrets.token_hex(4)}"
    drafted = maker.surely("CreateInstrumentVersion", parent=parent, instrument_version=version).name
    checker.surely("PublishInstrumentVersion", name=drafted)
    wanted = {"instrument_version": drafted}
    begun = learner.surely("CreateQuestionnaire", parent=holder, questionnaire=wanted)
    mandate = {
        "counsellor": counsellor.subject,
        "organisation": counsellor.organisation,
        "purpose": "MANDATE_PURPOSE_SPECIAL_CATEGORY",
        "questionnaire": begun.name,
        "expire_time": portfolio.in_days(1),
    }
    learner.surely("CreateMandate", parent=holder, mandate=mandate)
