"""The shared plan, progress on it, and which counts tell of nobody."""

from __future__ import annotations

from datetime import date

import pytest
from waymark.portfolio.v1 import group_membership_pb2 as members
from waymark.portfolio.v1 import group_programme_pb2 as pb

from services.platform.errors import Refusal
from services.portfolio.domain import groups
from tests.support.groups import DONE, STARTED, planned, saying

BEGINNING, ON_THE_WAY, READY = 1, 2, 3


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((5, 5, 0), True),
        ((5, 6, 9), True),
        ((0, 0, 0), False),
        ((20, 0, 0), False),  # all at one level: the count tells everybody's
        ((4, 16, 0), False),
        ((1, 9, 10), False),
    ],
)
def test_a_row_is_told_whole_or_not_at_all(counts: tuple[int, ...], told: bool) -> None:
    assert groups.tells_of_nobody(counts) is told


def test_the_map_counts_members_and_names_nobody() -> None:
    programme = planned(state=pb.GroupProgramme.STATE_OPEN)
    plain = members.GroupMembership(group_programme="groupProgrammes/1")

    def rated(network: int, skills: int) -> members.GroupMembership:
        return groups.recorded(
            plain, programme, (), saying("x", ratings={"network": network, "skills": skills}).ratings
        )

    people = [rated(BEGINNING, READY) for _ in range(5)] + [rated(READY, READY) for _ in range(6)]
    drawn = groups.employability_map(programme, [*people, rated(READY, BEGINNING), plain])
    assert list(drawn.rows) == [
        pb.EmployabilityRow(area="network", beginning=5, ready=7),
        pb.EmployabilityRow(area="skills", withheld=True),
    ]
    known = {field.name for field in pb.EmployabilityRow.DESCRIPTOR.fields}
    assert known == {"area", "beginning", "on_the_way", "ready", "withheld"}


def test_without_the_rule_a_count_would_tell_of_one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""
    monkeypatch.setattr(groups, "tells_of_nobody", lambda counts: True)
    programme, rated = planned(), saying("x", ratings={"network": READY}).ratings
    alone = groups.recorded(members.GroupMembership(), programme, (), rated)
    assert groups.employability_map(programme, [alone]).rows[0].ready == 1


def test_what_is_said_later_counts_and_the_rest_stays() -> None:
    programme, member = planned(), members.GroupMembership(display_name="Ada")
    first = groups.recorded(member, programme, saying("x", {"visit": STARTED, "cv": DONE}).tasks, ())
    second = groups.recorded(first, programme, saying("x", {"visit": DONE}).tasks, ())
    assert [(each.task, each.state) for each in second.tasks] == [("cv", DONE), ("visit", DONE)]
    assert (groups.done(first), groups.done(second)) == (1, 2)
    assert groups.outcome(second, programme) == members.GroupMembership.STATE_ENDED
    whole = groups.recorded(second, programme, saying("x", {"strengths": DONE}).tasks, ())
    assert groups.outcome(whole, programme) == members.GroupMembership.STATE_COMPLETED
    with pytest.raises(Refusal) as caught:
        groups.recorded(
            member, programme, saying("x", {"dance": DONE}).tasks, saying("x", None, {"x": 1}).ratings
        )
    assert [each.field for each in caught.value.violations] == ["tasks[0].task", "ratings[0].area"]


def test_ids_are_unique_over_all_steps() -> None:
    groups.check_plan(planned())
    task = pb.PlanTask(id="cv", title="Again")
    twice = planned(areas=[pb.EmployabilityArea(id="a", title="A"), pb.EmployabilityArea(id="a", title="A")])
    twice.steps.add(title="More", tasks=[task])
    with pytest.raises(Refusal) as caught:
        groups.check_plan(twice)
    assert [each.field for each in caught.value.violations] == [
        "group_programme.steps[2].tasks[0].id",
        "group_programme.areas[1].id",
    ]


def test_it_is_under_way_to_its_last_day() -> None:
    programme = planned(end_date={"year": 2026, "month": 5, "day": 31}, state=pb.GroupProgramme.STATE_OPEN)
    groups.require_under_way(programme, date(2026, 5, 31))
    with pytest.raises(Refusal):
        groups.require_under_way(programme, date(2026, 6, 1))
    programme.state = pb.GroupProgramme.STATE_COMPLETED
    with pytest.raises(Refusal):
        groups.require_under_way(programme, date(2026, 5, 1))
