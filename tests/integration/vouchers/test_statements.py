"""How many round trips redeeming costs, counted on the wire: the rate stands and falls with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from waymark.vouchers.v1 import redemption_pb2 as pb

from tests.support.vouchers import NO_EVIDENCE, World, request_id

WARM = 12  # calls until each pooled connection has prepared the statements


@pytest.fixture
def trips(world: World, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Returns how many round trips every connection of the server has made; each ends with ReadyForQuery."""
    trace = tmp_path / "trace"
    with trace.open("wb") as file:
        world.app.engine.dispose()  # connections from now on are followed
        event.listen(world.app.engine, "connect", lambda link, _: link.pgconn.trace(file.fileno()))
        yield lambda: trace.read_bytes().count(b"ReadyForQuery")
        world.app.engine.dispose()


def test_each_write_takes_two_round_trips(world: World, trips: Callable[[], int]) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))

    def reserve() -> Any:
        request = pb.ReserveRedemptionRequest(
            voucher=voucher,
            session=world.session,
            request_id=request_id(),
            amount={"currency_code": "EUR", "units": 1},
        )
        return learner.redemptions.ReserveRedemption(request)

    def authorise(name: str) -> Any:
        request = pb.AuthoriseRedemptionRequest(name=name, request_id=request_id())
        return learner.redemptions.AuthoriseRedemption(request)

    def accept(name: str) -> Any:
        request = pb.AcceptRedemptionRequest(name=name, request_id=request_id())
        return world.caseworker.redemptions.AcceptRedemption(request)

    names = [reserve().name for _ in range(WARM)]
    for name in names[:-1]:
        authorise(name)
    delivered = [world.delivered(learner, voucher, amount=100).name for _ in range(WARM)]
    for name in delivered[:-1]:
        accept(name)
    for write in (reserve, lambda: authorise(names[-1]), lambda: accept(delivered[-1])):
        before = trips()
        write()
        assert trips() - before == 2


def test_accepting_takes_no_more_when_payment_waits_for_the_last_day(
    world: World, trips: Callable[[], int]
) -> None:
    learner, voucher = world.voucher(world.programme())
    names = [world.reserve(learner, voucher, amount=100).name for _ in range(WARM)]
    with world.app.engine.begin() as connection:
        connection.execute(text("UPDATE redemptions SET state = 4"))  # delivered, with whatever evidence

    def accept(name: str) -> Any:
        request = pb.AcceptRedemptionRequest(name=name, request_id=request_id())
        return world.caseworker.redemptions.AcceptRedemption(request)

    for name in names[:-1]:
        accept(name)
    before = trips()
    assert accept(names[-1]).HasField("release_time")
    assert trips() - before == 2


def test_an_instalment_takes_three_more_to_answer_with_all(world: World, trips: Callable[[], int]) -> None:
    halves = [{"trigger": "TRIGGER_DELIVERY", "percent": 50}] * 2
    learner, voucher = world.voucher(world.programme(paymentRule={"instalments": halves}))
    names = [world.delivered(learner, voucher, amount=100).name for _ in range(WARM)]

    def accept(name: str) -> Any:
        request = pb.AcceptRedemptionRequest(name=name, request_id=request_id())
        return world.caseworker.redemptions.AcceptRedemption(request)

    for name in names[:-1]:
        accept(name)
    before = trips()
    assert accept(names[-1]).state == pb.Redemption.STATE_STARTED
    assert trips() - before == 5
