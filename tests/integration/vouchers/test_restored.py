"""A vouchers database restored from before an erasure: what came back goes again once it is told again."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from waymark.portfolio.v1 import holder_pb2

from services.portfolio.erasing import retell
from tests.integration.portfolio.test_erasure import erase_request
from tests.integration.portfolio.test_retelling import told
from tests.integration.vouchers.test_subject_erased import everything_written, facts, words
from tests.support.backups import Server
from tests.support.databases import Database
from tests.support.portfolio import Portfolio, lonely_portfolio
from tests.support.vouchers import World

__all__ = ["lonely_portfolio"]


def test_what_a_backup_brings_back_goes_again(
    world: World,
    lonely_portfolio: Portfolio,
    postgres: str,
    database: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, portfolio = Server(postgres), lonely_portfolio.database.engine
    person, _ = everything_written(world)
    holder = lonely_portfolio.learner(person.subject)
    holder.CreateHolder(holder_pb2.CreateHolderRequest(holder=holder_pb2.Holder()))
    of_before = server.dump(Database(str(world.app.settings.database_url), world.app.engine))
    holder.EraseHolder(erase_request(holder))
    (erased,) = told(portfolio)
    world.tell(erased)
    assert (facts(world, person), words(world)) == (0, 0)

    restored = database("vouchers")
    server.restore(restored, of_before)
    monkeypatch.setattr(world.app, "engine", restored.engine)  # the app closes its own at the end
    assert (facts(world, person), words(world)) == (3, 4)  # control: it is back
    retell(portfolio, erased.erase_time.ToDatetime(tzinfo=UTC))
    for event in told(portfolio)[1:]:
        world.tell(event)
    assert (facts(world, person), words(world)) == (0, 0)
