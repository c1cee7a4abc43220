"""What was read, made to fit the contract: a field that breaks a rule is left out and told, nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

from google.protobuf.message import Message

from services.platform.errors import Refusal
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio.domain import deadlines
from services.portfolio.domain.dates import check_date, check_moment, check_period

_DATES = ("start_date", "end_date", "birth_date", "assert_date", "last_used_date", "entry_date")
_WHOLE = ("birth_date", "entry_date")
_DETAILS = ("certificate", "driving_licence")


def fit(message: Any, path: str) -> Counter[str]:
    """Clears every field of a part of a portfolio that the service would refuse; returns their paths."""
    left: Counter[str] = Counter()
    # Then with what they are part of, where it does not do without them; a rule may also hold back another.
    for broken in (_wrong_dates, _broken, _broken_parts, _broken_parts):
        for field in broken(message):
            _clear(message, field.split("."))
            left[f"{path}.{field}"] += 1
    return left


def _broken_parts(message: Message) -> list[str]:
    return sorted({field.partition(".")[0] for field in _broken(message)})


def _clear(message: Any, path: list[str]) -> None:
    """Clears the field at a path, where it is there."""
    name, *below = path
    if name not in message.DESCRIPTOR.fields_by_name:
        return
    if below:
        _clear(getattr(message, name), below)
    else:
        message.ClearField(name)


def _broken(message: Message) -> list[str]:
    """Returns the fields that break a rule, lists and maps as a whole; the detail, where the rule is on the
    entry."""
    fields = {each.field.partition("[")[0] for each in violations_of(message)}
    if "" in fields:
        fields = fields - {""} | {str(message.WhichOneof("detail"))}
    return sorted(fields)


def _wrong_dates(message: Any) -> list[str]:
    fields = message.DESCRIPTOR.fields_by_name
    given = [field for field in _DATES if field in fields and message.HasField(field)]
    wrong = [each for each in given if check_date(each, getattr(message, each), partial=each not in _WHOLE)]
    for detail in (each for each in _DETAILS if each in fields and message.HasField(each)):
        held = getattr(message, detail)
        if held.HasField("expire_date") and check_date("", held.expire_date):
            wrong.append(f"{detail}.expire_date")
    if "deadline" in fields and message.HasField("deadline") and deadlines.check("", message.deadline):
        wrong.append("deadline")
    if "entry_time" in fields and message.HasField("entry_time"):
        try:
            check_moment("entry_time", message.entry_time, message.entry_date)
        except Refusal:
            wrong.append("entry_time")
    if not wrong and "end_date" in given:
        try:
            check_period(("start_date", message.start_date), ("end_date", message.end_date))
        except Refusal:
            wrong.append("end_date")
    return wrong
