"""What a course says of itself beyond its sessions: modules with levels, whom it is for, territories, who
awards.

They stand in documents only where there are any: `modules` (`title` with `eqf` or a `level` of the partner's
own), `target_groups` and `territories` (short names or codes, as the partner writes them), `awarding_body`
(the name of who awards what the course leads to, where the partner says it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Document = dict[str, Any]

KINDS = ("course", "exam", "guidance", "workshop")
MAX_MODULES = 100
MAX_TAGS = 30
MAX_NAME = 200  # characters of who awards
_EQF = re.compile(r"EQF ?([1-8])", re.IGNORECASE)


def module(title: str, level: str) -> Document:
    """Returns a module; `EQF 4` counts as level of the framework, anything else as the partner's own."""
    found = _EQF.fullmatch(level)
    if found:
        return {"title": title, "eqf": int(found[1])}
    return {"title": title, "level": level} if level else {"title": title}


def level_text(of: Document) -> str:
    """Returns the level of a module as `module` reads it, "" for none."""
    return f"EQF {of['eqf']}" if "eqf" in of else str(of.get("level", ""))


def features(
    modules: Iterable[Document], target_groups: Iterable[str], territories: Iterable[str]
) -> Document:
    """Returns the part of a document, each tag once and in small letters, without what is empty."""
    found: Document = {
        "modules": [each for each in modules if each["title"]][:MAX_MODULES],
        "target_groups": _tags(each.lower() for each in target_groups),
        "territories": _tags(territories),
    }
    return {key: value for key, value in found.items() if value}


def awarding_body(name: str) -> Document:
    """Returns the part of a document that says who awards; none for an empty name."""
    return {"awarding_body": name} if name else {}


def _tags(found: Iterable[str]) -> list[str]:
    return sorted(set(filter(None, found)))[:MAX_TAGS]
