"""Files as a bank makes them, by the element names of ISO 20022."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
CAMT_054 = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
NONE = "-"  # the bank gives no reference of its own
_CREATED = "2026-06-03T08:15:00+02:00"


@dataclass(frozen=True)
class Status:
    """What a payment status report says of one payment."""

    reference: str
    status: str = "ACSC"
    reason: str = ""
    cents: int | None = None


@dataclass(frozen=True)
class Booking:
    """What a notification says of one payment. `back`: its money came back, for `reason`. `written`: a credit
    that says this, as a `structured` reference or in words; `own`: the bank's reference of it."""

    reference: str
    cents: int
    back: bool = False
    reason: str = ""
    status: str = "BOOK"
    currency: str = "EUR"
    written: str = ""
    structured: bool = False
    own: str = ""


def decimal(cents: int) -> str:
    """Returns cents as a bank writes an amount."""
    return f"{cents // 100}.{cents % 100:02d}"


def pain002(
    message: str,
    payments: Iterable[Status] = (),
    *,
    original: str = "OURS",
    group: str = "",
    order: str = "",
) -> bytes:
    """Returns a payment status report. `group`, `order`: status of the whole file and of its one order."""
    group_status = f"<GrpSts>{group}</GrpSts>" if group else ""
    order_status = f"<PmtInfSts>{order}</PmtInfSts>" if order else ""
    listed = "".join(map(_transaction, payments))
    order_id = f"<OrgnlPmtInfId>{original}</OrgnlPmtInfId>"
    orders = f"<OrgnlPmtInfAndSts>{order_id}{order_status}{listed}</OrgnlPmtInfAndSts>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PAIN_002}">
  <CstmrPmtStsRpt>
    <GrpHdr><MsgId>{message}</MsgId><CreDtTm>{_CREATED}</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group_status}</OrgnlGrpInfAndSts>
    {orders if listed or order else ""}
  </CstmrPmtStsRpt>
</Document>
""".encode()


def _transaction(payment: Status) -> str:
    reason = f"<StsRsnInf><Rsn><Cd>{payment.reason}</Cd></Rsn></StsRsnInf>" if payment.reason else ""
    amount = ""
    if payment.cents is not None:
        amount = (
            f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{decimal(payment.cents)}</InstdAmt></Amt></OrgnlTxRef>'
        )
    return f"""
      <TxInfAndSts>
        <OrgnlEndToEndId>{payment.reference}</OrgnlEndToEndId>
        <TxSts>{payment.status}</TxSts>{reason}<AcctSvcrRef>B-{payment.reference[:8]}</AcctSvcrRef>{amount}
      </TxInfAndSts>"""


def camt054(message: str, bookings: Sequence[Booking], *, account: str, batch: str = "") -> bytes:
    """Returns a notification: an entry a booking, or with `batch` one entry for a whole order of this id."""
    entries = _whole(bookings, batch) if batch else "".join(map(_entry, bookings))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{CAMT_054}">
  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr><MsgId>{message}</MsgId><CreDtTm>{_CREATED}</CreDtTm></GrpHdr>
    <Ntfctn>
      <Id>{message}-1</Id>
      <Acct><Id><IBAN>{account}</IBAN></Id></Acct>{entries}
    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>
</Document>
""".encode()


def _entry(booking: Booking) -> str:
    amount = f'<Amt Ccy="{booking.currency}">{decimal(booking.cents)}</Amt>'
    direction = f"<CdtDbtInd>{'CRDT' if booking.back or booking.written else 'DBIT'}</CdtDbtInd>"
    family = "RRTN" if booking.back else "ESCT"
    reason = f"<RtrInf><Rsn><Cd>{booking.reason}</Cd></Rsn></RtrInf>" if booking.reason else ""
    own = booking.own or f"E-{booking.reference[:8]}"
    written = f"<Ustrd>{booking.written[:20]}</Ustrd><Ustrd>{booking.written[20:]}</Ustrd>"
    if booking.structured:
        written = f"<Strd><CdtrRefInf><Ref>{booking.written}</Ref></CdtrRefInf></Strd>"
    return f"""
      <Ntry>
        {amount}{direction}<Sts><Cd>{booking.status}</Cd></Sts><BookgDt><Dt>2026-06-03</Dt></BookgDt>
        {f"<AcctSvcrRef>{own}</AcctSvcrRef>" if own != NONE else ""}
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{family}</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>{booking.reference}</EndToEndId></Refs>
            {amount}{direction}{f"<RmtInf>{written}</RmtInf>" if booking.written else ""}{reason}
          </TxDtls>
        </NtryDtls>
      </Ntry>"""


def _whole(bookings: Sequence[Booking], batch: str) -> str:
    total = decimal(sum(booking.cents for booking in bookings))
    return f"""
      <Ntry>
        <Amt Ccy="EUR">{total}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <Btch><PmtInfId>{batch}</PmtInfId><NbOfTxs>{len(bookings)}</NbOfTxs></Btch>
        </NtryDtls>
      </Ntry>"""
