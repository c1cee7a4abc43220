"""Request ids: a repeat gets the first answer, twins have one effect."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from waymark.errors.v1 import reason_pb2

from services.platform.db import requests
from services.platform.db.schema import request_ids
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from tests.support.events import effects, probe_event

PROBE = probe_event("dbprobe")
ANNE, BEN = (Principal(subject, frozenset()) for subject in ("anne", "ben"))
KEY, OTHER_KEY = bytes(32), bytes([1]) * 32
CALLERS = 8


def handle(engine, request, *, principal=ANNE, request_id="1", guarded=True, barrier=None) -> bytes:
    """What a mutation does: claim, effect, answer. Returns the answer."""
    if barrier:
        barrier.wait()
    claiming = requests.claiming(KEY, principal, "Probe", request_id, request)
    with transaction(engine, principal, opening=requests.claim([claiming]) if guarded else None) as tx:
        if guarded:
            claim = claiming.claimed(tx.opening)
            if not claim.fresh:
                return claim.answer
        number = tx.execute(
            sa.insert(effects)
            .values(key=request.key, n=request.n, sent=sa.func.now())
            .returning(effects.c.seq)
        ).scalar_one()
        answer: bytes = PROBE(key="answer", n=number).SerializeToString()
        if guarded:
            tx.keep_answer(claiming, answer)
        return answer


def effect_count(engine) -> int:
    with engine.begin() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(effects)).scalar_one()


def test_a_repeat_gets_the_first_answer_and_has_no_effect(platform):
    first = handle(platform.engine, PROBE(key="a", n=1))
    assert handle(platform.engine, PROBE(key="a", n=1)) == first
    assert effect_count(platform.engine) == 1


def test_another_body_is_refused(platform):
    handle(platform.engine, PROBE(key="a", n=1))
    with pytest.raises(Refusal) as refusal:
        handle(platform.engine, PROBE(key="a", n=2))
    assert refusal.value.reason == reason_pb2.REASON_REQUEST_ID_REUSED


def test_an_id_belongs_to_its_caller(platform):
    handle(platform.engine, PROBE(key="a", n=1))
    handle(platform.engine, PROBE(key="b", n=2), principal=BEN)
    assert effect_count(platform.engine) == 2


@pytest.mark.parametrize(("guarded", "expected"), [(True, 1), (False, CALLERS)])
def test_twins_have_one_effect_and_one_answer_and_without_the_guard_many(platform, guarded, expected):
    barrier = Barrier(CALLERS)
    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [
            pool.submit(handle, platform.engine, PROBE(key="a", n=1), guarded=guarded, barrier=barrier)
            for _ in range(CALLERS)
        ]
        answers = {call.result() for call in calls}
    assert effect_count(platform.engine) == len(answers) == expected


def test_after_a_failed_first_the_twin_takes_over(platform):
    request = PROBE(key="a", n=1)

    def fail_while_the_twin_waits(pool):
        claiming = requests.claiming(KEY, ANNE, "Probe", "1", request)
        with transaction(platform.engine, ANNE, opening=requests.claim([claiming])):
            twins.append(pool.submit(handle, platform.engine, request))
            with pytest.raises(TimeoutError):
                twins[0].result(timeout=0.3)
            raise KeyError

    twins: list[Future[bytes]] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyError):
            fail_while_the_twin_waits(pool)
        assert twins[0].result()
    assert effect_count(platform.engine) == 1


def test_expiry_takes_only_what_is_old(platform):
    handle(platform.engine, PROBE(key="a", n=1), request_id="old")
    handle(platform.engine, PROBE(key="a", n=1), request_id="young")
    with platform.engine.begin() as connection:
        connection.execute(
            sa.update(request_ids)
            .where(request_ids.c.request_id == "old")
            .values(created_at=sa.func.now() - timedelta(hours=49))
        )
    assert requests.expire(platform.engine) == 1
    with pytest.raises(ValueError, match="24 hours"):
        requests.expire(platform.engine, timedelta(hours=1))


def test_what_is_kept_of_a_body_cannot_be_guessed_without_the_key():
    request = PROBE(key="a", n=1)
    assert requests.body_hash(KEY, request) == requests.body_hash(KEY, PROBE(key="a", n=1))
    assert requests.body_hash(KEY, request) != requests.body_hash(OTHER_KEY, request)
