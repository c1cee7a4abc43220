"""The vouchers server is killed before, during and after commit, under load: one effect, one answer."""

from __future__ import annotations

import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial

import grpc
import psycopg
import pytest

from tests.support import audit
from tests.support.gates import Gates, Point, gates
from tests.support.kills import SERVER, kill_at
from tests.support.stand import Learner, Stand
from tests.support.traffic import Acknowledged, Journal, load, request_of
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def built(stand: Stand) -> Iterator[Gates]:
    with gates(stand.database("vouchers")) as made:
        yield made


def at_the_gate(stand: Stand, learners: list[Learner]) -> list[Callable[[], object]]:
    """A reserve, an authorise and an accept that only have to be called, each on a voucher of its own."""
    first, second, third = learners
    reserved, delivered = stand.reserve(second), stand.reserve(third)
    third.person.surely("AuthoriseRedemption", name=delivered)
    stand.provider.surely("StartRedemption", name=delivered)
    stand.provider.surely("DeliverRedemption", name=delivered)
    return [
        partial(stand.reserve, first),
        partial(second.person.surely, "AuthoriseRedemption", name=reserved),
        partial(stand.caseworker.surely, "AcceptRedemption", name=delivered),
    ]


def known(stand: Stand, ids: set[str], *, repeated: bool = False) -> int:
    """How many of these request ids the database has; `repeated`: how many came again and met themselves."""
    query = "SELECT count(*) FROM request_ids WHERE request_id = ANY (%s) AND repeats >= %s"
    return int(stand.one("vouchers", query, list(ids), int(repeated)))


def check_one_answer(entries: list[Acknowledged]) -> None:
    """Who had to ask again, and asks once more, hears what it heard."""
    again = [entry for entry in entries if len(entry.attempts) > 1 and entry.request.request_id]
    assert again
    for entry in again:
        assert entry.person.call(entry.rpc, entry.request) == entry.answer


@pytest.mark.parametrize(
    ("point", "after_commit", "survives"),
    [
        pytest.param(Point.CLAIMED, False, False, id="before"),
        pytest.param(Point.COMMITTING, False, True, id="during"),
        pytest.param(Point.COMMITTING, True, True, id="after"),
    ],
)
def test_a_server_killed_around_commit_gives_the_retry_the_one_answer(
    stand: Stand, spenders: list[Learner], built: Gates, point: Point, after_commit: bool, survives: bool
) -> None:
    journal, server = stand.callers.journal, stand.part(SERVER)
    calls, first = at_the_gate(stand, [stand.learner() for _ in range(3)]), len(journal.entries)
    works = [partial(stand.spend, each) for each in spenders[:3]]
    with load(*works), ThreadPoolExecutor(len(calls)) as pool:
        with built.closed(point) as gate:
            called = [pool.submit(call) for call in calls]
            # A transaction may be that of several calls; who comes later waits in the server for its end.
            eventually(lambda: gate.answering() and len(journal.pending) >= len(calls) + len(works))
            under_way = set(journal.pending)
            standing = kill_at(stand, SERVER, gate, committed=after_commit)
        for each in called:
            each.result()
        stand.until_restarted(server)
    met = known(stand, under_way, repeated=True)
    assert met >= standing if survives else met == 0
    check_one_answer(journal.entries[first:])
    assert stand.books() == []


def test_a_server_killed_at_any_moment_loses_nothing(stand: Stand, spenders: list[Learner]) -> None:
    journal, server = stand.callers.journal, stand.part(SERVER)
    first, seed = len(journal.entries), random.randrange(10**6)
    print(f"seed {seed}")
    with load(*(partial(stand.spend, each) for each in spenders)):
        time.sleep(random.Random(seed).uniform(0.5, 2))
        stand.signal(SERVER, signal.SIGKILL)
        stand.until_restarted(server)
        time.sleep(1)
    check_one_answer(journal.entries[first:])
    assert stand.books() == []


def test_control_a_retry_with_another_request_id_acts_twice(stand: Stand, built: Gates) -> None:
    learner, own = stand.learner(), str(uuid.uuid4())
    amount, session = {"currency_code": "EUR", "units": 1}, stand.journey.facts.session
    request = request_of(
        "ReserveRedemption", voucher=learner.voucher, session=session, amount=amount, request_id=own
    )

    def booked() -> int:
        query = "SELECT count(*) FROM redemptions WHERE voucher_id = %s"
        return int(stand.one("vouchers", query, learner.voucher.removeprefix("vouchers/")))

    # The job that looks at what was accepted before would stand at the gate too.
    unchecked = "SELECT count(*) FROM redemptions WHERE state = 5 AND checked_at IS NULL"
    eventually(lambda: stand.one("vouchers", unchecked) == 0)
    with built.closed(Point.COMMITTING) as gate, ThreadPoolExecutor(1) as pool:
        lost = pool.submit(learner.person.call, "ReserveRedemption", request, timeout=10)
        eventually(lambda: gate.waiting() == 1)
        stand.signal(SERVER, signal.SIGSTOP)
        gate.open()
        with pytest.raises(grpc.RpcError):
            lost.result()
        stand.signal(SERVER, signal.SIGCONT)
    assert booked() == 1
    first = learner.person.call("ReserveRedemption", request)
    assert booked() == 1
    request.request_id = str(uuid.uuid4())
    second = learner.person.call("ReserveRedemption", request)
    assert (booked(), first.name != second.name) == (2, True)
    told = stand.callers.journal.entries
    told.append(Acknowledged(learner.person, "ReserveRedemption", request, first, []))
    nobody_told = f"booked, but nobody was told: ('reserve', '{second.name}')"
    assert stand.books() == [nobody_told]
    told.append(Acknowledged(learner.person, "ReserveRedemption", request, second, []))
    assert stand.books() == []


def test_control_the_audit_sees_what_is_missing_or_does_not_add_up(stand: Stand) -> None:
    learner = stand.learner()
    name = stand.spend(learner)
    journal = audit_of(stand, learner)
    invented = deepcopy(journal.of("AcceptRedemption")[0].answer)
    invented.name = "redemptions/never"
    with psycopg.connect(stand.database("vouchers")) as connection:
        assert audit.journal_faults(connection, journal, [learner.voucher]) == []
        entry = journal.of("AcceptRedemption")[0]
        journal.entries.append(Acknowledged(entry.person, entry.rpc, entry.request, invented, []))
        journal.entries.append(journal.of("ReserveRedemption")[0])
        assert audit.journal_faults(connection, journal, [learner.voucher]) == [
            f"acknowledged 2 times, booked 1: ('reserve', '{name}')",
            "acknowledged 1 times, booked 0: ('accept', 'redemptions/never')",
        ]
        planted = (
            "INSERT INTO ledger_entries SELECT shard, sequence + 1000000, transaction, operation, kind, "
            "owner, cents, currency, reference, hash, created_at "
            "FROM ledger_entries WHERE reference = %s LIMIT 1"
        )
        assert audit.money_faults(connection) == []
        connection.execute(planted, (name,))
        assert any("sum to zero" in fault for fault in audit.money_faults(connection))
        connection.rollback()


def audit_of(stand: Stand, learner: Learner) -> Journal:
    """The part of the journal that is about one learner's voucher."""
    mine = [e for e in stand.callers.journal.of(*audit.BOOKED) if e.answer.voucher == learner.voucher]
    return Journal(mine)
