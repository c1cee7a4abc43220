"""An opening whose applications come late, whose draw is killed, or whose calls are repeated."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.vouchers import openings
from services.vouchers.api.applications import decision_values
from services.vouchers.assessment import assess
from services.vouchers.jobs import draw_openings
from services.vouchers.store import openings as store
from tests.integration.vouchers.test_openings import (
    Application,
    Opening,
    Outcome,
    announced,
    faults,
    opened,
    opening,
    published,
    read,
    shift,
    unlocked,
)
from tests.support.vouchers import World, request_id


def arrives_late(world: World, programme: str) -> str:
    """Somebody applies in time; the window closes and the draw begins while that transaction is still open.
    Returns the application's name once both are done."""
    learner = world.learner()
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE openings SET close_at = now() + interval '2 seconds'"))
    drawn = threading.Thread(target=draw_openings, args=(world.app,))
    with transaction(world.app) as tx:
        row = openings.collecting(tx, programme.rpartition("/")[2])
        assert row is not None
        found = assess(world.app, tx, learner.learner, programme, world.session)
        kept = openings.collect(tx, row, decision_values(found, learner.learner))
        time.sleep(2.1)
        drawn.start()
        drawn.join(1)
    drawn.join(30)
    return f"applications/{kept.id}"


def test_who_came_in_time_is_in_the_draw_however_late_the_transaction_ends(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    name = arrives_late(world, programme)
    assert [each.application for each in published(world, programme)] == [name]


def test_control_without_the_shared_lock_they_are_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    programme = announced(world)
    shift(world, 1)
    monkeypatch.setattr(store, "standing", unlocked)
    with transaction(world.app) as tx:  # its check shares the lock too
        fk = "ALTER TABLE drawn_applications DROP CONSTRAINT drawn_applications_programme_id_number_fkey"
        tx.execute(text(fk))
    name = arrives_late(world, programme)
    assert read(world, name).state == Application.STATE_IN_DRAW  # and nobody will ever deal with it
    assert published(world, programme) == []


KILLED = """
import os, signal, sys
from services.platform.settings import Settings
from services.vouchers import drawing
from services.vouchers.app import VouchersApp

drawing.CHUNK = 5
app = VouchersApp(Settings.from_environment("vouchers", dict(os.environ)))
real, chunks = drawing.deal, []

def deal(app, tx, programme, number):
    done = real(app, tx, programme, number, 5)
    chunks.append(1)
    if len(chunks) == 2:
        tx.flush()
        os.kill(os.getpid(), signal.SIGKILL)  # its second chunk is written and not committed
    return done

drawing.deal = deal
drawing.draw_opening(app, sys.argv[1], 1)
"""


def test_a_draw_that_is_killed_goes_on_where_it_was(world: World) -> None:
    programme, found = opened(world, 24, fund=1_000_000)
    environ = {
        "WAYMARK_VOUCHERS_DATABASE_URL": world.app.settings.database_url,
        "WAYMARK_OIDC_ISSUER": "https://issuer.test",
        "WAYMARK_OIDC_AUDIENCE": "waymark",
        "WAYMARK_SECRETS_DIR": str(world.app.settings.secrets_dir),
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-c", KILLED, programme.rpartition("/")[2]]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    halfway = opening(world, programme)
    assert (halfway.state, halfway.done_count) == (Opening.STATE_DRAWN, 5)
    assert faults(world, programme) == []  # the order is fixed and public while it is being dealt with
    seed = halfway.seed
    with ThreadPoolExecutor(2) as pool:  # two at once, as when a lease changes hands
        list(pool.map(lambda _: draw_openings(world.app), range(2)))
    after = opening(world, programme)
    assert (after.state, after.done_count, after.seed) == (Opening.STATE_DONE, 24, seed)
    drawn = published(world, programme)
    assert sorted(each.application for each in drawn) == sorted(each.name for _, each in found)
    outcomes = Counter(each.outcome for each in drawn)
    assert outcomes == {Outcome.OUTCOME_GRANTED: 10, Outcome.OUTCOME_WAITING: 14}
    assert [each.outcome for each in drawn[:10]] == [Outcome.OUTCOME_GRANTED] * 10
    with transaction(world.app) as tx:
        vouchers = tx.execute(text("SELECT learner FROM vouchers")).scalars().all()
        decided = "SELECT count(*) FROM outbox WHERE type LIKE '%ApplicationDecided'"
        assert tx.execute(text(decided)).scalar() == 24
    assert len(vouchers) == len(set(vouchers)) == 10
    assert world.verify().intact


def test_a_cursor_that_was_moved_back_deals_with_nobody_twice(world: World) -> None:
    programme, _ = opened(world, 3)
    draw_openings(world.app)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE openings SET state = 2, done_count = 0"))
    with pytest.raises(Refusal) as raised:
        draw_openings(world.app)
    assert raised.value.reason_name == "WRONG_STATE"
    assert opening(world, programme).done_count == 0
    assert world.verify().intact


def test_request_ids_make_a_repeat_in_the_window_harmless(world: World) -> None:
    programme = announced(world)
    shift(world, 1)
    learner = world.learner()
    request = application_pb2.CreateApplicationRequest(
        application=Application(learner=learner.learner, programme=programme, session=world.session),
        request_id=request_id(),
    )
    first, again = (learner.applications.CreateApplication(request) for _ in range(2))
    assert first == again
