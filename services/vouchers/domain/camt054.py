"""Reads what a bank booked. Standard: ISO 20022 debit credit notification camt.054.001.08.

Of what the payer wrote only a creditor reference is kept: the rest is for nobody here to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from services.vouchers.domain.bank_reports import Said, Verdict
from services.vouchers.domain.bank_xml import amount, broken, forget, identifier, line_of, text
from services.vouchers.domain.creditor_reference import named_in

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
MESSAGE = "BkToCstmrDbtCdtNtfctn"
CREDIT = "CRDT"
RETURN = "RRTN"  # bank transaction code, sub-family: reimbursement after a return
_N = "{" + NAMESPACE + "}"
_ACCOUNT, _ENTRY, _DETAILS = f"{_N}Acct", f"{_N}Ntry", f"{_N}TxDtls"
_SUB_FAMILY = f"{_N}BkTxCd/{_N}Domn/{_N}Fmly/{_N}SubFmlyCd"


class Statements:
    """Turns elements, as they end, into statements. Details speak for their entry where it has any."""

    def __init__(self) -> None:
        self._account = ""
        self._in_entry = 0
        self._waiting: Said | None = None  # a first detail without an amount: the entry's, if it stays alone

    def of(self, element: etree._Element) -> Iterator[Said]:
        """Yields the statements that end with this element."""
        if element.tag == _ACCOUNT:
            self._account = identifier(element, f"{_N}Id/{_N}IBAN").replace(" ", "").upper()
        elif element.tag == _DETAILS:
            entry = next(element.iterancestors(_ENTRY), None)
            if entry is None:
                raise broken(line_of(element), "TxDtls outside of an entry", "ask the bank to mend it")
            self._in_entry += 1
            yield from self._waited()
            said = self._said(entry, element)
            if said.cents is None and not said.currency and self._in_entry == 1:
                self._waiting = said
            else:
                yield _clear(said)
            forget(element)
        elif element.tag == _ENTRY:
            if not self._in_entry:
                yield self._said(element, None)
            yield from self._waited(element)
            self._in_entry = 0
            forget(element)

    def _waited(self, entry: etree._Element | None = None) -> Iterator[Said]:
        if self._waiting is not None:
            cents, currency = amount(None if entry is None else entry.find(f"{_N}Amt"))
            yield _clear(replace(self._waiting, cents=cents, currency=currency))
            self._waiting = None

    def rest(self) -> Iterator[Said]:
        """Yields what is left to say at the end of the file: nothing."""
        return iter(())

    def _said(self, entry: etree._Element, details: etree._Element | None) -> Said:
        cents, currency = amount(entry.find(f"{_N}Amt") if details is None else _amount(details))
        verdict, code = _verdict(entry, details)
        batch = entry.find(f"{_N}NtryDtls/{_N}Btch") if details is None else None
        said = Said(
            line=line_of(entry if details is None else details),
            verdict=verdict,
            code=code,
            end_to_end=identifier(details, f"{_N}Refs/{_N}EndToEndId"),
            initiation=identifier(batch, f"{_N}PmtInfId") or identifier(batch, f"{_N}MsgId"),
            bank_reference=identifier(details, f"{_N}Refs/{_N}AcctSvcrRef")
            or identifier(entry, f"{_N}AcctSvcrRef")
            or identifier(entry, f"{_N}NtryRef"),
            cents=cents,
            currency=currency,
            account=self._account,
            booked=True,
            booked_on=(text(entry, f"{_N}BookgDt/{_N}Dt") or text(entry, f"{_N}BookgDt/{_N}DtTm"))[:10],
            creditor=named_in(_written(entry, details)),
        )
        if said.creditor and said.verdict is Verdict.UNCLEAR and said.code == CREDIT:
            said = replace(said, verdict=Verdict.RECEIVED)
        return said if not currency else _clear(said)


def _amount(details: etree._Element) -> etree._Element | None:
    own = details.find(f"{_N}Amt")
    return details.find(f"{_N}AmtDtls/{_N}TxAmt/{_N}Amt") if own is None else own


def _written(entry: etree._Element, details: etree._Element | None) -> Iterator[str]:
    """Yields what the payer wrote: first where the standard has references, then where people put them."""
    if details is None:
        yield text(entry, f"{_N}AddtlNtryInf")
        return
    for path in (f"{_N}Strd/{_N}CdtrRefInf/{_N}Ref", f"{_N}Ustrd"):
        yield from (found.text or "" for found in details.iterfind(f"{_N}RmtInf/{path}"))
    yield text(details, f"{_N}Refs/{_N}EndToEndId")


def _clear(said: Said) -> Said:
    """Nothing is booked without an amount in whole cents."""
    return said if said.cents is not None else replace(said, verdict=Verdict.UNCLEAR)


def _verdict(entry: etree._Element, details: etree._Element | None) -> tuple[Verdict, str]:
    """Money that left confirms; money that came back returns, when the bank says that it is a return."""
    if text(entry, f"{_N}Sts/{_N}Cd") != "BOOK":
        return Verdict.PENDING, text(entry, f"{_N}Sts/{_N}Cd")[:35]
    direction = text(details, f"{_N}CdtDbtInd") or text(entry, f"{_N}CdtDbtInd")
    reversal = text(entry, f"{_N}RvslInd") in ("true", "1")
    reason = f"{_N}RtrInf/{_N}Rsn/{_N}"
    code = identifier(details, f"{reason}Cd") or identifier(details, f"{reason}Prtry")
    families = (text(details, _SUB_FAMILY), text(entry, _SUB_FAMILY))
    returned = bool(code) or reversal or RETURN in families
    if direction == "DBIT" and not reversal:
        return Verdict.CONFIRMED, "BOOK"
    if direction == CREDIT and returned:
        return Verdict.RETURNED, code or RETURN
    return Verdict.UNCLEAR, direction[:35]
