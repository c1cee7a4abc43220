"""Group programmes: the plan that members share, how far they are with it, and counts that name nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from waymark.portfolio.v1.group_membership_pb2 import (
    TASK_STATE_DONE,
    AreaRating,
    GroupMembership,
    TaskProgress,
)
from waymark.portfolio.v1.group_programme_pb2 import (
    EMPLOYABILITY_LEVEL_BEGINNING,
    EMPLOYABILITY_LEVEL_ON_THE_WAY,
    EMPLOYABILITY_LEVEL_READY,
    EmployabilityMap,
    EmployabilityRow,
    GroupProgramme,
)

from services.platform.errors import Violation
from services.portfolio.domain.dates import refuse, to_date
from services.portfolio.domain.states import word, wrong_state

State: TypeAlias = GroupMembership.State.ValueType
SMALLEST = 5  # members that a count must have to be told
_LEVELS = (EMPLOYABILITY_LEVEL_BEGINNING, EMPLOYABILITY_LEVEL_ON_THE_WAY, EMPLOYABILITY_LEVEL_READY)


def tasks_of(programme: GroupProgramme) -> list[str]:
    """Returns the ids of the plan's tasks, in its order."""
    return [task.id for step in programme.steps for task in step.tasks]


def check_plan(programme: GroupProgramme) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for ids that are used twice."""
    areas = (
        (f"areas[{index}].id", [area.id for area in programme.areas], index)
        for index in range(len(programme.areas))
    )
    refuse(
        [
            Violation(f"group_programme.{path}", "is used twice")
            for path, ids, index in (*_places(programme), *areas)
            if ids[index] in ids[:index]
        ]
    )


def _places(programme: GroupProgramme) -> Iterator[tuple[str, list[str], int]]:
    ids, index = tasks_of(programme), 0
    for step, each in enumerate(programme.steps):
        for task in range(len(each.tasks)):
            yield f"steps[{step}].tasks[{task}].id", ids, index
            index += 1


def require_under_way(programme: GroupProgramme, today: date) -> None:
    """Raises Refusal(WRONG_STATE) unless people can join a programme and its leader read how far they are:
    until its last day and while it is not completed."""
    if programme.state != GroupProgramme.STATE_OPEN or today > to_date(programme.end_date):
        over = programme.state == GroupProgramme.STATE_COMPLETED
        raise wrong_state("COMPLETED" if over else "OVER", "OPEN")


def recorded(
    membership: GroupMembership,
    programme: GroupProgramme,
    tasks: Sequence[TaskProgress],
    ratings: Sequence[AreaRating],
) -> GroupMembership:
    """Returns a membership with what its member says now; raises Refusal(INVALID_ARGUMENT) naming what the
    programme does not have."""
    plan, areas = tasks_of(programme), [area.id for area in programme.areas]
    unknown = [
        Violation(f"tasks[{index}].task", "is no task of the plan")
        for index, each in enumerate(tasks)
        if each.task not in plan
    ] + [
        Violation(f"ratings[{index}].area", "is no area of the programme")
        for index, each in enumerate(ratings)
        if each.area not in areas
    ]
    refuse(unknown)
    said = {each.task: each for each in (*membership.tasks, *tasks)}
    rated = {each.area: each for each in (*membership.ratings, *ratings)}
    result = GroupMembership()
    result.CopyFrom(membership)
    del result.tasks[:], result.ratings[:]
    result.tasks.extend(said[task] for task in plan if task in said)
    result.ratings.extend(rated[area] for area in areas if area in rated)
    return result


def done(membership: GroupMembership) -> int:
    """Returns how many tasks a member has done."""
    return sum(each.state == TASK_STATE_DONE for each in membership.tasks)


def outcome(membership: GroupMembership, programme: GroupProgramme) -> State:
    """Returns the state of somebody who was in a programme to its end."""
    whole = done(membership) == len(tasks_of(programme))
    return GroupMembership.STATE_COMPLETED if whole else GroupMembership.STATE_ENDED


def employability_map(programme: GroupProgramme, members: Iterable[GroupMembership]) -> EmployabilityMap:
    """Returns how many members are at each level of each area, where that tells of nobody."""
    counts: dict[str, Counter[int]] = {area.id: Counter() for area in programme.areas}
    for member in members:
        for rating in member.ratings:
            counts[rating.area][rating.level] += 1
    return EmployabilityMap(rows=[_row(area, levels) for area, levels in counts.items()])


def _row(area: str, levels: Mapping[int, int]) -> EmployabilityRow:
    found = [levels.get(level, 0) for level in _LEVELS]
    if not tells_of_nobody(found):
        return EmployabilityRow(area=area, withheld=True)
    beginning, on_the_way, ready = found
    return EmployabilityRow(area=area, beginning=beginning, on_the_way=on_the_way, ready=ready)


def tells_of_nobody(counts: Iterable[int]) -> bool:
    """True when counts can be told, all of them or none: no count is small, and they differ.

    Were all people at one level, the count would tell the level of each of them. A part of a row would not
    do, since who knows how many people there are could work out the rest.
    """
    some = [count for count in counts if count]
    return len(some) > 1 and min(some) >= SMALLEST


def label(state: State) -> str:
    """Returns the name of a state as events and errors carry it: `ACTIVE`."""
    return word(GroupMembership.State, state)
