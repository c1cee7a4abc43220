"""Agreements: what their form demands, who may look after them, which states follow each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation, invalid


class Form(IntEnum):
    """What kind of word was given, with the numbers of the contract."""

    INFORMAL = 1
    MEMORANDUM_OF_UNDERSTANDING = 2
    FORMAL = 3
    LEGALLY_BINDING = 4


class State(IntEnum):
    """Where an agreement stands, with the numbers of the contract."""

    DRAFT = 1
    ACTIVE = 2
    ENDED = 3


class EndReason(IntEnum):
    """Why an agreement ended, with the numbers of the contract; those that only the service gives."""

    TERM = 1
    GIVEN_UP = 5


REVIEW_MONTHS = 12  # from one review to the next, at most

KEEPERS = frozenset({"owner", "monitor"})  # they change while it is in force, as people come and go

# Fields that an agreement must have before it comes into force; `end_date` is its term.
DEMANDS: dict[Form, tuple[str, ...]] = {
    Form.INFORMAL: (),
    Form.MEMORANDUM_OF_UNDERSTANDING: ("standards",),
    Form.FORMAL: ("standards", "end_date"),
    Form.LEGALLY_BINDING: ("volumes", "standards", "end_date"),
}


def check_complete(form: Form, present: Collection[str]) -> None:
    """Raises Refusal(AGREEMENT_INCOMPLETE) naming each field the form demands that is not in `present`."""
    missing = [field for field in DEMANDS[form] if field not in present]
    if missing:
        demanded = f"is demanded by the form {form.name}"
        raise Refusal(
            reason_pb2.REASON_AGREEMENT_INCOMPLETE,
            violations=[Violation(f"agreement.{field}", demanded) for field in missing],
            metadata={"form": form.name, "missing": ",".join(missing)},
        )


def check_pes(parties: Iterable[Collection[str]], services: Collection[str]) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless a public employment service, where there is any, is a party or
    above one. `parties`: of each its id with those above it; `services`: ids."""
    if services and all(set(services).isdisjoint(each) for each in parties):
        names = " or ".join(f"organisations/{each}" for each in sorted(services))
        raise invalid("agreement.parties", f"must have the public employment service among them: {names}")


def faults(
    parties: Sequence[str], owner: str, monitor: str, start: date | None, end: date | None
) -> list[Violation]:
    """Returns what is wrong with who agrees, with who looks after it (UUIDs, however written), and with its
    days."""
    found = []
    if len({*parties}) < len(parties):
        found.append(Violation("agreement.parties", "must be different organisations"))
    if owner.lower() == monitor.lower():
        found.append(Violation("agreement.monitor", "must be another person than the owner"))
    if start and end and end < start:
        found.append(Violation("agreement.end_date", "must not be before start_date"))
    return found


def check_state(state: int, *needed: State) -> None:
    """Raises Refusal(WRONG_STATE) unless the agreement is in one of the states."""
    if state not in needed:
        wanted = ",".join(each.name for each in needed)
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": State(state).name, "needed": wanted})


def check_change(state: int, fields: Collection[str]) -> None:
    """Raises Refusal(WRONG_STATE) unless these fields may change: all of a draft, and who looks after an
    agreement in force."""
    check_state(state, State.DRAFT, *([State.ACTIVE] if KEEPERS.issuperset(fields) else []))


def check_activation(state: int, drafted_by: str, caller: str, end: date | None, today: date) -> None:
    """Raises Refusal WRONG_STATE or SAME_PERSON unless the caller may put the agreement in force today."""
    check_state(state, State.DRAFT)
    if drafted_by == caller:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
    if end and end < today:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "OVER", "needed": State.DRAFT.name})
