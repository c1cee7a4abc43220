"""What the elements of a Leap2A feed say, whatever their namespace: of which thing, and what."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from services.portfolio.formats.elements import brief, words
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import of_markup

# The last one stands behind the address of a web archive in what Mahara writes.
NAMESPACES = ("http://www.cetis.org.uk/leap2/terms/", "http://terms.leapspecs.org/")
# What a text loses that is more than its look.
SHOWN = re.compile(r"<(?:\w+:)?(?:a|img|table|audio|video|object|iframe)[\s/>]", re.IGNORECASE)
_SIZE = re.compile(r"\d{1,12}")
_TEXTS = ("content", "summary")


def is_leap(element: Any) -> bool:
    """Returns whether an element is of Leap2A."""
    return str(etree.QName(element).namespace).endswith(NAMESPACES)


def attribute(element: Any, name: str) -> str:
    """Returns an attribute by its name in whatever namespace; "" without one, or without an element."""
    if element is None:
        return ""
    return next((value for key, value in element.attrib.items() if etree.QName(key).localname == name), "")


def number(text: str) -> int:
    """Returns a number as text; 0 for what is none."""
    return int(text) if _SIZE.fullmatch(text) else 0


def last(name: str) -> str:
    """Returns a name without its prefix or namespace."""
    return re.split("[:/#]", name)[-1]


def text_of(element: Any) -> str:
    """Returns the content of an element, of type text, html or xhtml, as text; "" for any other."""
    kind = element.get("type", "text")
    if kind in ("html", "text/html", "xhtml"):
        return of_markup(markup_of(element))
    if kind in ("text", "text/plain"):
        return "\n".join(each.strip() for each in words(element).strip().split("\n"))
    return ""


def markup_of(element: Any) -> str:
    """Returns the markup of a content; "" of one without."""
    if element.get("type") == "xhtml":
        return "".join(etree.tostring(each, encoding="unicode") for each in element)
    return words(element) if element.get("type") in ("html", "text/html") else ""


def slot(element: Any) -> str:
    """Returns what an element is called: links by their relation, dates by their point, data of a person by
    their field."""
    name = local(element)[:60]
    if name == "link":
        return f"link.{last(element.get('rel', ''))[:60]}"
    if name == "date":
        return f"{attribute(element, 'point')[:60]}_date"
    if name == "persondata":
        return f"persondata.{attribute(element, 'field')[:60]}"
    return name


def text(element: Any) -> str:
    """Returns what an element says, apart from its markup, on one line: of a long text, its SHA-256."""
    return brief(_telling(element))


def _telling(element: Any) -> str:
    name = local(element)
    if name == "link":
        return str(element.get("href", ""))
    if name == "category":
        return f"{last(element.get('scheme', '').rstrip('#'))}#{element.get('term', '')}"
    if name == "type":
        return last(attribute(element, "resource"))
    if name == "status":
        return attribute(element, "stage")
    return text_of(element) if name in _TEXTS else words(element).strip() or attribute(element, "label")


def is_several(name: str) -> bool:
    """Returns whether an item may have several of what is called so."""
    return name in ("category", "type") or name.startswith("link.")


def place(element: Any) -> tuple[str, str]:
    """Returns what is the same of two elements of which an item has one; of what may stand several times,
    also what it says."""
    name = slot(element)
    return name, text(element) if is_several(name) else ""


def wording(element: Any) -> tuple[str, str] | None:
    """Returns what is the same of two elements that say one thing by other names; None without text."""
    name, said = slot(element).partition(".")[0], text(element)
    return ("content" if name == "summary" else name, said) if said else None
