"""Decisions of the past computed again: they agree, unless something they rest on was changed since."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import application_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.vouchers import granting, replaying
from services.vouchers.domain import replay
from services.vouchers.store.names import version_parts
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_applications import FLEMISH, declared
from tests.support.plans import plans
from tests.support.vouchers import NO_EVIDENCE, World, request_id

State = pb.Application
DUTCH_GROUP = "{target_groups,0,cover_percent}"


def replayed(world: World, application: Any) -> pb.Replay:
    """Computes one decision again."""
    answer: pb.Replay = world.auditor.applications.ReplayApplication(
        pb.ReplayApplicationRequest(name=application.name)
    )
    return answer


def differing(world: World, application: Any) -> dict[str, tuple[str, str]]:
    """Returns what differs, stored and computed, by path."""
    answer = replayed(world, application)
    assert answer.agrees == (not answer.differences)
    return {item.path: (item.before, item.after) for item in answer.differences}


def tamper(world: World, statement: str, **values: Any) -> None:
    """Changes the database behind the service's back, and past what keeps active rules as they are."""
    with transaction(world.app) as tx:
        for table in ("programme_versions", "programmes"):
            tx.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER frozen"))
        assert tx.execute(text(statement), values).rowcount


def waiting(world: World, programme: str) -> Any:
    """Returns an application that waits for a caseworker."""
    person = world.person("learner")
    return person.applications.CreateApplication(
        pb.CreateApplicationRequest(
            application=pb.Application(learner=person.learner, programme=programme, session=world.session),
            declared_facts=declared(employment_status="unemployed"),
            request_id=request_id(),
        )
    )


def decided(world: World, application: Any, *, grant: bool) -> Any:
    """Lets a caseworker decide."""
    return world.caseworker.applications.DecideApplication(
        pb.DecideApplicationRequest(name=application.name, grant=grant, reason="papers seen")
    )


def every_kind(world: World) -> list[Any]:
    """Returns applications of every outcome: automatic, by a person, waiting, without money."""
    programme = world.programme(fund=250_000, **NO_EVIDENCE)
    made = [
        world.apply(world.learner(), programme),
        world.apply(world.learner(employment_status="employed"), programme),
        waiting(world, programme),
        decided(world, waiting(world, programme), grant=False),
        decided(world, waiting(world, programme), grant=True),
        world.apply(world.learner(), programme),
    ]
    states = [State.STATE_GRANTED, State.STATE_REFUSED, State.STATE_SUBMITTED, State.STATE_REFUSED]
    assert [item.state for item in made] == [*states, State.STATE_GRANTED, State.STATE_REFUSED]
    assert list(made[-1].reason_codes) == ["BUDGET_EXHAUSTED"]
    return made


def test_every_kind_of_decision_agrees_after_the_world_has_moved_on(world: World) -> None:
    made = every_kind(world)
    flemish = world.programme(FLEMISH)
    learner = world.learner(employment_status="employed", education_level=4)
    made.append(world.apply(learner, flemish))
    world.list_shortage(isco="9999")
    world.offer(price=7_000, eqf_level=8, kind="seminar")
    world.accredit(accredited=False)
    world.push(learner, {"employment_status": "inactive", "education_level": 8})
    assert [differing(world, item) for item in made] == [{}] * len(made)


def test_all_are_computed_again_page_by_page(world: World) -> None:
    made = every_kind(world)
    other = world.apply(
        world.learner(education_level=3, employment_status="employed"), world.programme(FLEMISH)
    )
    request = pb.ReplayApplicationsRequest(page_size=3)
    counts, totals = [], []
    while True:
        answer = world.auditor.applications.ReplayApplications(request)
        assert not answer.disagreements
        counts.append(answer.replayed_count)
        totals.append(answer.total_count)
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert (counts, totals) == ([3, 3, 1], [7, 0, 0])
    tamper(
        world, "UPDATE applications SET amount_cents = amount_cents + 1 WHERE learner = :l", l=other.learner
    )
    answer = world.auditor.applications.ReplayApplications(pb.ReplayApplicationsRequest())
    assert [item.application for item in answer.disagreements] == [other.name]
    of_one = pb.ReplayApplicationsRequest(programme=made[0].programme)
    answer = world.auditor.applications.ReplayApplications(of_one)
    assert (answer.replayed_count, answer.total_count, len(answer.disagreements)) == (6, 6, 0)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            """UPDATE applications SET facts = jsonb_set(facts, '{1,value}', '"employed"')""",
            {"pins.facts", "clauses[jobseeker].outcome", "clauses[jobseeker].facts[employment_status].value"},
        ),
        ("UPDATE applications SET facts = jsonb_set(facts, '{0,value}', '4')", {"pins.facts"}),
        ("UPDATE applications SET facts = '[{}]'", {"facts"}),
        ("UPDATE applications SET facts = facts || '[7]'", {"facts"}),
        (
            f"UPDATE programme_versions SET rules = jsonb_set(rules, '{DUTCH_GROUP}', '90')",
            {"pins.rules", "amount", "learner_share", "cover_percent"},
        ),
        (
            "UPDATE programme_versions SET rules = jsonb_set(rules, '{clauses,0,expression}', '\"true\"')",
            {"pins.rules", "clauses[jobseeker].facts[employment_status].value"},
        ),
        ("UPDATE programme_versions SET rules = rules #- '{hold_rule}'", {"pins.rules"}),
        (
            "UPDATE programme_versions SET rules = jsonb_set(rules, '{clauses,0,expression}', '\"x +\"')",
            {"rules"},
        ),
        ("UPDATE programme_versions SET rules = '{\"clauses\": 7}'", {"rules"}),
        ("UPDATE programmes SET currency = 'EUX'", {"rules"}),
        ("UPDATE shortage_entries SET severity = 5", {"pins.shortage"}),
        ("DELETE FROM shortage_entries", {"pins.shortage", "clauses[shortage].outcome", "state"}),
        (
            "UPDATE applications SET offer = jsonb_set(offer, '{price}', '99')",
            {"pins.offer", "amount", "face_cents"},
        ),
        (
            "UPDATE applications SET history = jsonb_set(history, '{grants}', '1')",
            {"pins.history", "clauses[once].outcome", "reason_codes"},
        ),
        ("UPDATE applications SET decided_on = decided_on - 1", {"pins.history"}),
        ("UPDATE applications SET face_cents = 1", {"face_cents"}),
        ("UPDATE applications SET state = 3", {"state"}),
        ("UPDATE applications SET pot_held = FALSE", {"clauses[budget].outcome", "state"}),
        ("UPDATE applications SET target_group = 'youth'", {"target_group"}),
        ("UPDATE applications SET clauses = clauses - 0", {"clauses[jobseeker].outcome"}),
    ],
)
def test_what_was_changed_afterwards_is_found(world: World, statement: str, found: set[str]) -> None:
    granted = world.apply(world.learner(), world.programme(**NO_EVIDENCE))
    assert differing(world, granted) == {}
    tamper(world, statement)
    assert found <= differing(world, granted).keys()


def test_a_person_cannot_have_granted_what_is_certainly_refused(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    granted = decided(world, waiting(world, programme), grant=True)
    tamper(world, "UPDATE applications SET offer = jsonb_set(offer, '{accredited}', 'false')")
    found = differing(world, granted)
    assert found["state"] == ("STATE_GRANTED", "STATE_REFUSED")
    assert found["reason_codes"] == ("", "PROVIDER_NOT_ACCREDITED")


def test_who_loses_the_race_for_the_last_money_is_refused_with_that_clause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: Any, **__: Any) -> Any:
        raise Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)

    monkeypatch.setattr(granting, "take_money", taken)
    late = world.apply(world.learner(), world.programme(**NO_EVIDENCE))
    outcomes = {item.clause: (item.outcome, item.reason_code) for item in late.clauses}
    assert list(late.reason_codes) == ["BUDGET_EXHAUSTED"]
    assert outcomes["budget"] == (2, "BUDGET_EXHAUSTED")
    assert differing(world, late) == {}


def test_a_decision_from_before_pins_were_kept_is_compared_by_its_outcome(world: World) -> None:
    granted = world.apply(world.learner(), world.programme(**NO_EVIDENCE))
    tamper(world, "UPDATE applications SET pins = '{}'")
    tamper(world, "UPDATE programme_versions SET rules = rules #- '{hold_rule}'")
    assert differing(world, granted) == {}


def test_control_without_pins_a_change_that_changes_no_outcome_is_not_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = world.apply(world.learner(), world.programme(**NO_EVIDENCE))
    tamper(world, "UPDATE applications SET facts = jsonb_set(facts, '{0,value}', '4')")
    assert set(differing(world, granted)) == {"pins.facts"}
    monkeypatch.setattr(replay, "pin_differences", lambda kept, now: [])
    assert differing(world, granted) == {}


def test_control_with_cached_rules_a_changed_row_is_not_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = world.apply(world.learner(), world.programme(**NO_EVIDENCE))
    tamper(world, "UPDATE programme_versions SET rules = rules #- '{hold_rule}'")
    assert set(differing(world, granted)) == {"pins.rules"}
    with transaction(world.app) as tx:
        cached = world.app.rules(tx, *version_parts(granted.programme_version))
    monkeypatch.setattr(replaying.Replayer, "_rules_of", lambda *_: cached)
    assert differing(world, granted) == {}


def test_an_application_that_is_not_there_is_not_replayed(world: World) -> None:
    missing = pb.Application(name="applications/0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f")
    assert refused(lambda: replayed(world, missing)) == "NOT_FOUND"


@pytest.fixture
def many(world: World) -> str:
    """A programme with 30 000 refusals of an allocation, in chunks whose rows share their time."""
    refused_one = world.apply(world.learner(employment_status="employed"), world.programme())
    with transaction(world.app) as tx:
        copies = """INSERT INTO applications SELECT copy.* FROM applications AS a,
          generate_series(1, 30000) AS n, jsonb_populate_record(a, jsonb_build_object(
            'id', gen_random_uuid(), 'learner', 'learners/' || n,
            'created_at', a.created_at - make_interval(secs => n / 1000))) AS copy"""
        tx.execute(
            text("SET LOCAL statement_timeout = 0")
        )  # the test's own rows, however busy the machine is
        tx.execute(text(copies))
    with world.app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE applications"))
    return str(refused_one.programme)


def plans_of_pages(world: World, programme: str) -> list[str]:
    """Returns how the first two pages of a programme are read."""
    request = pb.ReplayApplicationsRequest(programme=programme, page_size=500)
    with plans(world.app.engine, "FROM applications", "ORDER BY") as found:
        for _ in range(2):
            answer = world.auditor.applications.ReplayApplications(request)
            assert (answer.replayed_count, len(answer.disagreements)) == (500, 0)
            request.page_token = answer.next_page_token
    return found


def test_a_page_is_read_in_the_order_of_its_index_and_control(world: World, many: str) -> None:
    for plan in plans_of_pages(world, many):
        assert "Index Scan using applications_programme" in plan
        assert "Sort" not in plan
    with transaction(world.app) as tx:  # control: without the id in the index pages are sorted
        tx.execute(text("DROP INDEX applications_programme"))
        tx.execute(text("CREATE INDEX applications_programme ON applications (programme_id, created_at)"))
    first, second = plans_of_pages(world, many)
    assert "Sort" in first
    assert "Sort" in second
