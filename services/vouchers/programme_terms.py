"""Tells others the public terms of active versions: at activation, and once of those from before that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.vouchers.v1.events_pb2 import ProgrammeActivated

from services.platform.db.transaction import Transaction, transaction
from services.vouchers.app import VouchersApp
from services.vouchers.domain.programme import Version
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.terms import public_terms
from services.vouchers.store import programmes


def tell(tx: Transaction, row: Row[Any], display_names: Mapping[str, str]) -> None:
    """Publishes that a version, a row with its programme's currency, is active, and its terms."""
    programme = f"programmes/{row.programme_id}"
    event = ProgrammeActivated(
        programme=programme,
        version=f"{programme}/versions/{row.number}",
        terms=public_terms(display_names, ParseDict(row.rules, Version())),
        sandbox=is_sandbox(row.currency),
    )
    tx.publish(event)


def tell_untold(app: VouchersApp) -> None:
    """Tells the terms of versions that were activated before terms were told."""
    while True:
        with transaction(app) as tx:
            rows = programmes.untold(tx)
            for row in rows:
                tell(tx, row, row.display_names)
        if not rows:
            return
