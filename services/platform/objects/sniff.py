"""Tells from its first bytes whether a file can be of the type it claims."""

from __future__ import annotations

import codecs

import filetype

HEAD = 8192  # bytes that are looked at
TEXTS = frozenset({"text/plain", "text/csv", "application/json", "application/xml", "text/xml"})
ANYTHING = "application/octet-stream"
# Markup that a browser would run, whatever the type says.
_ACTIVE = (b"<!doctype html", b"<html", b"<script", b"<svg", b"<head", b"<body", b"<iframe", b"javascript:")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def kind_of(head: bytes) -> str:
    """Returns the media type whose signature a file begins with; "" for none."""
    return filetype.guess_mime(head[:HEAD]) or ""


def fits(content_type: str, head: bytes) -> bool:
    """True when a file beginning with `head` (at most HEAD bytes are looked at) can be `content_type`.

    Binary types must have their signature. Texts must have none, no NUL byte outside UTF-16, and no active
    markup. A type that is neither cannot be told and does not fit, except `application/octet-stream`, which
    fits anything.
    """
    head = head[:HEAD]
    claimed = content_type.split(";")[0].strip().lower()
    if claimed == ANYTHING:
        return True
    found = kind_of(head)
    if claimed in TEXTS:
        return found in ("", "application/xml", "text/xml") and _is_text(claimed, head)
    return bool(found) and found == claimed


def _is_text(claimed: str, head: bytes) -> bool:
    wide = head.startswith(_BYTE_ORDER_MARKS[1:])
    if b"\0" in head and not wide:
        return False
    text = head.decode("utf-16", errors="replace").encode() if wide else head
    start = text.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if any(mark in start for mark in _ACTIVE):
        return False
    if claimed.endswith("/xml"):
        return start.startswith(b"<")
    if claimed.endswith("/json"):
        return start[:1] != b"" and start[:1] in b'{["-0123456789tfn'
    return True
