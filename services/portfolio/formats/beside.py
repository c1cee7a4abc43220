"""What a format has no word for and yet leaves a place: the rest of an entry or claim, in the words of the
contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

from services.portfolio.formats.texts import cleaned
from services.portfolio.store.collection import bare

M = TypeVar("M", bound=Message)
KEY = "waymark"
_OURS = ("freshness",)  # counted anew each day


def rest(message: Any, said: Iterable[str], language: str = "", text: str = "description") -> dict[str, Any]:
    """Returns as JSON what is set beside the fields `said` and beside the `text` in `language`."""
    copy = bare(message)
    for field in (*said, *_OURS):
        if field in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(field)
    if language:
        getattr(copy, text).pop(language, None)
    found: dict[str, Any] = _ordered(cleaned(MessageToDict(copy)))
    return found


def _ordered(value: Any) -> Any:
    """Returns objects in the order of their names: a map of the contract has none, a document has one."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in sorted(value.items())}
    return value


def beside(value: Any, message: type[M]) -> M | None:
    """Returns the message of such a rest, without what only the service gives; None when it is none."""
    if value is None:
        return message()
    try:
        return bare(ParseDict(value, message(), max_recursion_depth=10))
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
        return None
