"""Erasures are told again to services whose databases have forgotten them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from waymark.portfolio.v1 import holder_pb2 as pb
from waymark.portfolio.v1.events_pb2 import SubjectErased

from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.portfolio import erasing
from services.portfolio.erasing import retell
from tests.integration.portfolio.test_erasure import erase_request
from tests.support.portfolio import Caller, Portfolio, entry


def told(engine: Engine) -> list[SubjectErased]:
    """Every erasure in the outbox, oldest first."""
    with transaction(engine, read_only=True) as tx:
        of_erasures = outbox.c.type == SubjectErased.DESCRIPTOR.full_name
        rows = tx.execute(select(outbox.c.payload).where(of_erasures).order_by(outbox.c.seq))
        return [SubjectErased.FromString(payload) for payload in rows.scalars()]


def gone(portfolio: Portfolio) -> Caller:
    person = portfolio.person()
    entry(person)
    person.EraseHolder(erase_request(person))
    return person


def test_each_erasure_since_a_time_is_told_again_as_it_was(lonely_portfolio: Portfolio) -> None:
    engine = lonely_portfolio.database.engine
    first, second = gone(lonely_portfolio), gone(lonely_portfolio)
    lonely_portfolio.person()
    before = told(engine)
    assert [each.holder for each in before] == [first.holder, second.holder]
    of_second = before[1].erase_time.ToDatetime(tzinfo=UTC)
    assert retell(engine, of_second) == 1
    assert told(engine) == [*before, before[1]]
    assert retell(engine, of_second - timedelta(days=1)) == 2
    assert told(engine) == [*before, before[1], *before]
    assert retell(engine, of_second + timedelta(microseconds=1)) == 0


def test_who_came_back_is_told_of_with_the_time_they_left(lonely_portfolio: Portfolio) -> None:
    engine = lonely_portfolio.database.engine
    back = gone(lonely_portfolio)
    back.CreateHolder(pb.CreateHolderRequest(holder=pb.Holder(given_name="Ada")))
    (before,) = told(engine)
    assert retell(engine, before.erase_time.ToDatetime(tzinfo=UTC)) == 1
    assert told(engine) == [before, before]
    assert back.GetHolder(pb.GetHolderRequest(name=back.holder)).given_name == "Ada"


def test_an_operator_tells_them_by_a_command(lonely_portfolio: Portfolio) -> None:
    gone(lonely_portfolio)
    told_by = {
        **{name: value for name, value in os.environ.items() if name != "WAYMARK_HOME"},
        "WAYMARK_PORTFOLIO_DATABASE_URL": lonely_portfolio.database.url,
        "WAYMARK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }

    def command(since: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "services.cli.main", "erasure", "retell", "--json", "--since", since]
        return subprocess.run(line, env=told_by, capture_output=True, text=True, check=False)

    hour = datetime.now(UTC) - timedelta(hours=1)
    for since in (hour.isoformat(), f"{hour:%Y-%m-%dT%H:%M:%S}", f"{hour:%Y-%m-%d}"):
        assert json.loads(command(since).stdout) == {"erasures": 1}, since
    assert json.loads(command("2100-01-01").stdout) == {"erasures": 0}
    assert command("yesterday").returncode == 2
    assert len(told(lonely_portfolio.database.engine)) == 4


@pytest.mark.parametrize("at_once", [1, 200])
def test_many_without_a_key_are_erased_in_parts(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """As after a restore of the portfolio with the newest keys."""
    monkeypatch.setattr(erasing, "AT_ONCE", at_once)
    engine = lonely_portfolio.database.engine
    lost = [lonely_portfolio.person() for _ in range(3)]
    stays = lonely_portfolio.person()
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM holder_keys WHERE holder_id = ANY (%s)", ([each.subject for each in lost],)
        )
    assert retell(engine, datetime.now(UTC) - timedelta(minutes=1)) == 3
    assert {each.holder for each in told(engine)} == {each.holder for each in lost}
    lost[0].CreateHolder(pb.CreateHolderRequest(holder=pb.Holder()))  # and may begin anew
    assert stays.GetHolder(pb.GetHolderRequest(name=stays.holder)).name == stays.holder
