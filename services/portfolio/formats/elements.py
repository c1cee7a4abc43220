"""Elements of XML, as they are compared with what is written of them, set aside and put back."""

from __future__ import annotations

import hashlib
import io
import json
from copy import deepcopy
from typing import Any

from lxml import etree

from services.portfolio.formats.markup import local, root_of
from services.portfolio.formats.texts import line

_LONG = 100  # characters of a text that is compared as it is


def words(element: Any) -> str:
    """Returns what an element says, around comments in it."""
    return str(element.xpath("string()"))


def says(element: Any) -> bool:
    """Returns whether an element says anything."""
    return bool(words(element).strip() or any(each.keys() not in ([], ["type"]) for each in element.iter()))


def form(element: Any) -> Any:
    """Returns what is the same of two elements that say the same in the same way; blanks are of no matter,
    nor is that a text is one."""
    told = {etree.QName(key).localname: value for key, value in element.items()}
    if told.get("type") == "text":
        del told["type"]
    own = (element.text or "", *(each.tail or "" for each in element))
    below = tuple(form(each) for each in element if local(each))
    return local(element), frozenset(told.items()), line(" ".join(own)), below


def brief(text: str) -> str:
    """Returns a text on one line as it is compared: of a long one, its SHA-256."""
    found = line(text)
    return found if len(found) <= _LONG else hashlib.sha256(found.encode()).hexdigest()


def as_text(element: Any) -> str:
    """Returns an element as XML that stands alone."""
    alone = deepcopy(element)  # it declares what it uses, and nothing else
    return str(etree.tostring(alone, encoding="unicode", with_tail=False))


def of_content(content: str) -> Any:
    """Returns the element of the content of a remainder that is XML."""
    return root_of(io.BytesIO(json.loads(content).encode()))
