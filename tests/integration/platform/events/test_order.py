"""Order and completeness of what the relay publishes, whoever commits late and however many relays run."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import timedelta
from threading import Thread

import pytest
import sqlalchemy as sa
from kafka.errors import KafkaTimeoutError

from services.platform.db.engine import make_engine
from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.platform.db.wire import send
from services.platform.events import leases
from services.platform.events.leases import LEASE, Leases
from services.platform.events.outbox import BUCKETS, append, row
from services.platform.events.relay import Relay
from tests.support.events import Rig, running
from tests.support.meetings import Meeting
from tests.support.waiting import eventually


def per_key(messages: list[tuple[str, int]]) -> dict[str, list[int]]:
    numbers = defaultdict(list)
    for key, n in messages:
        numbers[key].append(n)
    return numbers


def relay(rig: Rig) -> Relay:
    return Relay(rig.settings, rig.engine)


def test_events_arrive_once_each_and_in_order_per_key(rig):
    for n in range(20):
        rig.publish(*((f"k{key}", n) for key in range(10)))
    with running(relay(rig).run):
        eventually(lambda: rig.waiting() == 0)
    assert all(numbers == list(range(20)) for numbers in per_key(rig.messages()).values())


def slow_and_fast(rig: Rig) -> tuple[sa.Connection, sa.engine.Transaction]:
    """Leaves an older row uncommitted while a newer one of another key is committed."""
    connection = rig.engine.connect()
    begun = connection.begin()
    connection.execute(sa.select(1))  # the driver sends BEGIN with its first statement, `send` sends none
    send(connection, [append([row(rig.event("slow", 1))])])
    rig.publish(("fast", 1))
    return connection, begun


def test_a_row_that_commits_late_is_not_skipped(rig):
    connection, begun = slow_and_fast(rig)
    with running(relay(rig).run):
        eventually(lambda: per_key(rig.messages()).get("fast") == [1])
        begun.commit()
        connection.close()
        eventually(lambda: per_key(rig.messages()).get("slow") == [1])


def test_control_a_cursor_over_ids_loses_it(rig):
    connection, begun = slow_and_fast(rig)

    def after(cursor: int) -> list[tuple[int, str]]:
        statement = sa.select(outbox.c.seq, outbox.c.aggregateid).where(outbox.c.seq > cursor)
        with rig.engine.begin() as reader:
            return [tuple(row) for row in reader.execute(statement.order_by(outbox.c.seq))]

    first = after(0)
    begun.commit()
    connection.close()
    assert [key for _, key in first + after(first[-1][0])] == ["fast"]


def inverted_transactions(rig: Rig) -> sa.engine.Connection:
    """Two events of one aggregate, the second by the transaction that began first, and a third party in
    between.

    A handler takes its transaction number when it claims the request id, and the aggregate's lock only
    later. So the lower number may write second. Returns a connection whose number lies between the two and
    stays open.
    """
    assign = sa.text("SELECT pg_current_xact_id()")
    lower, between = rig.engine.connect(), rig.engine.connect()
    lower.begin()
    lower.execute(assign)
    between.begin()
    between.execute(assign)
    rig.publish(("a", 1))
    send(lower, [append([row(rig.event("a", 2))])])
    lower.commit()
    lower.close()
    return between


def test_the_order_is_that_of_the_writes_not_of_the_transaction_numbers(rig):
    between = inverted_transactions(rig)
    with running(relay(rig).run):
        eventually(lambda: rig.waiting() == 0)
    between.close()
    assert per_key(rig.messages())["a"] == [1, 2]


def test_control_below_the_xmin_horizon_the_second_event_would_overtake_the_first(rig):
    between = inverted_transactions(rig)
    horizon = sa.text(
        "SELECT aggregateid, payload FROM outbox "
        "WHERE xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
        "ORDER BY xmin::text::bigint, seq"
    )

    def seen() -> list[int]:
        with transaction(rig.engine, read_only=True) as tx:
            return [type(rig.event("a", 1)).FromString(row.payload).n for row in tx.execute(horizon)]

    # The horizon is the whole cluster's: transactions of other tests hold it back for moments, which can only
    # hide rows. The first event stays hidden until the third party has ended.
    eventually(lambda: seen() == [2])
    between.close()


def publish_while_two_relays_run(rig: Rig, relays: list[Relay]) -> list[tuple[str, int]]:
    with running(*(one.run for one in relays)):
        for n in range(60):
            rig.publish(*((f"k{key}", n) for key in range(20)))
        eventually(lambda: rig.waiting() == 0)
    return rig.messages()


def test_two_relays_share_the_buckets_and_keep_the_order(rig):
    relays = [relay(rig), relay(rig)]
    messages = publish_while_two_relays_run(rig, relays)
    assert all(numbers == list(range(60)) for numbers in per_key(messages).values())


def test_control_without_leases_two_relays_send_old_events_behind_new_ones(rig, monkeypatch):
    meet, met = Meeting(2), set[Relay]()
    take = Relay._take

    def hold_everything(self: Leases, *, idle: bool) -> None:
        self.held = frozenset(range(BUCKETS))

    def take_together(self: Relay):
        rows = take(self)
        if rows and self not in met:
            met.add(self)
            meet()
        return rows

    monkeypatch.setattr(Leases, "renew", hold_everything)
    monkeypatch.setattr(Leases, "valid", lambda _: True)
    monkeypatch.setattr(Relay, "_take", take_together)
    rig.publish(*((f"k{key}", n) for n in range(30) for key in range(20)))
    relays = [relay(rig), Relay(rig.settings, make_engine(rig.settings.database_url, 1))]
    with running(*(one.run for one in relays)):
        eventually(lambda: rig.waiting() == 0)
    assert any(numbers != sorted(set(numbers)) for numbers in per_key(rig.messages()).values())
    relays[1]._engine.dispose()


def test_leases_are_disjoint_balanced_and_given_back(rig):
    first, second = Leases(rig.engine, "first"), Leases(rig.engine, "second")
    first.renew(idle=True)
    assert len(first.held) == BUCKETS
    second.renew(idle=True)
    assert not second.held  # nothing is free yet, and nothing is taken by force
    first.renew(idle=True)
    second.renew(idle=True)
    assert len(first.held) == len(second.held) == BUCKETS // 2
    assert not first.held & second.held
    first.release()
    second.renew(idle=True)
    assert len(second.held) == BUCKETS


def test_a_relay_goes_on_with_what_one_of_its_name_held_when_it_was_killed(rig):
    Leases(rig.engine, "relay-0").renew(idle=True)  # and gives nothing back
    other, successor = Leases(rig.engine, "relay-1"), Leases(rig.engine, "relay-0")
    other.renew(idle=True)
    successor.renew(idle=False)
    assert (len(other.held), len(successor.held)) == (0, BUCKETS)


def test_a_relay_with_events_in_flight_gives_nothing_up(rig):
    first, second = Leases(rig.engine, "first"), Leases(rig.engine, "second")
    first.renew(idle=True)
    second.renew(idle=True)
    first.renew(idle=False)
    assert len(first.held) == BUCKETS


@pytest.mark.parametrize("guarded", [True, False])
def test_a_relay_that_stood_still_past_its_leases_publishes_nothing_and_control(rig, monkeypatch, guarded):
    if not guarded:
        monkeypatch.setattr(Leases, "valid", lambda _: True)
    rig.publish(("k", 1))
    one = relay(rig)
    take = one._take

    def long_after():
        rows = take()
        one._leases._renewed -= LEASE.total_seconds()
        return rows

    monkeypatch.setattr(one, "_take", long_after)
    one.round()
    assert rig.messages() == ([] if guarded else [("k", 1)])
    one.close()


class Unacknowledged:
    """What a producer returns for a message that the broker says nothing of for a while."""

    is_done = False

    def __init__(self, seconds):
        self._until = time.monotonic() + seconds

    def get(self, timeout):
        time.sleep(0.05)
        if time.monotonic() < self._until:
            raise KafkaTimeoutError


@pytest.mark.parametrize("guarded", [True, False])
def test_a_relay_that_waits_for_an_acknowledgement_keeps_its_buckets_and_control(rig, monkeypatch, guarded):
    monkeypatch.setattr(leases, "RENEWAL", 0.1)
    one = relay(rig)
    one._leases = Leases(rig.engine, "one", timedelta(seconds=1))
    if not guarded:
        monkeypatch.setattr(one, "_renew_in_flight", lambda: None)
    one.round()
    assert one._outcome(Unacknowledged(2)) is None
    other = Leases(rig.engine, "other")
    other.renew(idle=True)
    assert bool(other.held) is not guarded
    one.close()


@pytest.mark.parametrize("rounds", range(3))
def test_many_relays_starting_at_once_never_hold_the_same_bucket(rig, rounds):
    some = [Leases(rig.engine, f"relay-{n}") for n in range(4)]
    threads = [Thread(target=lambda one=one: one.renew(idle=True)) for one in some]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [bucket for one in some for bucket in one.held]
    assert len(held) == len(set(held))


def test_a_round_takes_no_more_bytes_than_memory_allows_and_everything_in_the_end(rig, monkeypatch):
    from services.platform.events import relay as module

    monkeypatch.setattr(module, "BATCH_BYTES", 100)
    module._oldest.cache_clear()
    rig.publish(*(("k" * 30, n) for n in range(1, 21)))  # 34 bytes each
    one = relay(rig)
    assert one.round() == 3
    with running(one.run):
        eventually(lambda: rig.waiting() == 0)
    module._oldest.cache_clear()
    assert per_key(rig.messages())["k" * 30] == list(range(1, 21))
