"""Others are told when a programme's money runs short, is used up and is there again, and of no grant."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from sqlalchemy import text
from waymark.catalogue.v1 import occupation_pb2, occupation_pb2_grpc
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1.money_left_pb2 import MoneyLeft

from services.catalogue.service import DEFINITION
from services.platform.db.transaction import transaction
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from services.platform.events.topics import ensure_topics, topics_of
from services.vouchers.programme_money import tell_changes
from tests.integration.vouchers.test_waiting_list import entry, give_back, join, leave
from tests.support.catalogue import DEVELOPER, Catalogue, catalogue, with_taxonomy
from tests.support.events import running, test_settings
from tests.support.quality import told
from tests.support.vouchers import NO_EVIDENCE, World
from tests.support.waiting import eventually

__all__ = ["catalogue"]  # a fixture

WHOLE: dict[str, Any] = {  # a voucher is worth 1 000 EUR, and the session of the world costs as much
    **NO_EVIDENCE,
    "courseRule": {"priceCap": {"currencyCode": "EUR", "units": "1000"}},
}


def said(world: World) -> list[tuple[str, int]]:
    """What was told after another look: how far the money reaches, with the number of the change."""
    tell_changes(world.app)
    return [
        (MoneyLeft.Name(each.money_left).removeprefix("MONEY_LEFT_"), each.number)
        for each in told(world, events_pb2.ProgrammeMoneyChanged)
    ]


def test_only_a_change_is_told_and_no_grant(world: World) -> None:
    programme = world.programme(fund=0, **WHOLE)
    assert said(world) == [("NOTHING", 1)]
    world.fund(programme, 350_000)
    assert said(world) == [("NOTHING", 1), ("ENOUGH", 2)]
    holders = [world.voucher(programme) for _ in range(2)]
    assert said(world)[2:] == []  # 1 500 EUR are left
    holders.append(world.voucher(programme))
    assert said(world)[2:] == [("LITTLE", 3)]
    give_back(*holders[0])
    assert said(world)[3:] == said(world)[3:] == [("ENOUGH", 4)]


def test_money_that_others_wait_for_is_there_for_nobody_else(world: World) -> None:
    programme = world.programme(fund=100_000, **WHOLE)
    holder, voucher = world.voucher(programme)
    assert said(world) == [("NOTHING", 1)]
    waiting = world.learner()
    name = join(waiting, world.apply(waiting, programme).name).name
    give_back(holder, voucher)
    assert said(world) == [("NOTHING", 1)]
    assert entry(waiting, name).name == leave(waiting, name).name
    assert said(world)[1:] == [("ENOUGH", 2)]


def test_a_budget_that_is_over_or_has_not_begun_holds_nothing(world: World) -> None:
    world.programme(fund=100_000, **WHOLE)
    assert said(world) == [("ENOUGH", 1)]
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE budgets SET end_date = CURRENT_DATE - 1, start_date = CURRENT_DATE - 9"))
    assert said(world)[1:] == [("NOTHING", 2)]
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE budgets SET end_date = CURRENT_DATE"))
    assert said(world)[2:] == [("ENOUGH", 3)]


def test_the_page_of_an_occupation_says_it(
    world: World, catalogue: Catalogue, kafka: str, tmp_path: Path
) -> None:
    lmi = with_taxonomy(catalogue)
    emitting = test_settings(
        "vouchers", database_url=world.app.settings.database_url, kafka_bootstrap=kafka, secrets_dir=tmp_path
    )
    ensure_topics(emitting, topics_of("vouchers"))
    # A consumer group of this test's own: other tests may consume the same topic at the same time.
    reacting = test_settings(
        f"t{secrets.token_hex(4)}",
        database_url=lmi.app.settings.database_url,
        kafka_bootstrap=kafka,
        secrets_dir=tmp_path,
    )
    app = type(lmi.app)(reacting)
    programme = world.programme(fund=100_000, shortageRule=None, **WHOLE)

    def page() -> dict[str, Any]:
        request = occupation_pb2.GetOccupationPageRequest(occupation=DEVELOPER, nuts_code="BE21")
        stub = lmi.stub(occupation_pb2_grpc.OccupationServiceStub, "")
        return {each.programme: each.money_left for each in stub.GetOccupationPage(request).paying_programmes}

    with running(Relay(emitting, world.app.engine).run, Consumer(DEFINITION, app).run):
        said(world)
        eventually(lambda: page().get(programme) == MoneyLeft.MONEY_LEFT_ENOUGH)
        world.voucher(programme)
        said(world)
        eventually(lambda: page().get(programme) == MoneyLeft.MONEY_LEFT_NOTHING)
        world.fund(programme, 1, "rest")
        said(world)
        eventually(lambda: page().get(programme) == MoneyLeft.MONEY_LEFT_LITTLE)
    app.close()
