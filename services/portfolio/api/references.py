"""References between resources of one portfolio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.store.collection import Collection
from services.portfolio.store.evidence import EVIDENCE


def check_evidence(tx: Transaction, holder: str, evidence: Sequence[str], field: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming the entries of `field` that are no evidence of this holder."""
    check_own(tx, holder, EVIDENCE, {field: evidence})


def check_own(
    tx: Transaction, holder: str, collection: Collection[Any], named: Mapping[str, Sequence[str]]
) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for those `named`, by field, that the holder's `collection` lacks."""
    ids = {
        f"{field}[{index}]": _id(holder, collection.segment, name)
        for field, listed in named.items()
        for index, name in enumerate(listed)
    }
    missing = collection.missing(tx, holder, set(ids.values()))
    what = collection.table.name.replace("_", " ")
    refuse(
        [
            Violation(path, f"is not among the {what} of this portfolio")
            for path, row_id in ids.items()
            if row_id in missing
        ]
    )


def check_one(tx: Transaction, holder: str, collection: Collection[Any], field: str, name: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) when the holder's `collection` lacks what `field` names."""
    if collection.missing(tx, holder, {_id(holder, collection.segment, name)}):
        refuse([Violation(field, f"is not among the {collection.segment} of this portfolio")])


def _id(holder: str, segment: str, name: str) -> str:
    try:
        owner, row_id = names.parse(name, "holders", segment)
    except Refusal:
        return name  # found missing below, with its place in the list
    return row_id if owner == holder else name
