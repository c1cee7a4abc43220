"""Texts of feeds that hold HTML, made plain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

# A known element or an entity; `a < b` and `x<y>` are prose and stay as they are.
_MARKUP = re.compile(
    r"</?(?:p|br|b|i|u|s|em|strong|span|div|ul|ol|li|a|h[1-6]|hr|table|thead|tbody|tr|td|th|font|img|sup|sub|pre"
    r"|code|blockquote|section|article|script|style|iframe|html|body|dl|dt|dd|small|center)(?=[\s/>])"
    r"|&(?:[a-zA-Z]{2,8}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});",
    re.IGNORECASE,
)
_INLINE = frozenset(("a", "b", "code", "em", "font", "i", "s", "small", "span", "strong", "sub", "sup", "u"))
_SILENT = frozenset(("script", "style", "iframe"))


def without_markup(text: str) -> str:
    """Returns the text of HTML, blocks apart by a space, scripts and styles left out; other text as it is."""
    if ("<" not in text and "&" not in text) or not _MARKUP.search(text):
        return text
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(f"<div>{text}</div>", parser)
    except (etree.XMLSyntaxError, ValueError):  # NUL, or nothing left of it
        return _MARKUP.sub(" ", text)
    return text if root is None else "".join(_texts(root))


def _texts(root: Any) -> Iterator[str]:
    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if name not in _INLINE:
            yield " "
        if event == "start":
            silent += name in _SILENT
            said = element.text
        else:
            silent -= name in _SILENT
            said = element.tail
        if said and not silent:
            yield said
