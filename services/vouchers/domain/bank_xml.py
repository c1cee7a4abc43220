"""Reads XML of a bank piece by piece, and trusts none of it.

No document type, no entities, no network; caps on size, depth and number of statements. Memory holds one
statement at a time. Whatever is wrong is a Refusal(BANK_REPORT_INVALID) that says where and how to mend it.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from waymark.errors.v1 import reason_pb2

from services.platform import xml
from services.platform.errors import Refusal, Violation
from services.vouchers.domain.money import MAX_CENTS

MAX_BYTES = 32 << 20  # of XML, also when it came compressed
MAX_DEPTH = 32  # the formats need 15
MAX_STATEMENTS = 50_000
MAX_SILENT = 10_000  # elements between two statements, which are all in memory
MAX_ID = 35  # characters, as in the standard
_CHUNK = 64 << 10
_GZIP = b"\x1f\x8b"
_AMOUNT = re.compile(r"\+?(\d{1,18})(?:\.(\d{0,5}))?")
_NAMESPACE = re.compile(r"\{[^}]*\}")
_YEARS = range(1970, 3000)


def broken(line: int, what: str, mend: str) -> Refusal:
    """Returns the refusal of a file. `what` is wrong at `line` (0: nowhere in particular), `mend` how to."""
    where = f"line {line}: " if line else ""
    violation = Violation("content", f"{where}{what}; {mend}")
    return Refusal(reason_pb2.REASON_BANK_REPORT_INVALID, violations=[violation])


class Reading:
    """One pass over a file, plain or gzip. `sha256` (hex) is that of the XML once the pass is over."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._digest = hashlib.sha256()
        self.root = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, hex."""
        return self._digest.hexdigest()

    def elements(self) -> Iterator[etree._Element]:
        """Yields each element as it ends; `forget` it once it is used."""
        depth = 0
        try:
            for event, element in xml.events(self._chunks(), ("start", "end")):
                depth += 1 if event == "start" else -1
                if event == "end":
                    yield element
                elif depth == 1:
                    self.root = str(element.tag)
                elif depth > MAX_DEPTH:
                    what = f"elements lie more than {MAX_DEPTH} deep"
                    raise broken(line_of(element), what, "this is no bank report")
        except xml.DoctypeError:
            mend = "bank reports have none; remove the DOCTYPE"
            raise broken(1, "the file declares a document type", mend) from None
        except xml.PrologError:
            raise broken(1, "no root element begins the file", "this is no bank report") from None
        except etree.XMLSyntaxError as error:
            raise broken(
                error.lineno or 0,
                "the XML is not well-formed or cut off",
                "fetch the file from the bank again and send it unchanged",
            ) from None

    def _chunks(self) -> Iterator[bytes]:
        size = 0
        for chunk in _inflated(self._content) if self._content.startswith(_GZIP) else _cut(self._content):
            size += len(chunk)
            if size > MAX_BYTES:
                raise broken(0, f"the file holds more than {MAX_BYTES >> 20} MiB", "ask the bank for several")
            self._digest.update(chunk)
            yield chunk


def _cut(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))


def _inflated(content: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    left = content
    try:
        while not inflater.eof:
            chunk = inflater.decompress(left, _CHUNK)
            left = inflater.unconsumed_tail
            if not chunk and not left and not inflater.eof:
                raise zlib.error("cut off")
            yield chunk
    except zlib.error:
        raise broken(0, "the gzip data is damaged or cut off", "compress the file again") from None


def line_of(element: Any) -> int:
    """Returns the line an element starts at, 0 where there is none or it is not known."""
    return 0 if element is None else element.sourceline or 0


def forget(element: Any) -> None:
    """Frees a used element, and the emptied ones of its kind before it, which hold nothing but a place."""
    element.clear(keep_tail=True)
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


def text(element: etree._Element | None, path: str = ".") -> str:
    """Returns the text at a path of `{namespace}Name` steps, stripped; empty when there is none."""
    found = None if element is None else element.find(path)
    return "" if found is None else (found.text or "").strip()


def identifier(element: etree._Element | None, path: str, *, required: bool = False) -> str:
    """Returns an id of at most MAX_ID characters; raises Refusal for a longer one, and a missing required."""
    found = text(element, path)
    line = line_of(element)
    name = _NAMESPACE.sub("", path)
    if len(found) > MAX_ID:
        raise broken(line, f"{name} has more than {MAX_ID} characters", "the standard allows no more")
    if required and not found:
        raise broken(line, f"{name} is missing", "ask the bank for a file that follows the standard")
    return found


def amount(element: etree._Element | None) -> tuple[int | None, str]:
    """Returns cents and currency of an amount; (None, currency) for one that is not in whole cents, and
    (None, "") for none. Raises Refusal for what is no amount."""
    if element is None:
        return None, ""
    currency = element.get("Ccy", "")
    match = _AMOUNT.fullmatch(text(element))
    if match is None or not re.fullmatch("[A-Z]{3}", currency):
        raise broken(
            line_of(element),
            "an amount is no decimal number with a currency",
            "ask the bank to mend it",
        )
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > 2 or int(match[1]) > MAX_CENTS // 100:
        return None, currency
    return int(match[1]) * 100 + int(fraction.ljust(2, "0")), currency


def moment(element: etree._Element | None, path: str) -> datetime:
    """Returns a required moment, UTC where it names no offset; raises Refusal for a missing or wrong one."""
    line = line_of(element)
    try:
        found = datetime.fromisoformat(text(element, path))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        if found.year in _YEARS:
            return found
    except (ValueError, OverflowError):
        pass
    name = _NAMESPACE.sub("", path)
    raise broken(line, f"{name} is no date with time", "ask the bank for a file that follows the standard")
