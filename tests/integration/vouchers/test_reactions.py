"""What the catalogue tells is kept: duplicates and old news change nothing, lists count when complete."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import text
from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import transaction
from services.vouchers.domain.shortage import Occupation
from services.vouchers.store import offers
from tests.support.vouchers import World, day_message


def organisation(world: World) -> tuple[bool, int]:
    """Returns what is kept of the school."""
    with transaction(world.app) as tx:
        row = tx.execute(
            text("SELECT accredited, version FROM organisations WHERE name = :n"), {"n": world.organisation}
        ).one()
    return row.accredited, row.version


def test_organisation_changed(world: World) -> None:
    new = events_pb2.OrganisationChanged(organisation=world.organisation, version=50)
    old = events_pb2.OrganisationChanged(organisation=world.organisation, version=49, accredited=True)
    for event in (new, old, new):
        world.tell(event)
    assert organisation(world) == (False, 50)


def found(world: World, session: str) -> offers.Offer | None:
    """Returns the session as it can be booked."""
    with transaction(world.app) as tx:
        return offers.find(tx, session)


def test_course_changed(world: World) -> None:
    session = world.offer("courses/new", price=5000)
    offer = found(world, session)
    assert offer is not None
    assert (offer.price, offer.currency, offer.nuts) == (5000, "EUR", "BE21")
    assert offer.occupations == (Occupation("esco/welder", "7212"),)
    kept = world.version
    world.version = 0
    world.offer("courses/new", price=1)
    assert found(world, session) == offer, "old news changed the price"
    world.version = kept
    world.offer("courses/new", price=6000)
    changed = found(world, session)
    assert changed is not None
    assert changed.price == 6000


def test_a_removed_course_and_a_dropped_session_cannot_be_booked(world: World) -> None:
    gone = world.offer("courses/gone")
    world.offer("courses/gone", removed=True)
    dropped = world.offer("courses/dropped")
    world.offer("courses/dropped", sessions=[])
    assert found(world, gone) is None
    assert found(world, dropped) is None


def test_a_shortage_list_counts_once_all_its_entries_are_here(world: World) -> None:
    name, version = "shortageLists/north", "shortageLists/north/versions/1"
    published = events_pb2.ShortageListPublished(
        shortage_list=name, version=version, valid_from=day_message(date(2020, 1, 1)), entry_count=2
    )
    published.publish_time.GetCurrentTime()

    def entries(number: int) -> events_pb2.ShortageListEntriesPublished:
        entry = events_pb2.ShortageEntryRef(
            entry=f"{version}/entries/{number}",
            occupation=events_pb2.OccupationRef(isco_code="72"),
            severity=3,
        )
        return events_pb2.ShortageListEntriesPublished(shortage_list=name, version=version, entries=[entry])

    def in_force() -> str:
        with transaction(world.app) as tx:
            return offers.version_in_force(tx, name, world.today)

    world.tell(entries(1))
    world.tell(published)
    world.tell(published)
    world.tell(entries(1))
    assert in_force() == ""
    world.tell(entries(2))
    assert in_force() == version
    with transaction(world.app) as tx:
        matching = offers.entries_for(tx, version, [Occupation("", "7212")])
    assert len(matching) == 2


def test_a_withdrawn_list_version_is_never_in_force_whenever_it_is_heard_of(world: World) -> None:
    name, today = "shortageLists/y", world.today
    days = [day_message(today - timedelta(days=9)), day_message(today)]
    told = [
        events_pb2.ShortageListPublished(
            shortage_list=name, version=f"{name}/versions/{number}", valid_from=first
        )
        for number, first in enumerate(days, 1)
    ]
    withdrawn = events_pb2.ShortageListWithdrawn(
        shortage_list=name, version=f"{name}/versions/2", valid_from=days[1]
    )

    def in_force() -> str:
        with transaction(world.app) as tx:
            return offers.version_in_force(tx, name, today)[-1:]

    for event in told:
        world.tell(event)
    assert in_force() == "2"  # control: as long as nobody has heard of it
    world.tell(withdrawn)
    assert in_force() == "1"
    world.tell(told[1])
    assert in_force() == "1"


def test_the_version_in_force_follows_the_day(world: World) -> None:
    first = events_pb2.ShortageListPublished(
        shortage_list="shortageLists/x",
        version="shortageLists/x/versions/1",
        valid_from=day_message(date(2025, 1, 1)),
        valid_to=day_message(date(2025, 12, 31)),
    )
    second = events_pb2.ShortageListPublished(
        shortage_list="shortageLists/x",
        version="shortageLists/x/versions/2",
        valid_from=day_message(date(2026, 1, 1)),
    )
    for event in (second, first):
        event.publish_time.GetCurrentTime()
        world.tell(event)
    with transaction(world.app) as tx:
        days = (date(2024, 12, 31), date(2025, 12, 31), date(2026, 1, 1))
        names = [offers.version_in_force(tx, "shortageLists/x", day)[-1:] for day in days]
    assert names == ["", "1", "2"]
