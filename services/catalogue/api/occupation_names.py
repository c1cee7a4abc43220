"""How callers name an occupation."""

from __future__ import annotations

from services.catalogue.domain.shortage import Occupation
from services.catalogue.store import taxonomies
from services.platform.db.transaction import Transaction
from services.platform.errors import invalid


def occupation_of(tx: Transaction, text: str) -> Occupation:
    """Reads what the caller asks about; raises Refusal(INVALID_ARGUMENT) for what no taxonomy knows."""
    if text.isascii() and text.isdecimal() and len(text) <= 4:
        return Occupation("", text)
    concept = taxonomies.by_uri(tx.connection, [text]).get(text)
    if concept is None:
        raise invalid("occupation", "is neither an ISCO-08 code nor a concept URI of an imported taxonomy")
    return Occupation(concept.uri, concept.isco_code)
