"""How many statements redeeming costs: each is a round trip, and the rate stands and falls with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from waymark.vouchers.v1 import redemption_pb2 as pb

from tests.support.vouchers import NO_EVIDENCE, World, request_id


def statements(world: World, call: Callable[[], Any]) -> list[str]:
    """Returns the statements that a call sends beside those that travel with BEGIN and COMMIT."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(world.app.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(world.app.engine, "before_cursor_execute", note)
    return seen


def test_each_write_is_one_relationship_one_lock_and_one_change(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    first = world.delivered(learner, voucher, amount=100)  # fills the cache of rules
    reserve = pb.ReserveRedemptionRequest(
        voucher=voucher,
        session=world.session,
        request_id=request_id(),
        amount={"currency_code": "EUR", "units": 1},
    )
    assert len(statements(world, lambda: learner.redemptions.ReserveRedemption(reserve))) == 3
    listed = learner.redemptions.ListRedemptions(pb.ListRedemptionsRequest(learner=learner.learner, state=1))
    authorise = pb.AuthoriseRedemptionRequest(name=listed.redemptions[0].name, request_id=request_id())
    assert len(statements(world, lambda: learner.redemptions.AuthoriseRedemption(authorise))) == 3
    accept = pb.AcceptRedemptionRequest(name=first.name, request_id=request_id())
    assert len(statements(world, lambda: world.caseworker.redemptions.AcceptRedemption(accept))) == 2
