"""The guidance of a person: how much help, by whom it was met, and who reads what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import guidance_case_pb2 as pb
from waymark.portfolio.v1.contact_record_pb2 import ContactRecord

from services.platform.errors import Refusal, Violation

# A person who asked for a human has met one after a contact of this kind, and after no other.
BY_A_HUMAN = frozenset(
    {
        pb.CONTACT_CHANNEL_PHONE,
        pb.CONTACT_CHANNEL_VIDEO,
        pb.CONTACT_CHANNEL_IN_PERSON,
        pb.CONTACT_CHANNEL_HOME_VISIT,
    }
)
# How long after a contact the next is due, where the counsellor does not say.
CADENCE = {
    pb.SUPPORT_TIER_SELF_HELP: timedelta(days=90),
    pb.SUPPORT_TIER_STAFF_ASSISTED: timedelta(days=30),
    pb.SUPPORT_TIER_INDIVIDUAL: timedelta(days=14),
}


@dataclass(frozen=True)
class Reader:
    """Who reads a case: its holder, a counsellor who leads it, or one who takes part in it for an
    organisation and reads of what organisations say only the words of that one."""

    is_holder: bool
    leads: bool
    organisation: str

    def reads(self, organisation: str) -> bool:
        """True when they read what this organisation says of contacts and moves."""
        return self.is_holder or self.leads or organisation == self.organisation


def ask_for_human(case: pb.GuidanceCase, channel: pb.ContactChannel.ValueType, now: datetime) -> bool:
    """Notes in `case` that the person wants a human, for the first time at `now` (UTC); refuses nobody.

    Returns whether that brought the case out of self-help.
    """
    if not case.HasField("human_ask_time"):
        case.human_ask_time.FromDatetime(now)
    case.preferred_channel = channel or case.preferred_channel
    moved = case.tier == pb.SUPPORT_TIER_SELF_HELP
    if moved:
        case.tier = pb.SUPPORT_TIER_STAFF_ASSISTED
    return moved


def move(case: pb.GuidanceCase, tier: pb.SupportTier.ValueType) -> None:
    """Moves `case` to another tier; raises Refusal(INVALID_ARGUMENT, HUMAN_ASKED)."""
    if tier == case.tier:
        violation = Violation("tier", "must be another than the present one")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    if tier == pb.SUPPORT_TIER_SELF_HELP and case.HasField("human_ask_time"):
        raise Refusal(reason_pb2.REASON_HUMAN_ASKED)
    case.tier = tier


def note_contact(case: pb.GuidanceCase, contact: ContactRecord) -> None:
    """Takes over into `case` what a contact showed."""
    if contact.channel in BY_A_HUMAN:
        case.ClearField("human_ask_time")
    case.preferred_channel = contact.preferred_channel or case.preferred_channel
    needs = {*case.needs, *contact.needs_found} - {*contact.needs_met}
    case.needs[:] = sorted(needs)
    if contact.contact_time.ToNanoseconds() > case.last_contact_time.ToNanoseconds():
        case.last_contact_time.CopyFrom(contact.contact_time)


def label(tier: pb.SupportTier.ValueType) -> str:
    """Returns the name of a tier as events carry it: `INDIVIDUAL`."""
    return pb.SupportTier.Name(tier).removeprefix("SUPPORT_TIER_")
