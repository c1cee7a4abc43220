"""The text of a PDF by Typst, read from the glyphs of its pages by the maps that its fonts bring along.

ISO 32000-2, 9.10. A KeyError says that a glyph stands for no character; what no font has is none, or U+FFFF.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator

from pypdf import PdfWriter
from pypdf.generic import NameObject, StreamObject

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"/(f\d+) [\d.]+ Tf|\[([(<].*?)\]\s*TJ", re.DOTALL)
_TOKEN = re.compile(rb"\\([0-7]{1,3}|.)|<([0-9A-F]+)>|(.)", re.DOTALL)
_SIGNS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """Returns what the pages show, blanks as single ones."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {
        name: _characters(objects, int(number))
        for body in objects.values()
        for found in re.findall(rb"/Font<<(.*?)>>", body)
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", found)
    }
    pages = (re.search(rb"/Type/Page/.*?/Contents (\d+) 0 R", body) for body in objects.values())
    said = (_shown(_content(objects[int(page[1])]), fonts) for page in pages if page)
    return " ".join(" ".join(" ".join(each) for each in said).split())


def _content(body: bytes) -> bytes:
    stream = _STREAM.search(body)
    assert stream
    return zlib.decompress(stream[1])


def _characters(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """Returns what the codes of a font stand for."""
    number = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    assert number
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", _content(objects[int(number[1])]))
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def _shown(content: bytes, fonts: dict[bytes, dict[int, str]]) -> Iterator[str]:
    """Yields each run of text."""
    characters: dict[int, str] = {}
    for font, shown in _SHOWN.findall(content):
        if font:
            characters = fonts[font]
            continue
        codes = _codes(shown)
        numbers = [int.from_bytes(codes[at : at + 2]) for at in range(0, len(codes), 2)]
        yield "".join(characters[number] for number in numbers)


def _codes(shown: bytes) -> bytes:
    """Returns the bytes of strings, which are hexadecimal or literal, with kerning between them."""
    depth, codes = 0, bytearray()
    for escaped, digits, sign in _TOKEN.findall(shown):
        if escaped:
            codes += bytes([int(escaped, 8)]) if escaped.isdigit() else _SIGNS.get(escaped, escaped)
        elif digits:
            codes += b"<" + digits + b">" if depth else bytes.fromhex(digits.decode())
        else:
            depth -= sign == b")"
            codes += sign if depth else b""
            depth += sign == b"("
    return bytes(codes)


def with_photo(pdf: bytes, size: int) -> bytes:
    """Returns a PDF of exactly `size` bytes: with an image beside what it had, as a photo is."""
    photo = b""
    for _ in range(3):  # the numbers in it grow with it
        made = _with_image(pdf, photo)
        photo = bytes(len(photo) + size - len(made))
    return _with_image(pdf, photo)


def _with_image(pdf: bytes, image: bytes) -> bytes:
    writer, stream = PdfWriter(clone_from=io.BytesIO(pdf)), StreamObject()
    stream.set_data(image)
    stream[NameObject("/Subtype")] = NameObject("/Image")
    writer.root_object[NameObject("/Photo")] = writer._add_object(stream)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()
