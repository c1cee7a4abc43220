"""What a credential says beside its title, for whoever is shown one: words may name people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.portfolio.domain.credentials.fields import first, id_of, many, text

MOST = 2000  # characters


def statement_of(document: Mapping[str, Any]) -> str:
    """Returns the comment of an endorsement, or the description of an achievement; "" for neither."""
    subject = _subject(document)
    achievement = first(subject, "achievement", "hasClaim") or document.get("badge")
    described = next((each for each in many(achievement) if isinstance(each, Mapping)), {})
    return text(subject.get("endorsementComment"), MOST) or text(described.get("description"), MOST)


def subject_of(document: Mapping[str, Any]) -> str:
    """Returns whom or what a credential is about, as it names them; "" where it holds a hash alone."""
    recipient = document.get("recipient")
    if isinstance(recipient, Mapping):  # Open Badges 2.0
        return "" if recipient.get("hashed") else text(recipient.get("identity"), MOST)
    return id_of(_subject(document))[:MOST]


def _subject(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = next(iter(many(document.get("credentialSubject"))), None)
    return found if isinstance(found, Mapping) else {}
