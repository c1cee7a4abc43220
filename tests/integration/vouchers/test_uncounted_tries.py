"""A try at a code that cannot be counted is not answered: not as a wrong one, nor as a right one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.engine import make_engine
from services.platform.errors import Refusal
from services.vouchers import authorising
from services.vouchers.store import attempts, authorisation_codes
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_authorisation_codes import INVALID, WRONG, agree, answer, coded
from tests.support.vouchers import World

State = pb.Redemption
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture(params=["unreachable", "full"])
def cut_off(world: World, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[ExitStack]:
    """A world in which the connections that count tries cannot be reached, or are all in use; until this is
    closed."""
    with ExitStack() as until:
        if request.param == "unreachable":
            patch = until.enter_context(pytest.MonkeyPatch.context())
            patch.setitem(world.app.__dict__, "side_engine", make_engine(NOWHERE, 1))
        else:
            for _ in range(world.app.side_engine.pool.size()):  # type: ignore[attr-defined]
                until.enter_context(world.app.side_engine.connect())
        yield until


def test_right_and_wrong_are_answered_alike_and_neither_counts(world: World, cut_off: ExitStack) -> None:
    _, name, code = coded(world)
    wrong, right = (answer(lambda code=code: agree(world.provider, name, code)) for code in (WRONG, code))
    assert wrong == right
    assert (wrong[0], wrong[2]) == ("UNAVAILABLE", "")
    cut_off.close()
    assert answer(lambda: agree(world.provider, name, WRONG))[::2] == (INVALID, "4")
    assert agree(world.provider, name, code).state == State.STATE_AUTHORISED


def test_who_needs_no_code_needs_no_count(world: World, cut_off: ExitStack) -> None:
    learner, name, _ = coded(world)
    assert answer(lambda: agree(world.provider, name))[::2] == (INVALID, "5")
    assert agree(learner, name).state == State.STATE_AUTHORISED


def test_control_looked_at_before_it_is_counted_a_right_code_goes_through(
    world: World, cut_off: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_first(app: Any, kept: Any, redemption: str, presented: bytes, now: datetime) -> None:
        try:
            kept.prove(presented, now)
        except Refusal:
            with authorisation_codes.counting(app.side_engine, redemption) as keep:
                keep()
            raise

    monkeypatch.setattr(authorising, "_prove", look_first)
    _, name, code = coded(world)
    assert answer(lambda: agree(world.provider, name, WRONG))[0] == "UNAVAILABLE"
    assert agree(world.provider, name, code).state == State.STATE_AUTHORISED


def reserve(world: World) -> Any:
    """Reserves with a code of no voucher."""
    request = pb.ReserveRedemptionRequest(code="0000-0000-0000-0000", session=world.session)
    return world.provider.redemptions.ReserveRedemption(request)


def test_a_wrong_voucher_code_that_cannot_be_counted_is_not_called_wrong(
    world: World, cut_off: ExitStack
) -> None:
    assert refused(lambda: reserve(world)) == "UNAVAILABLE"
    cut_off.close()
    reasons = [refused(lambda: reserve(world)) for _ in range(attempts.BUDGET + 1)]
    assert reasons == ["VOUCHER_CODE_INVALID"] * attempts.BUDGET + ["TOO_MANY_ATTEMPTS"]


def test_control_without_the_count_guessing_has_no_end(
    world: World, cut_off: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "count", lambda *_: None)
    reasons = {refused(lambda: reserve(world)) for _ in range(attempts.BUDGET + 1)}
    assert reasons == {"VOUCHER_CODE_INVALID"}
