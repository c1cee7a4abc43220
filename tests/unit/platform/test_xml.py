"""XML from outside: a document type is found before anything behind it is parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from lxml import etree

from services.platform import xml

ENTITY = b"<!DOCTYPE r [<!ENTITY e '<inner>text</inner>'>]>"
GOOD = b"<?xml version='1.0'?><!-- one --><r>text<inner>more</inner></r>"
BAD = GOOD.replace(b"<r>text", ENTITY + b"<r>&e;")


def parsed(events: Iterable[tuple[str, Any]]) -> list[str]:
    """Tags of the elements of a document, as they end."""
    return [element.tag for _, element in events]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_comes_through_as_it_is(size: int, encoding: str) -> None:
    document = GOOD.decode().encode(encoding)
    chunks = [document[start : start + size] for start in range(0, len(document), size)]
    assert b"".join(xml.pieces(chunks)) == document
    assert parsed(xml.events(chunks, ("end",))) == ["inner", "r"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_nothing_behind_a_document_type_is_parsed(encoding: str) -> None:
    document, passed = BAD.decode().encode(encoding), list[bytes]()
    with pytest.raises(xml.DoctypeError):
        passed.extend(xml.pieces([document]))
    content = BAD.decode().partition("&e;")[0].encode(encoding)
    assert b"".join(passed) == content[:-1]  # the last byte of the start tag was looked at, not passed on


def test_control_fed_whole_the_entity_is_parsed_before_anybody_could_look() -> None:
    parser = xml.parser(("end",))
    parser.feed(BAD)
    assert parsed(parser.read_events()).count("inner") == 2


def test_a_prolog_without_end_is_none() -> None:
    with pytest.raises(xml.PrologError):
        list(xml.pieces([b"<!--", b"x" * xml.MAX_PROLOG]))
    with pytest.raises(etree.XMLSyntaxError):
        list(xml.pieces([b"no xml at all"]))
