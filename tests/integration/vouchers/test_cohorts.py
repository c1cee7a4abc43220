"""Whom a version decides: all who apply from its first day on, or only those who come anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from waymark.vouchers.v1 import application_pb2, eligibility_pb2
from waymark.vouchers.v1 import programme_pb2 as pb

from tests.integration.vouchers.test_simulation import simulated
from tests.support.vouchers import NO_EVIDENCE, World, cents, day_message, sample

GUIDANCE = "flemish-career-guidance-voucher"
NEWCOMERS = "COHORT_NEWCOMERS"


@pytest.fixture
def guided(world: World) -> Any:
    """A world in which somebody has spent a first guidance voucher, with a share of 40 euro."""
    made: Any = world
    world.offer(price=55_000, kind="guidance")
    made.plan = world.programme(GUIDANCE, **NO_EVIDENCE)
    made.earlier, voucher = world.voucher(made.plan, world.learner(employment_status="employed"))
    world.accepted(made.earlier, voucher)
    made.second = world.offer("courses/more", price=55_000, kind="guidance")
    return made


def dearer(world: Any, share: int, start: int = 0, **changes: Any) -> str:
    """Drafts a version with another share of the learner, in euro, from `start` days from now on."""
    content = {**sample(GUIDANCE)["version"], **NO_EVIDENCE, **changes}
    content["targetGroups"][0]["fixedShare"]["units"] = str(share)
    version = ParseDict(content, pb.ProgrammeVersion())
    version.effective_date.CopyFrom(day_message(world.today + timedelta(days=start)))
    request = pb.CreateProgrammeVersionRequest(parent=world.plan, version=version)
    return str(world.maker.programmes.CreateProgrammeVersion(request).name)


def activate(world: Any, version: str) -> None:
    """Puts a version in force."""
    world.checker.programmes.ActivateProgrammeVersion(pb.ActivateProgrammeVersionRequest(name=version))


def share_of(world: Any, person: Any) -> tuple[str, int]:
    """Asks what somebody would be granted: the version's number, and the learner's share in cents."""
    request = eligibility_pb2.CheckEligibilityRequest(
        learner=person.learner, programme=world.plan, session=world.second
    )
    found = person.eligibility.CheckEligibility(request)
    return found.programme_version.rpartition("/")[2], cents(found.learner_share)


def test_who_was_granted_before_goes_on_by_their_version(guided: Any) -> None:
    newcomer = guided.learner(employment_status="employed")
    activate(guided, dearer(guided, 80, cohort=NEWCOMERS))
    assert share_of(guided, newcomer) == ("2", 8_000)
    assert share_of(guided, guided.earlier) == ("1", 4_000)
    second = guided.apply(guided.earlier, guided.plan, guided.second)
    assert second.programme_version == f"{guided.plan}/versions/1"
    assert cents(second.learner_share) == 4_000
    replay = application_pb2.ReplayApplicationRequest(name=second.name)
    assert guided.auditor.applications.ReplayApplication(replay).agrees
    activate(guided, dearer(guided, 90))  # for all again
    assert share_of(guided, guided.earlier)[0] == "3"


def test_control_without_a_cohort_a_version_decides_for_all(guided: Any) -> None:
    activate(guided, dearer(guided, 80))
    assert share_of(guided, guided.earlier) == ("2", 8_000)


def test_a_version_begins_with_its_day(guided: Any) -> None:
    newcomer = guided.learner(employment_status="employed")
    activate(guided, dearer(guided, 80, start=1, cohort=NEWCOMERS))
    assert share_of(guided, newcomer) == ("1", 4_000)


def test_a_newcomer_of_one_version_stays_with_it_after_the_next(guided: Any) -> None:
    activate(guided, dearer(guided, 80, cohort=NEWCOMERS))
    newcomer = guided.learner(employment_status="employed")
    guided.accepted(*guided.voucher(guided.plan, newcomer))
    activate(guided, dearer(guided, 90, cohort=NEWCOMERS))
    assert share_of(guided, newcomer) == ("2", 8_000)
    assert share_of(guided, guided.earlier) == ("1", 4_000)


def test_trying_a_version_leaves_out_whom_it_does_not_concern(guided: Any) -> None:
    guided.apply(guided.earlier, guided.plan, guided.second)  # a second grant
    for cohort, changed in ((NEWCOMERS, 1), ("COHORT_ALL", 2)):
        done = simulated(guided, dearer(guided, 80, cohort=cohort))
        counts = done.simulation
        assert (counts.amount_changed_count, counts.unchanged_count) == (changed, 2 - changed)
