"""References between resources of one portfolio."""

from __future__ import annotations

from collections.abc import Sequence

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.store.evidence import EVIDENCE


def check_evidence(tx: Transaction, holder: str, evidence: Sequence[str], field: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming the entries of `field` that are no evidence of this holder."""
    ids = [_evidence_id(holder, name) for name in evidence]
    missing = EVIDENCE.missing(tx, holder, set(ids))
    refuse(
        [
            Violation(f"{field}[{index}]", "is no evidence in this portfolio")
            for index, row_id in enumerate(ids)
            if row_id in missing
        ]
    )


def _evidence_id(holder: str, name: str) -> str:
    try:
        owner, row_id = names.parse(name, "holders", "evidence")
    except Refusal:
        return name  # found missing below, with its place in the list
    return row_id if owner == holder else name
