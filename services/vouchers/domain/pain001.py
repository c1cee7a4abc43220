"""Bank file: credit transfer initiation, SEPA for euro. Standard: ISO 20022 pain.001.001.09."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from lxml import etree

from services.vouchers.domain.bank_letters import latin
from services.vouchers.domain.payouts import Account

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
SEPA = "EUR"  # the only currency of SEPA credit transfers


@dataclass(frozen=True)
class Transfer:
    """One credit transfer, in cents. `reference` and `text` reach the payee's statement."""

    payee: Account
    cents: int
    reference: str
    text: str


def bank_file(
    message_id: str,
    created: datetime,
    execution: date,
    debtor: Account,
    currency: str,
    transfers: Sequence[Transfer],
) -> bytes:
    """Returns the file as UTF-8 XML; the same input gives the same bytes.

    `message_id`: at most 35 characters, unique for ever: the bank refuses a second file with it.
    """
    spaces = cast("dict[str, str]", {None: NAMESPACE})  # the stubs know no default namespace
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap=spaces)
    initiation = _child(root, "CstmrCdtTrfInitn")
    header = _child(initiation, "GrpHdr")
    _child(header, "MsgId", message_id)
    _child(header, "CreDtTm", created.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _totals(header, transfers)
    _child(_child(header, "InitgPty"), "Nm", latin(debtor.holder))
    payment = _child(initiation, "PmtInf")
    _child(payment, "PmtInfId", message_id)
    _child(payment, "PmtMtd", "TRF")
    _child(payment, "BtchBookg", "true")
    _totals(payment, transfers)
    sepa = currency == SEPA
    if sepa:
        _child(_child(_child(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _child(_child(payment, "ReqdExctnDt"), "Dt", execution.isoformat())
    _child(_child(payment, "Dbtr"), "Nm", latin(debtor.holder))
    _account(payment, "DbtrAcct", debtor)
    _agent(payment, "DbtrAgt", debtor, required=True)
    _child(payment, "ChrgBr", "SLEV" if sepa else "SHAR")
    for transfer in transfers:
        _transfer(payment, transfer, currency)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _transfer(payment: etree._Element, transfer: Transfer, currency: str) -> None:
    entry = _child(payment, "CdtTrfTxInf")
    _child(_child(entry, "PmtId"), "EndToEndId", transfer.reference)
    _child(_child(entry, "Amt"), "InstdAmt", decimal(transfer.cents)).set("Ccy", currency)
    _agent(entry, "CdtrAgt", transfer.payee, required=False)
    _child(_child(entry, "Cdtr"), "Nm", latin(transfer.payee.holder))
    _account(entry, "CdtrAcct", transfer.payee)
    _child(_child(entry, "RmtInf"), "Ustrd", transfer.text)


def _totals(parent: etree._Element, transfers: Sequence[Transfer]) -> None:
    _child(parent, "NbOfTxs", str(len(transfers)))
    _child(parent, "CtrlSum", decimal(sum(transfer.cents for transfer in transfers)))


def _account(parent: etree._Element, tag: str, account: Account) -> None:
    _child(_child(_child(parent, tag), "Id"), "IBAN", account.iban)


def _agent(parent: etree._Element, tag: str, account: Account, *, required: bool) -> None:
    """The bank: by BIC where known; SEPA asks for `NOTPROVIDED` where the schema wants one anyway."""
    if account.bic:
        _child(_child(_child(parent, tag), "FinInstnId"), "BICFI", account.bic)
    elif required:
        _child(_child(_child(_child(parent, tag), "FinInstnId"), "Othr"), "Id", "NOTPROVIDED")


def decimal(cents: int) -> str:
    """Returns cents as units with two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"


def _child(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    element.text = text
    return element
