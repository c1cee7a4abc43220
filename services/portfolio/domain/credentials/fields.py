"""Reading the loose JSON of credentials: one or many, text or object, dates of every kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# Written with https too, where a person copied the address of the page.
_ESCO_SKILL = re.compile(r"https?://(data\.europa\.eu/esco/skill/[\w-]{1,200})", re.ASCII)


def many(value: Any) -> list[Any]:
    """Returns a list of what may stand alone; nothing is an empty one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def types(value: Any) -> frozenset[str]:
    """Returns the types of an object, under `type` or `@type`."""
    if not isinstance(value, Mapping):
        return frozenset()
    return frozenset(str(each) for each in many(value.get("type", value.get("@type"))))


def id_of(value: Any) -> str:
    """Returns the id of what may be given by its id alone."""
    found = value.get("id", value.get("@id", "")) if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else ""


def text(value: Any, most: int = 500) -> str:
    """Returns a text of at most so many characters; of texts by language the English one, else the first."""
    if isinstance(value, Mapping):
        value = value.get("en") or next(iter(value.values()), "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return value[:most] if isinstance(value, str) else ""


def esco_skills(achievement: Any) -> list[str]:
    """Returns the first 50 skills of ESCO that an achievement of Open Badges is aligned with, each once."""
    aligned = many(achievement.get("alignment")) if isinstance(achievement, Mapping) else []
    addresses = [each.get("targetUrl") for each in aligned if isinstance(each, Mapping)]
    found = [_ESCO_SKILL.fullmatch(address) for address in addresses if isinstance(address, str)]
    return list(dict.fromkeys(f"http://{match[1]}" for match in found if match))[:50]


def first(document: Mapping[str, Any], *names: str) -> Any:
    """Returns the first of some fields that is there."""
    return next((document[name] for name in names if name in document), None)


def moment(value: Any) -> datetime | None:
    """Returns a time as UTC, None when there is none; raises ValueError for what is no time."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(str(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
