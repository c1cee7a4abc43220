"""Days counted where the law counts them: in one zone for a deployment, whatever day it is in UTC.

The database's clock cannot be turned: what needs a certain moment opens a transaction of that moment, what
goes by the whole service runs in a zone where it is another day than in UTC right now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2, programme_pb2
from waymark.vouchers.v1 import report_pb2 as pb

from services.platform.days import day_of
from services.platform.db.transaction import transaction
from services.vouchers.assessment import Assessment, assess
from services.vouchers.service import DEFINITION
from tests.integration.vouchers.refusals import tried
from tests.integration.vouchers.test_applications import FLEMISH
from tests.support.databases import Databases
from tests.support.servers import Serve
from tests.support.vouchers import NO_EVIDENCE, World, founded, sample

Application = application_pb2.Application
Started = Callable[[str], World]
LAST_YEAR, NEW_YEAR = date(2025, 12, 31), date(2026, 1, 1)
# At half past eleven in the evening in UTC, and at half past four in the morning.
EVENING, NIGHT = datetime(2025, 12, 31, 23, 30, tzinfo=UTC), datetime(2026, 1, 1, 4, 30, tzinfo=UTC)
# In which year these are.
YEARS = {
    "UTC": (LAST_YEAR, NEW_YEAR),
    "Europe/Brussels": (NEW_YEAR, NEW_YEAR),
    "America/New_York": (LAST_YEAR, LAST_YEAR),
}


@pytest.fixture
def started(database: Databases, serve: Serve) -> Started:
    """Starts the service on the test's one database in a zone; the last one that was started counts."""
    url = founded(database)
    return lambda zone: World(serve(DEFINITION, url, environ={"WAYMARK_TIME_ZONE": zone}))


def another_day() -> str:
    """Returns a zone in which it is another day than in UTC now: half a day ahead, or behind."""
    return "Etc/GMT-14" if datetime.now(UTC).hour >= 10 else "Etc/GMT+12"


def test_an_application_is_decided_on_the_legal_day_and_keeps_it(started: Started) -> None:
    world = started(another_day())
    legal = day_of(datetime.now(UTC))
    assert legal != world.today
    programme = world.programme(fund=0, **NO_EVIDENCE)
    world.fund(programme, 1_000_000, period=(legal, legal))
    made = world.apply(world.learner(), programme)
    assert (made.state, list(made.reason_codes)) == (Application.STATE_GRANTED, [])
    with transaction(world.app, read_only=True) as tx:
        kept = tx.execute(text("SELECT applied_on, decided_on FROM applications")).one()
    assert tuple(kept) == (legal, legal)
    assert world.verify().intact

    world = started("UTC")  # the setting was changed since: what was decided stays as it was
    again = application_pb2.ReplayApplicationRequest(name=made.name)
    assert world.auditor.applications.ReplayApplication(again).agrees
    assert world.verify().intact
    refusal = world.apply(world.learner(), programme)  # control: by days in UTC there is no money today
    assert list(refusal.reason_codes) == ["BUDGET_EXHAUSTED"]


def test_the_last_day_to_enrol_is_over_with_the_legal_day(started: Started) -> None:
    world = started(another_day())
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    legal = day_of(datetime.now(UTC))
    last = min(legal, world.today)
    world.offer(start=world.today + timedelta(days=3), apply_until=last)
    refusals = {"legal": "" if legal == last else "SESSION_UNKNOWN"}
    refusals["in UTC"] = "SESSION_UNKNOWN" if legal == last else ""
    assert tried(lambda: world.reserve(learner, voucher)) == refusals["legal"]
    world = started("UTC")  # control: there it is the other way round
    other, another = world.voucher(world.programme(**NO_EVIDENCE))
    assert tried(lambda: world.reserve(other, another)) == refusals["in UTC"]


def test_rules_caps_and_shortages_change_with_the_legal_year(started: Started) -> None:
    world = started("UTC")
    rules = {"shortageRule": {"shortageList": "shortageLists/national", "reasonCode": "NOT_SHORT"}}
    programme = world.programme(FLEMISH, **rules, effectiveDate={"year": 2025, "month": 1, "day": 1})
    version = {**sample(FLEMISH)["version"], **rules}  # from the first of January
    drafted = world.maker.programmes.CreateProgrammeVersion(
        programme_pb2.CreateProgrammeVersionRequest(
            parent=programme, version=ParseDict(version, programme_pb2.ProgrammeVersion())
        )
    )
    activate = programme_pb2.ActivateProgrammeVersionRequest(name=drafted.name)
    world.checker.programmes.ActivateProgrammeVersion(activate)
    learner = world.learner(employment_status="employed", education_level=4)
    world.voucher(programme, learner)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE applications SET decided_on = :day"), {"day": LAST_YEAR})
        tx.execute(text("UPDATE shortage_versions SET valid_from = :day"), {"day": NEW_YEAR})

    def assessed(world: World, now: datetime) -> Assessment:
        with transaction(world.app) as tx:
            tx.now = now
            return assess(world.app, tx, learner.learner, programme, world.session)

    for zone, years in YEARS.items():
        world = started(zone)
        for now, day in zip((EVENING, NIGHT), years, strict=True):
            found = assessed(world, now)
            new = day == NEW_YEAR
            assert (zone, now, found.today, found.number) == (zone, now, day, 2 if new else 1)
            assert (bool(found.shortage_version), found.history.face_used == 0) == (new, new)


def test_the_months_of_statistics_are_those_of_the_law(started: Started) -> None:
    world = started("UTC")
    programme = world.programme(**NO_EVIDENCE)
    world.voucher(programme)
    world.voucher(programme)

    def granted(world: World, month: str) -> int:
        request = pb.GetMonthlyStatisticsRequest(month=month, programme=programme)
        return sum(each.granted for each in world.auditor.reports.GetMonthlyStatistics(request).programmes)

    with transaction(world.app) as tx:
        ids = tx.execute(text("SELECT id FROM applications ORDER BY id")).scalars().all()
        for each, now in zip(ids, (EVENING, NIGHT), strict=True):
            statement = text("UPDATE applications SET created_at = :now, decided_at = :now WHERE id = :id")
            tx.execute(statement, {"now": now, "id": each})
    found = {}
    for zone in YEARS:
        world = started(zone)
        found[zone] = granted(world, "2025-12"), granted(world, "2026-01")
    assert found == {zone: (years.count(LAST_YEAR), years.count(NEW_YEAR)) for zone, years in YEARS.items()}
