"""Tells others when a programme's money runs short, is used up or is there again.

Looked at every few seconds and compared with what was told last, so that grants write nothing for it and wait
for nobody: of the many that empty a pot, one event tells.
"""

from __future__ import annotations

from waymark.vouchers.v1.events_pb2 import ProgrammeMoneyChanged

from services.platform.db.transaction import transaction
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money_left import money_left
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.store import budgets, programmes


def tell_changes(app: VouchersApp) -> None:
    """Publishes how far the money of each programme in force reaches, where that is not what was told last.

    One that starts or stops being in force between two looks is told of with the next.
    """
    with transaction(app) as tx:
        pots = budgets.open_by_programme(tx, tx.today)
        for row in programmes.in_force(tx):
            left = money_left(app.rules(tx, row.id, row.active_number), pots.get(row.id, ()))
            if left == row.money_told:
                continue
            event = ProgrammeMoneyChanged(
                programme=f"programmes/{row.id}",
                money_left=left,
                number=programmes.money_told(tx, row.id, left),
                sandbox=is_sandbox(row.currency),
            )
            tx.publish(event)
