"""A draft tried on past applications says who would come out differently, and what it would cost."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from waymark.vouchers.v1 import application_pb2, operation_pb2, programme_pb2

from services.vouchers import jobs, simulating
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import NO_EVIDENCE, World, cents, request_id, sample
from tests.support.waiting import eventually

DUTCH = "dutch-temporary-training-voucher"
State = application_pb2.Application
Operation = operation_pb2.VoucherOperation


def drafted(world: World, programme: str, **changes: Any) -> Any:
    """Drafts another version of the programme."""
    content = {**sample(DUTCH)["version"], **NO_EVIDENCE, **changes}
    version = ParseDict(content, programme_pb2.ProgrammeVersion())
    return world.maker.programmes.CreateProgrammeVersion(
        programme_pb2.CreateProgrammeVersionRequest(parent=programme, version=version)
    )


def simulated(world: World, version: str) -> Operation:
    """Simulates a version to the end."""
    started = world.maker.programmes.SimulateProgrammeVersion(
        programme_pb2.SimulateProgrammeVersionRequest(name=version, request_id=request_id())
    )
    assert started.state == Operation.STATE_QUEUED
    return finished(world, started.name)


def finished(world: World, name: str) -> Operation:
    """Lets the service's job work until the work has ended."""

    def ended() -> Operation | None:
        jobs.work(world.app)
        found: Operation = world.auditor.operations.GetVoucherOperation(
            operation_pb2.GetVoucherOperationRequest(name=name)
        )
        if found.state not in (Operation.STATE_QUEUED, Operation.STATE_RUNNING):
            return found
        return None

    operation = eventually(ended, what="the work does not end")
    assert operation is not None
    return operation


def changes(world: World, name: str, size: int = 50) -> list[operation_pb2.SimulationChange]:
    """Lists what would change, page by page."""
    found, token = [], ""
    while True:
        page = world.maker.operations.ListSimulationChanges(
            operation_pb2.ListSimulationChangesRequest(parent=name, page_size=size, page_token=token)
        )
        found += page.changes
        token = page.next_page_token
        if not token:
            return found


def test_the_same_rules_change_nothing(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    for status in ("unemployed", "employed", "unemployed"):
        world.apply(world.learner(employment_status=status), programme)
    done = simulated(world, f"{programme}/versions/1")
    assert done.state == Operation.STATE_SUCCEEDED
    assert (done.done_count, done.total_count, done.simulation.unchanged_count) == (3, 3, 3)
    assert done.simulation.granted_before == done.simulation.granted_after
    assert cents(done.simulation.granted_before) > 0
    assert not changes(world, done.name)


def test_every_kind_of_change_is_counted_listed_and_costed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "SIZE", 2)  # more than one chunk
    programme = world.programme(**NO_EVIDENCE)
    loses = world.apply(world.learner(education_level=6), programme)
    keeps = world.apply(world.learner(education_level=2), programme)
    gains = world.apply(world.learner(employment_status="employed", education_level=2), programme)
    assert [item.state for item in (loses, keeps, gains)] == [2, 2, 3]
    clause = {"id": "low", "expression": "learner.education_level <= 3", "reasonCode": "TOO_WELL_SCHOOLED"}
    group = {"code": "all", "expression": "true", "coverPercent": 50}
    draft = drafted(world, programme, clauses=[clause], targetGroups=[group])
    done = simulated(world, draft.name)
    result = done.simulation
    assert result.newly_refused_count == result.newly_granted_count == result.amount_changed_count == 1
    assert result.unchanged_count == result.to_queue_count == result.unreadable_count == 0
    assert cents(result.granted_before) == cents(loses.amount) + cents(keeps.amount)
    listed = {item.application: item for item in changes(world, done.name, size=1)}
    assert set(listed) == {loses.name, keeps.name, gains.name}
    assert list(listed[loses.name].reason_codes) == ["TOO_WELL_SCHOOLED"]
    assert listed[loses.name].after == State.STATE_REFUSED
    assert cents(listed[keeps.name].amount_after) * 2 == cents(keeps.amount)
    after = sum(cents(item.amount_after) for item in listed.values())
    assert cents(result.granted_after) == after


def test_nothing_is_stored_but_the_simulation(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    person = world.learner()
    made = world.apply(person, programme)
    before = world.balances()
    simulated(world, f"{programme}/versions/1")
    read = person.applications.GetApplication(application_pb2.GetApplicationRequest(name=made.name))
    assert read == made
    assert world.balances() == before


def test_stopping_and_going_on_through_the_contract(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    world.apply(world.learner(), programme)
    started = world.maker.programmes.SimulateProgrammeVersion(
        programme_pb2.SimulateProgrammeVersionRequest(name=f"{programme}/versions/1")
    )
    stop = operation_pb2.CancelVoucherOperationRequest(name=started.name, etag=started.etag)
    stopped = world.maker.operations.CancelVoucherOperation(stop)
    assert stopped.state == Operation.STATE_CANCELLED
    assert refused(lambda: world.maker.operations.CancelVoucherOperation(stop)) == "ETAG_STALE"
    resumed = world.maker.operations.ResumeVoucherOperation(
        operation_pb2.ResumeVoucherOperationRequest(name=started.name, etag=stopped.etag)
    )
    assert resumed.state == Operation.STATE_QUEUED
    done = finished(world, started.name)
    assert done.state == Operation.STATE_SUCCEEDED
    assert (
        refused(
            lambda: world.maker.operations.CancelVoucherOperation(
                operation_pb2.CancelVoucherOperationRequest(name=started.name)
            )
        )
        == "WRONG_STATE"
    )
    listed = world.auditor.operations.ListVoucherOperations(operation_pb2.ListVoucherOperationsRequest())
    assert [item.name for item in listed.operations] == [started.name]


def test_no_such_work_and_no_such_version(world: World) -> None:
    programme = world.programme(fund=0)
    missing = "voucherOperations/01980000-0000-7000-8000-000000000000"
    assert (
        refused(
            lambda: world.maker.operations.GetVoucherOperation(
                operation_pb2.GetVoucherOperationRequest(name=missing)
            )
        )
        == "NOT_FOUND"
    )
    assert (
        refused(
            lambda: world.maker.programmes.SimulateProgrammeVersion(
                programme_pb2.SimulateProgrammeVersionRequest(name=f"{programme}/versions/9")
            )
        )
        == "NOT_FOUND"
    )
