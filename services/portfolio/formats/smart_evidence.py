"""Frameworks of Mahara SmartEvidence: `.matrix` files, JSON with standards, their elements and levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from waymark.portfolio.v1 import framework_pb2 as pb

from services.platform.errors import Refusal
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio.domain import frameworks
from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats.format import DocumentBrokenError
from services.portfolio.formats.texts import of_markup

_READ = {
    "framework": {"name", "description", "selfassess", "evidencestatuses", "standards", "standardelements"},
    "standards": {"shortname", "name", "description", "standardid"},
    "standardelements": {"shortname", "name", "description", "standardid", "elementid", "parentelementid"},
}


class Read(NamedTuple):
    """What was read: a version without a name, and how often what has no place in it was found, by path."""

    version: pb.FrameworkVersion
    left: Counter[str]


def read(content: bytes, language: str) -> Read:
    """Reads a file whose texts are in `language`; raises DocumentBrokenError."""
    try:
        framework = strict_json.parsed(content).get("framework")
    except strict_json.UnreadableError as error:
        raise DocumentBrokenError("no JSON object that all readers read alike") from error
    if not isinstance(framework, dict):
        raise DocumentBrokenError("no framework")
    found = pb.FrameworkVersion(
        titles=_said(framework, "name", language),
        descriptions=_said(framework, "description", language),
        self_assessed=framework.get("selfassess") is True,
    )
    left = _unknown(framework, "framework", "")
    for each in _parts(framework, "standards"):
        left += _unknown(each, "standards", "standards.")
        found.standards.add(id=_id(each, "standardid"), **_texts(each, language))
    for each in _parts(framework, "standardelements"):
        left += _unknown(each, "standardelements", "standardelements.")
        ids = {"id": _id(each, "elementid"), "standard": _id(each, "standardid")}
        found.elements.add(parent=_id(each, "parentelementid"), **ids, **_texts(each, language))
    for each in _parts(framework, "evidencestatuses"):
        for state, title in each.items():
            found.levels.add(id=state, titles=_said({"name": title}, "name", language))
    _check(found)
    return Read(found, left)


def _check(found: pb.FrameworkVersion) -> None:
    """Raises DocumentBrokenError, naming the first place, for what the service would not take."""
    wrong = [each.field for each in violations_of(found)]
    if not wrong:
        try:
            frameworks.check(found)
        except Refusal as refusal:
            wrong = [each.field for each in refusal.violations]
    if wrong:
        raise DocumentBrokenError(f"something that a framework cannot have at {wrong[0] or 'the top'}")


def _parts(framework: dict[str, Any], field: str) -> Iterator[dict[str, Any]]:
    listed = framework.get(field, [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise DocumentBrokenError(f"no list of objects at {field}")
    yield from listed


def _unknown(part: dict[str, Any], kind: str, path: str) -> Counter[str]:
    return Counter(f"{path}{field}" for field in part if field not in _READ[kind])


def _texts(part: dict[str, Any], language: str) -> dict[str, dict[str, str]]:
    return {
        "titles": _said(part, "name", language),
        "short_titles": _said(part, "shortname", language),
        "descriptions": _said(part, "description", language),
    }


def _said(part: dict[str, Any], field: str, language: str) -> dict[str, str]:
    text = of_markup(_plain(part.get(field, "")))
    return {language: text} if text else {}


def _id(part: dict[str, Any], field: str) -> str:
    """Returns an id, which files write as a number or as a text; "" without one."""
    value = part.get(field)
    return "" if value is None else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DocumentBrokenError("something else where a text is to be")
    return str(value)
