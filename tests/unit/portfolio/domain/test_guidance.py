"""Rules of guidance without a database: tiers, asking for a human, what a contact teaches, who reads what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import guidance_case_pb2 as pb
from waymark.portfolio.v1.contact_record_pb2 import ContactRecord

from services.platform.errors import Refusal
from services.portfolio.domain import guidance

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SELF_HELP, ASSISTED, INDIVIDUAL = (
    pb.SUPPORT_TIER_SELF_HELP,
    pb.SUPPORT_TIER_STAFF_ASSISTED,
    pb.SUPPORT_TIER_INDIVIDUAL,
)


@pytest.mark.parametrize(
    ("tier", "after"), [(SELF_HELP, ASSISTED), (ASSISTED, ASSISTED), (INDIVIDUAL, INDIVIDUAL)]
)
def test_asking_for_a_human_never_lowers_and_keeps_the_first_time(tier: int, after: int) -> None:
    case = pb.GuidanceCase(tier=tier)  # type: ignore[arg-type]
    assert guidance.ask_for_human(case, pb.CONTACT_CHANNEL_UNSPECIFIED, NOW) == (tier != after)
    assert not guidance.ask_for_human(case, pb.CONTACT_CHANNEL_PHONE, NOW + timedelta(days=1))
    assert (case.tier, case.human_ask_time.ToDatetime(tzinfo=UTC)) == (after, NOW)
    assert case.preferred_channel == pb.CONTACT_CHANNEL_PHONE


@pytest.mark.parametrize("channel", [each for each in pb.ContactChannel.values() if each])
def test_only_a_human_answers_who_asked_for_one(channel: int) -> None:
    case = pb.GuidanceCase(tier=ASSISTED)
    guidance.ask_for_human(case, pb.CONTACT_CHANNEL_UNSPECIFIED, NOW)
    guidance.note_contact(case, ContactRecord(channel=channel))  # type: ignore[arg-type]
    if channel in guidance.BY_A_HUMAN:
        guidance.move(case, SELF_HELP)
    else:
        with pytest.raises(Refusal) as refused:
            guidance.move(case, SELF_HELP)
        assert refused.value.reason == reason_pb2.REASON_HUMAN_ASKED
        guidance.move(case, INDIVIDUAL)  # more help is always possible


def test_each_tier_has_a_cadence() -> None:
    assert guidance.CADENCE.keys() == {each for each in pb.SupportTier.values() if each}
    assert guidance.CADENCE[INDIVIDUAL] < guidance.CADENCE[ASSISTED] < guidance.CADENCE[SELF_HELP]


def reader(organisation: str = "", *, is_holder: bool = False, leads: bool = False) -> guidance.Reader:
    return guidance.Reader(is_holder, leads, organisation)


@pytest.mark.parametrize(
    ("who", "own", "others"),
    [
        (reader(is_holder=True), True, True),
        (reader("organisations/a", leads=True), True, True),
        (reader("organisations/a"), True, False),
        (reader(), False, False),
    ],
)
def test_who_takes_part_reads_the_words_of_their_own(who: guidance.Reader, own: bool, others: bool) -> None:
    assert (who.reads("organisations/a"), who.reads("organisations/b")) == (own, others)
