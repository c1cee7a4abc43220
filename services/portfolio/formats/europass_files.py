"""Europass CV 3.4 as XML, valid by its schema, and as JSON: two ways to write one tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats import markup
from services.portfolio.formats.europass import laid
from services.portfolio.formats.europass_reading import read_tree
from services.portfolio.formats.format import IN_JSON, Cv, DocumentBrokenError, Format, Opened, Read

NAMESPACE = "http://europass.cedefop.europa.eu/Europass"
ROOT = "SkillsPassport"
# Lists that XML writes with an element around them.
_WRAPPED = frozenset(
    {
        "Achievement",
        "Attachment",
        "ContactMethod",
        "Education",
        "ForeignLanguage",
        "InstantMessaging",
        "Metadata",
        "MotherTongue",
        "Nationality",
        "Telephone",
        "Website",
        "WorkExperience",
    }
)
_LIST = "List"
_OWN_TEXT = "text"  # of an element that has attributes, too
_NSMAP: Any = {None: NAMESPACE}


def write_json(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, UTF-8."""
    tree = laid(cv).tree
    driving = _driving(tree)
    if isinstance(held := driving.get("Description"), dict) and "Licence" in held:
        driving["Description"] = held["Licence"]
    yield json.dumps({ROOT: tree}, ensure_ascii=False, indent=2).encode()


def read_json(file: BinaryIO, language: str) -> Read:
    """Reads a document; raises DocumentBrokenError."""
    try:
        root = strict_json.parsed(file.read()).get(ROOT)
    except strict_json.UnreadableError as error:
        raise DocumentBrokenError("no JSON object") from error
    if not isinstance(root, dict):
        raise DocumentBrokenError(f"no {ROOT}")
    _join_licences(root)
    return read_tree(root, language)


def _join_licences(root: dict[str, Any]) -> None:
    """Brings licences into the form of XML: the schema lists them, publishers' examples list objects."""
    node = _driving(root)
    if isinstance(node.get("Description"), list):
        node["Description"] = {
            "Licence": [
                each.get("Licence") if isinstance(each, dict) else each for each in node["Description"]
            ]
        }


def _driving(root: dict[str, Any]) -> dict[str, Any]:
    """Returns what a tree says of driving; empty when that is nothing, or no object."""
    node: Any = root
    for key in ("LearnerInfo", "Skills", "Driving"):
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def write_xml(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, UTF-8."""
    tree = laid(cv).tree
    root = etree.Element(f"{{{NAMESPACE}}}{ROOT}", {"locale": tree.pop("Locale")}, nsmap=_NSMAP)
    _put(root, tree)
    yield etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read_xml(file: BinaryIO, language: str) -> Read:
    """Reads a document; raises DocumentBrokenError."""
    return read_root(markup.root_of(file), language)


def read_root(root: Any, language: str) -> Read:
    """The same of its root element."""
    if markup.local(root) != ROOT:
        raise DocumentBrokenError(f"no {ROOT}")
    tree = markup.tree_of(root, _LIST)
    return read_tree(tree if isinstance(tree, dict) else {}, language)


def _put(parent: Any, tree: dict[str, Any]) -> None:
    for key, value in tree.items():
        if key[:1].islower() and isinstance(value, str):
            _put_beside(parent, key, value)
            continue
        listed = isinstance(value, list)
        wrapped = listed and key in _WRAPPED
        around = etree.SubElement(parent, f"{{{NAMESPACE}}}{key}{_LIST}") if wrapped else parent
        for item in value if listed else [value]:
            _put_one(around, key, item)


def _put_beside(element: Any, key: str, value: str) -> None:
    """Puts an attribute, which is what has a small letter in this schema, or the text of an element."""
    if key == _OWN_TEXT:
        element.text = value
    else:
        element.set(key, value)


def _put_one(parent: Any, key: str, value: Any) -> None:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{key}")
    if isinstance(value, dict) and "Year" in value:
        element.set("year", f"{value['Year']:04}")
        if "Month" in value:
            element.set("month", f"--{value['Month']:02}")
        if "Day" in value:
            element.set("day", f"---{value['Day']:02}")
    elif isinstance(value, dict):
        _put(element, value)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else value


def left_out(cv: Cv) -> list[tuple[str, str]]:
    """Returns (resource name, path) of what was set aside and is not in the document."""
    return laid(cv).left_out


XML = Format("application/xml", write_xml, read_xml, left_out=left_out)
JSON = Format("application/json", write_json, read_json, most_bytes=IN_JSON, left_out=left_out)
