"""Group programmes: joined by consent up to a size, progress for the leader's eyes, counts at the end."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import grpc
import pytest
from sqlalchemy import select, update
from waymark.portfolio.v1 import access_log_pb2, holder_pb2
from waymark.portfolio.v1 import group_membership_pb2 as members
from waymark.portfolio.v1 import group_programme_pb2 as pb
from waymark.portfolio.v1.events_pb2 import GroupMembershipMoved

from services.platform.db.schema import outbox
from services.platform.db.transaction import Transaction, transaction
from services.portfolio.domain.dates import from_date
from services.portfolio.store import group_programmes
from services.portfolio.store.company_tables import group_programmes as table
from tests.support.groups import DONE, STARTED, Led, joining, planned, programme, saying
from tests.support.portfolio import Caller, Portfolio, reason_of, refused

State = members.GroupMembership.State
BEGINNING, READY = pb.EMPLOYABILITY_LEVEL_BEGINNING, pb.EMPLOYABILITY_LEVEL_READY


def progress(group: Led, caller: Caller | None = None) -> list[members.MemberProgress]:
    request = members.ListMemberProgressRequest(parent=group.name)
    return list((caller or group.leader).ListMemberProgress(request).member_progress)


def complete(group: Led) -> pb.GroupProgramme:
    answer: pb.GroupProgramme = group.leader.CompleteGroupProgramme(
        pb.CompleteGroupProgrammeRequest(name=group.name)
    )
    return answer


def joined(portfolio: Portfolio, group: Led, display_name: str = "Ada") -> tuple[Caller, str]:
    person = portfolio.person(given_name="Adelheid", family_name="Secret")
    return person, person.CreateGroupMembership(joining(person, group.name, display_name)).name


def test_the_leader_sees_progress_of_the_shared_plan_and_nothing_else(portfolio: Portfolio) -> None:
    group = programme(portfolio)
    person, name = joined(portfolio, group)
    _, other = joined(portfolio, group, "Bob")
    said = person.RecordGroupProgress(saying(name, {"visit": STARTED, "cv": DONE}, {"network": READY}))
    assert [(each.task, each.state) for each in said.tasks] == [("cv", DONE), ("visit", STARTED)]
    ada, bob = progress(group)
    assert (ada.display_name, ada.done, ada.tasks) == ("Ada", 1, said.tasks)
    assert bob == members.MemberProgress(display_name="Bob")
    fields = {field.name for field in members.MemberProgress.DESCRIPTOR.fields}
    assert fields == {"display_name", "tasks", "done"}  # no name, no rating
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [(each.subject, each.action, each.grant) for each in log.access_records] == [
        (group.leader.subject, "ListMemberProgress", name)
    ]
    for call, request in (
        (group.leader.GetGroupMembership, members.GetGroupMembershipRequest(name=name)),
        (group.leader.GetHolder, holder_pb2.GetHolderRequest(name=person.holder)),
    ):
        assert reason_of(call, request) in {"NOT_FOUND", "PERMISSION_DENIED"}
    seen = group.leader.GetGroupProgramme(pb.GetGroupProgrammeRequest(name=group.name))
    colleague = portfolio.staff("provider", seen.organisation)
    listing = members.ListMemberProgressRequest(parent=group.name)
    assert reason_of(colleague.ListMemberProgress, listing) == "NOT_FOUND"
    assert seen.members == 2
    person.LeaveGroupProgramme(members.LeaveGroupProgrammeRequest(name=name))
    assert [each.display_name for each in progress(group)] == ["Bob"]
    assert reason_of(person.RecordGroupProgress, saying(name, {"cv": DONE})) == "WRONG_STATE"
    assert reason_of(person.RecordGroupProgress, saying(other, {"cv": DONE})) == "NOT_FOUND"


def test_members_join_and_leave_and_join_again(portfolio: Portfolio) -> None:
    group = programme(portfolio, size_limit=1)
    person, name = joined(portfolio, group)
    assert reason_of(person.CreateGroupMembership, joining(person, group.name)) == "GROUP_FULL"
    late = portfolio.person()
    info = refused(late.CreateGroupMembership, joining(late, group.name))
    assert (info.reason, info.metadata["size_limit"]) == ("GROUP_FULL", "1")
    left = person.LeaveGroupProgramme(members.LeaveGroupProgrammeRequest(name=name))
    assert left.state == State.STATE_LEFT
    late.CreateGroupMembership(joining(late, group.name))
    assert reason_of(person.CreateGroupMembership, joining(person, "groupProgrammes/x")) == (
        "INVALID_ARGUMENT"
    )
    roomy = programme(portfolio)
    person.CreateGroupMembership(joining(person, roomy.name))
    assert reason_of(person.CreateGroupMembership, joining(person, roomy.name)) == "ALREADY_EXISTS"
    listed = person.ListGroupMemberships(members.ListGroupMembershipsRequest(parent=person.holder))
    assert [each.state for each in listed.group_memberships] == [State.STATE_ACTIVE, State.STATE_LEFT]


def test_programmes_are_checked_and_found(portfolio: Portfolio) -> None:
    group = programme(portfolio)
    made = portfolio.person().GetGroupProgramme(pb.GetGroupProgrammeRequest(name=group.name))
    assert (made.leader, made.state) == (group.leader.subject, pb.GroupProgramme.STATE_OPEN)
    listing = pb.ListGroupProgrammesRequest(organisation=made.organisation)
    assert list(portfolio.counsellor().ListGroupProgrammes(listing).group_programmes) == [made]
    twice = planned(start_date=from_date(date(2026, 2, 1)), end_date=from_date(date(2026, 1, 1)))
    for caller, wrong in (
        (group.leader, twice),
        (group.leader, planned(size_limit=21)),
        (portfolio.staff("provider"), planned()),
    ):
        request = pb.CreateGroupProgrammeRequest(group_programme=wrong)
        assert reason_of(caller.CreateGroupProgramme, request) == "INVALID_ARGUMENT"


def test_completing_tells_who_is_done_and_draws_the_map_once(portfolio: Portfolio) -> None:
    group = programme(portfolio)
    asked = pb.GetEmployabilityMapRequest(name=group.name)
    assert reason_of(group.leader.GetEmployabilityMap, asked) == "WRONG_STATE"
    people = [joined(portfolio, group) for _ in range(10)]
    for index, (person, name) in enumerate(people):
        level = BEGINNING if index < 5 else READY
        person.RecordGroupProgress(saying(name, None, {"network": level, "skills": READY}))
    diligent, name = people[0]
    diligent.RecordGroupProgress(saying(name, dict.fromkeys(("strengths", "cv", "visit"), DONE)))
    gone, gone_name = joined(portfolio, group)
    gone.RecordGroupProgress(saying(gone_name, None, {"network": BEGINNING}))
    gone.LeaveGroupProgramme(members.LeaveGroupProgrammeRequest(name=gone_name))
    done = complete(group)
    assert (done.state, done.members) == (pb.GroupProgramme.STATE_COMPLETED, 10)
    drawn = group.leader.GetEmployabilityMap(asked)
    assert list(drawn.rows) == [
        pb.EmployabilityRow(area="network", beginning=5, ready=5),  # without who left
        pb.EmployabilityRow(area="skills", withheld=True),  # all at one level
    ]
    states = [
        person.GetGroupMembership(members.GetGroupMembershipRequest(name=each)).state
        for person, each in people[:2]
    ]
    assert states == [State.STATE_COMPLETED, State.STATE_ENDED]
    assert told(portfolio, name) == ["ACTIVE", "COMPLETED"]
    stranger = portfolio.staff("provider", "organisations/elsewhere")
    assert reason_of(stranger.GetEmployabilityMap, asked) == "NOT_FOUND"
    listing = members.ListMemberProgressRequest(parent=group.name)
    assert reason_of(group.leader.ListMemberProgress, listing) == "WRONG_STATE"
    late = portfolio.person()
    assert reason_of(late.CreateGroupMembership, joining(late, group.name)) == "WRONG_STATE"
    again = pb.CompleteGroupProgrammeRequest(name=group.name)
    assert reason_of(group.leader.CompleteGroupProgramme, again) == "WRONG_STATE"


def told(portfolio: Portfolio, name: str) -> list[str]:
    with transaction(portfolio.app, read_only=True) as tx:
        query = select(outbox.c.payload).where(outbox.c.aggregateid == name).order_by(outbox.c.id)
        return [GroupMembershipMoved.FromString(each).to_state for each in tx.execute(query).scalars()]


def test_after_the_last_day_nobody_joins_and_nothing_is_read(portfolio: Portfolio) -> None:
    group = programme(portfolio)
    joined(portfolio, group)
    assert len(progress(group)) == 1  # control
    over = planned(end_date={"year": 2020, "month": 1, "day": 1}).SerializeToString()
    with transaction(portfolio.app) as tx:
        tx.execute(update(table).where(table.c.id == group.name.rpartition("/")[2]).values(content=over))
    listing = members.ListMemberProgressRequest(parent=group.name)
    assert refused(group.leader.ListMemberProgress, listing).metadata["state"] == "OVER"
    late = portfolio.person()
    assert reason_of(late.CreateGroupMembership, joining(late, group.name)) == "WRONG_STATE"
    assert complete(group).members == 1


def both_join(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two people join a programme of one place at a time: each counts, then waits for the other to have
    counted. Returns the states and refusals."""
    group, people = programme(portfolio, size_limit=1), [portfolio.person(), portfolio.person()]
    counted, get = threading.Barrier(2), group_programmes.get

    def waiting(tx: Transaction, *arguments: Any, **options: Any) -> pb.GroupProgramme:
        found = get(tx, *arguments, **options)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other waits for the lock
            counted.wait(timeout=0.5)
        return found

    monkeypatch.setattr(group_programmes, "get", waiting)

    def one(person: Caller) -> str:
        try:
            return State.Name(person.CreateGroupMembership(joining(person, group.name)).state)
        except grpc.RpcError as error:
            return str(error.code().name)

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(one, people))


def test_the_last_place_is_taken_once(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert both_join(portfolio, monkeypatch) == ["FAILED_PRECONDITION", "STATE_ACTIVE"]


def test_without_the_lock_it_would_be_taken_twice(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    get = group_programmes.get
    monkeypatch.setattr(group_programmes, "get", lambda tx, id_, lock=False: get(tx, id_))
    assert both_join(portfolio, monkeypatch) == ["STATE_ACTIVE", "STATE_ACTIVE"]
