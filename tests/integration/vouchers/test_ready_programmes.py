"""Rules of ready programmes that rest on what the database knows: vouchers before, the need on the day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import programme_pb2

from services.platform.db.transaction import transaction
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_replay import differing
from tests.support.vouchers import NO_EVIDENCE, World, cents, day_message, sample

GUIDANCE, JOB_VEU = "flemish-career-guidance-voucher", "danish-job-veu"
NEWCOMERS = "flemish-career-guidance-voucher-newcomers"


def test_a_second_guidance_voucher_comes_only_after_the_first_and_a_third_never(world: World) -> None:
    programme = world.programme(GUIDANCE, **NO_EVIDENCE)
    learner = world.learner(employment_status="employed")
    sessions = [world.offer(f"courses/talk-{n}", price=55_000, kind="guidance") for n in range(4)]
    first = world.apply(learner, programme, sessions[0])
    assert (cents(first.amount), cents(first.learner_share)) == (51_000, 4_000)
    early = world.apply(learner, programme, sessions[1])
    assert list(early.reason_codes) == ["EARLIER_VOUCHER_UNUSED"]
    spend(world, learner, first.voucher, sessions[0])
    second = world.apply(learner, programme, sessions[1])
    assert cents(second.amount) == 51_000
    spend(world, learner, second.voucher, sessions[1])
    third = world.apply(learner, programme, sessions[2])
    assert list(third.reason_codes) == ["GRANT_LIMIT_REACHED"]
    with transaction(world.app) as tx:
        long_ago = "UPDATE applications SET decided_on = decided_on - 2200 WHERE voucher_id = :voucher"
        tx.execute(text(long_ago), {"voucher": first.voucher.rpartition("/")[2]})
    assert cents(world.apply(learner, programme, sessions[3]).amount) == 51_000
    assert [differing(world, item) for item in (early, second, third)] == [{}, {}, {}]


def spend(world: World, learner: object, voucher: str, session: str) -> None:
    """Uses a voucher up."""
    world.session = session
    world.accepted(learner, voucher)  # type: ignore[arg-type]


def test_a_voucher_that_ended_unused_stands_in_nobodys_way(world: World) -> None:
    programme = world.programme(GUIDANCE, **NO_EVIDENCE)
    learner = world.learner(employment_status="employed")
    sessions = [world.offer(f"courses/talk-{n}", price=55_000, kind="guidance") for n in range(2)]
    first = world.apply(learner, programme, sessions[0])
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE vouchers SET expires_at = now() - interval '1 second'"))
    assert first.voucher
    assert world.apply(learner, programme, sessions[1]).voucher


@pytest.mark.parametrize(("begins", "newcomer_pays"), [(-1, 4_500), (0, 4_500), (1, 4_000)])
def test_from_its_day_on_the_next_version_is_for_who_comes_anew(
    world: World, begins: int, newcomer_pays: int
) -> None:
    sessions = [world.offer(f"courses/talk-{n}", price=55_000, kind="guidance") for n in range(2)]
    programme = world.programme(GUIDANCE, **NO_EVIDENCE)
    known = world.learner(employment_status="employed")
    spend(world, known, world.apply(known, programme, sessions[0]).voucher, sessions[0])
    further(world, programme, {**sample(NEWCOMERS)["version"], **NO_EVIDENCE}, begins)
    second = world.apply(known, programme, sessions[1])
    anew = world.apply(world.learner(employment_status="employed"), programme, sessions[1])
    assert (cents(second.learner_share), second.programme_version) == (4_000, f"{programme}/versions/1")
    assert cents(anew.learner_share) == newcomer_pays
    assert [differing(world, item) for item in (second, anew)] == [{}, {}]


def further(world: World, programme: str, content: dict[str, Any], begins: int) -> None:
    """Puts a further version in force, from so many days from today on."""
    version = ParseDict(content, programme_pb2.ProgrammeVersion())
    version.effective_date.CopyFrom(day_message(world.today + timedelta(days=begins)))
    drafting = programme_pb2.CreateProgrammeVersionRequest(parent=programme, version=version)
    name = world.maker.programmes.CreateProgrammeVersion(drafting).name
    activating = programme_pb2.ActivateProgrammeVersionRequest(name=name)
    world.checker.programmes.ActivateProgrammeVersion(activating)


def test_a_need_that_has_gone_stops_the_reservation(world: World) -> None:
    world.offer(start=world.today + timedelta(days=30))
    learner = world.learner()
    granted = world.apply(learner, world.programme(JOB_VEU, **NO_EVIDENCE))
    rule = {**sample(JOB_VEU)["version"]["shortageRule"], "checkAtReservation": False}
    unchecked = world.learner()
    control = world.apply(unchecked, world.programme(JOB_VEU, shortageRule=rule, **NO_EVIDENCE))
    world.list_shortage(isco="9999")
    assert refused(lambda: world.reserve(learner, granted.voucher)) == "VOUCHER_NOT_FOR_SESSION"
    assert world.reserve(unchecked, control.voucher).name
    world.list_shortage(isco="7212")
    assert world.reserve(learner, granted.voucher).name
    assert differing(world, granted) == {}
