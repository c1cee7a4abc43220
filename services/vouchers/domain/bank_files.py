"""A bank's file, in any format that can be read, as one report."""

from __future__ import annotations

from typing import Any

from lxml import etree

from services.vouchers.domain import camt054, pain002
from services.vouchers.domain.bank_reports import Format, Report, Said
from services.vouchers.domain.bank_xml import (
    MAX_SILENT,
    MAX_STATEMENTS,
    Reading,
    broken,
    identifier,
    line_of,
    moment,
    text,
)

READERS: dict[str, tuple[Format, Any]] = {
    pain002.NAMESPACE: (Format.PAIN_002, pain002),
    camt054.NAMESPACE: (Format.CAMT_054, camt054),
}


def read(content: bytes) -> Report:
    """Returns what a file says. `content`: XML or gzip of it. Raises Refusal(BANK_REPORT_INVALID) for what is
    no file of these formats, is damaged, or is larger, deeper or longer than is read."""
    reading = Reading(content)
    elements = reading.elements()
    first = next(elements, None)
    if first is None:
        raise broken(0, "the file is empty", "send the file that the bank made")
    format_, reader = _reader(reading.root)
    statements, said, silent = reader.Statements(), list[Said](), 0
    header: tuple[str, Any, int] | None = None
    element: etree._Element | None = first
    while element is not None:
        if element.tag == f"{{{reader.NAMESPACE}}}GrpHdr":
            header = (
                identifier(element, "{*}MsgId", required=True),
                moment(element, "{*}CreDtTm"),
                _page(text(element, "{*}MsgPgntn/{*}PgNb"), line_of(element)),
            )
        here = list(statements.of(element))
        said += here
        silent = 0 if here else silent + 1
        _check_length(len(said), silent)
        element = next(elements, None)
    said += statements.rest()
    if header is None:
        raise broken(0, "GrpHdr is missing", "ask the bank for a file that follows the standard")
    message_id, created, page = header
    return Report(format_, message_id, page, created, reading.sha256, tuple(said))


def _check_length(said: int, silent: int) -> None:
    if said > MAX_STATEMENTS:
        raise broken(0, f"the file says more than {MAX_STATEMENTS} things", "ask the bank for several")
    if silent > MAX_SILENT:
        what = f"more than {MAX_SILENT} elements on end say nothing of a payment"
        raise broken(0, what, "ask the bank for a file that follows the standard")


def _reader(root: str) -> tuple[Format, Any]:
    namespace, _, name = root.removeprefix("{").rpartition("}")
    if name != "Document" or namespace not in READERS:
        known = " or ".join(known.rpartition(":")[2] for known in READERS)
        raise broken(1, "this is no report that can be read", f"ask the bank for {known}")
    return READERS[namespace]


def _page(number: str, line: int) -> int:
    if not number:
        return 1
    if number.isascii() and number.isdigit() and 1 <= len(number) <= 5:
        return int(number)
    raise broken(line, "PgNb is no number", "ask the bank for a file that follows the standard")
