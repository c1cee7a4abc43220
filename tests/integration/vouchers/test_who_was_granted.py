"""Who of many has a grant already, asked of a table that has just grown and that nothing has analysed yet."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.platform.db.transaction import transaction
from services.vouchers.store import applications
from tests.integration.vouchers.test_allocations import APTIC, created, file_of, jobseekers, ran
from tests.support.plans import plans
from tests.support.vouchers import World


@pytest.fixture
def world(stored: World) -> World:
    """Files lie in an object store."""
    return stored


ONE_BY_ONE = """SELECT p.learner FROM unnest(CAST(:people AS text[])) AS p (learner) CROSS JOIN LATERAL (
  SELECT 1 FROM applications WHERE learner = p.learner AND programme_id = :programme
    AND session = :session AND state = 2 LIMIT 1) AS a"""


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "control"])
def test_each_person_is_looked_up_alone_in_a_table_that_has_just_grown(
    world: World, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    if not hidden:
        monkeypatch.setattr(applications, "_GRANTED_FOR", text(ONE_BY_ONE))
    programme = world.programme(APTIC)
    ran(world, created(world, programme, file_of(jobseekers(world, 1))))
    with transaction(world.app) as tx:
        (one,) = tx.execute(text("SELECT * FROM applications")).all()
        tx.execute(
            text("INSERT INTO learners (id) SELECT 'learners/' || n FROM generate_series(1, 5000) AS n")
        )
        tx.execute(
            text("""INSERT INTO applications SELECT (jsonb_populate_record(a, jsonb_build_object(
              'id', gen_random_uuid(), 'learner', 'learners/' || n, 'voucher_id', NULL))).*
              FROM applications a, generate_series(1, 5000) AS n""")
        )
        people = [f"learners/{n}" for n in range(900, 1000)]
        with plans(world.app.engine, "unnest", "applications") as found:
            granted = applications.granted_for(tx, people, one.programme_id, one.session)
    assert granted == set(people)
    assert ("applications_learner" in found[0]) is hidden, found[0]
