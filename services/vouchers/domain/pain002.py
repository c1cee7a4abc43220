"""Reads what a bank says of orders. Standard: ISO 20022 customer payment status report pain.002.001.10."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from services.vouchers.domain.bank_reports import Said, Verdict
from services.vouchers.domain.bank_xml import amount, forget, identifier, line_of, text

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
MESSAGE = "CstmrPmtStsRpt"
# Every status that is not here says that the order is on its way (ACCP, ACSP, PDNG, RCVD, PART …).
VERDICTS = {
    "ACSC": Verdict.CONFIRMED,  # settled on the debtor's account
    "ACCC": Verdict.CONFIRMED,  # settled on the creditor's account
    "RJCT": Verdict.RETURNED,
    "CANC": Verdict.RETURNED,
}
_N = "{" + NAMESPACE + "}"
_GROUP, _ORDER, _PAYMENT = f"{_N}OrgnlGrpInfAndSts", f"{_N}OrgnlPmtInfAndSts", f"{_N}TxInfAndSts"


class Statements:
    """Turns elements, as they end, into statements. A status of a group counts for what is not listed
    singly: where a level lists payments, they speak for it."""

    def __init__(self) -> None:
        self._group: Said | None = None
        self._in_order = 0
        self._said = 0

    def of(self, element: etree._Element) -> Iterator[Said]:
        """Yields the statements that end with this element."""
        if element.tag == _PAYMENT:
            self._in_order += 1
            yield self._count(_payment(element))
            forget(element)
        elif element.tag == _ORDER:
            if not self._in_order and text(element, f"{_N}PmtInfSts"):
                yield self._count(_whole(element, "PmtInfSts", "OrgnlPmtInfId"))
            self._in_order = 0
            forget(element)
        elif element.tag == _GROUP and text(element, f"{_N}GrpSts"):
            self._group = _whole(element, "GrpSts", "OrgnlMsgId")

    def rest(self) -> Iterator[Said]:
        """Yields what is left to say at the end of the file."""
        if self._group is not None and not self._said:
            yield self._group

    def _count(self, said: Said) -> Said:
        self._said += 1
        return said


def _payment(element: etree._Element) -> Said:
    status = text(element, f"{_N}TxSts")
    stated = element.find(f"{_N}OrgnlTxRef/{_N}Amt/{_N}InstdAmt")
    cents, currency = amount(stated)
    verdict = VERDICTS.get(status, Verdict.PENDING)
    return Said(
        line=line_of(element),
        # An amount of fractions of a cent is none of ours, and no amount must not pass for the right one.
        verdict=Verdict.UNCLEAR if stated is not None and cents is None else verdict,
        code=_code(element, status),
        end_to_end=identifier(element, f"{_N}OrgnlEndToEndId", required=True),
        bank_reference=identifier(element, f"{_N}AcctSvcrRef") or identifier(element, f"{_N}StsId"),
        cents=cents,
        currency=currency,
    )


def _whole(element: etree._Element, status_name: str, id_name: str) -> Said:
    status = text(element, f"{_N}{status_name}")
    return Said(
        line=line_of(element),
        verdict=VERDICTS.get(status, Verdict.PENDING),
        code=_code(element, status),
        initiation=identifier(element, f"{_N}{id_name}", required=True),
    )


def _code(element: etree._Element, status: str) -> str:
    """The bank's reason where it gives one, else the status."""
    reason = f"{_N}StsRsnInf/{_N}Rsn/{_N}"
    return (identifier(element, f"{reason}Cd") or identifier(element, f"{reason}Prtry") or status)[:35]
