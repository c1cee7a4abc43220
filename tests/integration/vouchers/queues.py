"""What tests do with waiting lists: join, look, accept, leave, and give back what others wait for."""

from __future__ import annotations

from typing import Any

from waymark.vouchers.v1 import voucher_pb2
from waymark.vouchers.v1 import waiting_list_pb2 as pb

from tests.support.vouchers import NO_EVIDENCE, Person, World, request_id

Entry = pb.WaitingListEntry
Waiter = tuple[Person, str]


def join(person: Person, application: str) -> Any:
    return person.waiting.JoinWaitingList(
        pb.JoinWaitingListRequest(name=application, request_id=request_id())
    )


def entry(person: Person, name: str) -> Any:
    return person.waiting.GetWaitingListEntry(pb.GetWaitingListEntryRequest(name=name))


def accept(person: Person, name: str) -> Any:
    request = pb.AcceptWaitingListOfferRequest(name=name, request_id=request_id())
    return person.waiting.AcceptWaitingListOffer(request)


def leave(person: Person, name: str) -> Any:
    request = pb.LeaveWaitingListRequest(name=name, request_id=request_id())
    return person.waiting.LeaveWaitingList(request)


def empty(world: World, **changes: Any) -> tuple[str, Person, str]:
    """A programme whose only money is one voucher's, and who has it."""
    programme = world.programme(fund=100_000, **{**NO_EVIDENCE, **changes})
    return programme, *world.voucher(programme)


def waiters(world: World, programme: str, count: int) -> list[Waiter]:
    """People who wait, in this order."""
    found = []
    for _ in range(count):
        person = world.learner()
        application = world.apply(person, programme)
        assert list(application.reason_codes) == ["BUDGET_EXHAUSTED"]
        found.append((person, join(person, application.name).name))
    return found


def states(found: list[Waiter]) -> list[str]:
    return [Entry.State.Name(entry(*each).state).removeprefix("STATE_") for each in found]


def give_back(person: Person, voucher: str) -> None:
    person.vouchers.CancelVoucher(voucher_pb2.CancelVoucherRequest(name=voucher))
