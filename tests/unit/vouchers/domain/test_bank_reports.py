"""Bank files: what they say, what is refused, and that nothing a bank sends can do harm."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.platform.errors import Refusal
from services.vouchers.domain import bank_files, bank_xml
from services.vouchers.domain.bank_files import read
from services.vouchers.domain.bank_reports import Format, Known, Outcome, Report, Said, Verdict, outcome
from services.vouchers.domain.states import BatchState
from tests.support.bank import CAMT_054, PAIN_002, Booking, Status, camt054, pain002
from tests.support.real_data import real_data

ACCOUNT = "NL91ABNA0417164300"
STATUSES = pain002(
    "S-1", [Status("A", cents=1250), Status("B", "RJCT", "AC04"), Status("C", "ACSP"), Status("D", "CANC")]
)
BOOKINGS = camt054(
    "N-1",
    [
        Booking("A", 1250),
        Booking("B", 99, back=True, reason="AC04"),
        Booking("C", 5, back=True),
        Booking("D", 7, status="PDNG"),
    ],
    account=ACCOUNT,
)


def verdicts(report: Report) -> dict[str, tuple[Verdict, str]]:
    """Returns what was said by reference."""
    return {said.end_to_end: (said.verdict, said.code) for said in report.said}


def refusal(content: bytes) -> str:
    """Reads what must be refused; returns where and why."""
    with pytest.raises(Refusal, match="BANK_REPORT_INVALID") as raised:
        read(content)
    (violation,) = raised.value.violations
    assert violation.field == "content"
    return violation.description


def test_a_status_report_is_read() -> None:
    report = read(STATUSES)
    assert (report.format, report.message_id, report.page) == (Format.PAIN_002, "S-1", 1)
    assert report.created.isoformat() == "2026-06-03T06:15:00+00:00"
    assert verdicts(report) == {
        "A": (Verdict.CONFIRMED, "ACSC"),
        "B": (Verdict.RETURNED, "AC04"),
        "C": (Verdict.PENDING, "ACSP"),
        "D": (Verdict.RETURNED, "CANC"),
    }
    first = report.said[0]
    assert (first.cents, first.currency, first.bank_reference, first.booked) == (1250, "EUR", "B-A", False)
    assert report.said[1].cents is None
    assert first.line == 7


def test_a_notification_is_read() -> None:
    report = read(BOOKINGS)
    assert (report.format, report.message_id) == (Format.CAMT_054, "N-1")
    assert verdicts(report) == {
        "A": (Verdict.CONFIRMED, "BOOK"),
        "B": (Verdict.RETURNED, "AC04"),
        "C": (Verdict.RETURNED, "RRTN"),
        "D": (Verdict.PENDING, "PDNG"),
    }
    assert {(said.account, said.currency, said.booked) for said in report.said} == {(ACCOUNT, "EUR", True)}
    assert [said.cents for said in report.said] == [1250, 99, 5, 7]


def test_the_status_of_a_whole_file_counts_when_no_payment_is_listed() -> None:
    (said,) = read(pain002("S", group="RJCT", original="M1")).said
    assert (said.initiation, said.end_to_end, said.verdict) == ("M1", "", Verdict.RETURNED)
    (said,) = read(pain002("S", group="ACCP", order="RJCT", original="M1")).said
    assert (said.initiation, said.verdict) == ("M1", Verdict.RETURNED)
    listed = read(pain002("S", [Status("A", "RJCT")], group="PART", order="PART")).said
    assert [each.end_to_end for each in listed] == ["A"]


def test_an_order_booked_as_a_whole() -> None:
    (said,) = read(camt054("N", [Booking("A", 5), Booking("B", 7)], account=ACCOUNT, batch="M1")).said
    assert (said.initiation, said.end_to_end, said.cents, said.verdict) == ("M1", "", 12, Verdict.CONFIRMED)


def test_one_detail_without_an_amount_has_that_of_its_entry_and_several_have_none() -> None:
    bare = camt054("N", [Booking("A", 5)], account=ACCOUNT)
    bare = bare.replace(b'            <Amt Ccy="EUR">0.05</Amt>', b"            ")
    (said,) = read(bare).said
    assert (said.cents, said.verdict) == (5, Verdict.CONFIRMED)
    start, end = bare.index(b"<TxDtls>"), bare.index(b"</TxDtls>") + len(b"</TxDtls>")
    twice = bare[:end] + bare[start:end] + bare[end:]
    assert [(each.cents, each.verdict) for each in read(twice).said] == [(None, Verdict.UNCLEAR)] * 2


def test_a_credit_that_is_no_return_is_unclear() -> None:
    credit = BOOKINGS.replace(b"RRTN", b"ESCT").replace(b"<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>", b"")
    assert verdicts(read(credit))["B"][0] is Verdict.UNCLEAR
    reversal = credit.replace(b"CRDT</CdtDbtInd><Sts>", b"CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
    assert verdicts(read(reversal))["B"][0] is Verdict.RETURNED
    odd = BOOKINGS.replace(b"DBIT</CdtDbtInd><Sts>", b"DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
    assert verdicts(read(odd))["A"][0] is Verdict.UNCLEAR


def test_fractions_of_a_cent_book_nothing() -> None:
    assert verdicts(read(BOOKINGS.replace(b"12.50", b"12.505")))["A"][0] is Verdict.UNCLEAR
    assert verdicts(read(BOOKINGS.replace(b"12.50", b"12.50000")))["A"][0] is Verdict.CONFIRMED
    assert verdicts(read(STATUSES.replace(b"12.50", b"0.001")))["A"][0] is Verdict.UNCLEAR


def test_gzip_is_the_same_file() -> None:
    assert read(gzip.compress(BOOKINGS)) == read(BOOKINGS)
    assert "cut off" in refusal(gzip.compress(BOOKINGS)[:-20])
    assert "damaged" in refusal(b"\x1f\x8b" + b"x" * 50)


BROKEN = {
    "nothing": (b"", "cut off"),
    "no xml": (b"MT940 :20:", "line 1: the XML is not well-formed"),
    "cut off": (STATUSES[:700], "the XML is not well-formed or cut off"),
    "another format": (
        STATUSES.replace(b"pain.002.001.10", b"pain.002.001.03"),
        "ask the bank for pain.002.001.10",
    ),
    "another root": (b"<Document/>", "no report that can be read"),
    "no header": (STATUSES.replace(b"GrpHdr", b"Hdr"), "GrpHdr is missing"),
    "no message id": (STATUSES.replace(b"<MsgId>S-1</MsgId>", b""), "line 4: MsgId is missing"),
    "no reference": (
        STATUSES.replace(b"<OrgnlEndToEndId>A</OrgnlEndToEndId>", b""),
        "line 7: OrgnlEndToEndId",
    ),
    "long reference": (STATUSES.replace(b">A<", b">" + b"A" * 36 + b"<"), "more than 35 characters"),
    "no time": (STATUSES.replace(b"2026-06-03T", b"yesterday"), "line 4: CreDtTm is no date with time"),
    "far time": (STATUSES.replace(b"2026-06-03T", b"0001-01-01T"), "CreDtTm is no date with time"),
    "no amount": (BOOKINGS.replace(b">12.50<", b">-12.50<"), "an amount is no decimal number"),
    "no currency": (BOOKINGS.replace(b'Ccy="EUR"', b'Ccy="euro"'), "an amount is no decimal number"),
    "no page": (
        BOOKINGS.replace(b"</CreDtTm>", b"</CreDtTm><MsgPgntn><PgNb>x</PgNb></MsgPgntn>"),
        "PgNb is no",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_with_place_and_remedy(name: str) -> None:
    content, said = BROKEN[name]
    found = refusal(content)
    assert said in found
    assert "; " in found


def test_document_types_entities_depth_and_size_are_refused() -> None:
    entity = b'<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    assert "document type" in refusal(STATUSES.replace(b"<Document", entity + b"<Document", 1))
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    bomb = b'<!DOCTYPE Document [<!ENTITY a0 "ha">' + laughs + b"]>"
    assert refusal(STATUSES.replace(b"<Document", bomb + b"<Document", 1))
    assert refusal(STATUSES.replace(b"<MsgId>S-1", b"<MsgId>&nothing;"))
    deep = b"<a>" * 40 + b"</a>" * 40
    assert "32 deep" in refusal(STATUSES.replace(b"<GrpHdr>", deep + b"<GrpHdr>"))
    assert "more than 32 MiB" in refusal(gzip.compress(STATUSES + b" " * (33 << 20)))


def test_control_without_the_depth_limit_depth_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_xml, "MAX_DEPTH", 100)
    deep = b"<a>" * 40 + b"</a>" * 40
    assert len(read(STATUSES.replace(b"<GrpHdr>", deep + b"<GrpHdr>")).said) == 4


def test_elements_that_say_nothing_are_no_way_to_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    head, _, tail = BOOKINGS.partition(b"<Ntry>")
    few = gzip.compress(head + b"<a/>" * 9_000 + b"<Ntry>" + tail)
    many = gzip.compress(head + b"<a/>" * 100_000 + b"<Ntry>" + tail)
    assert len(many) < 2_000
    assert read(few).said == read(BOOKINGS).said
    assert "more than 10000 elements on end say nothing" in refusal(many)
    monkeypatch.setattr(bank_files, "MAX_SILENT", 10**9)  # control: they all go in
    assert read(many).said == read(BOOKINGS).said


def test_only_so_many_statements_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_files, "MAX_STATEMENTS", 3)
    assert "more than 3 things" in refusal(STATUSES)


@pytest.mark.parametrize("make", [
    lambda count: pain002("S", (Status(f"R{n}") for n in range(count))),
    lambda count: camt054("N", [Booking(f"R{n}", n) for n in range(count)], account=ACCOUNT),
], ids=["pain.002", "camt.054"])  # fmt: skip
def test_a_long_file_takes_the_memory_of_what_it_says(make) -> None:  # type: ignore[no-untyped-def]
    read(make(1))  # loads what is loaded once
    content = make(1_000)
    tracemalloc.start()
    try:
        report = read(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(report.said) == 1_000
    assert [said.end_to_end for said in report.said[:2]] == ["R0", "R1"]
    assert peak < 2 << 20


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)
    read_or_refused(b"\x1f\x8b\x08" + content)


@given(st.sampled_from([STATUSES, BOOKINGS]), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=400, deadline=None)
def test_a_mangled_file_is_read_or_refused(content: bytes, seed: int, times: int) -> None:
    chance, mangled = Random(seed), bytearray(content)
    for _ in range(times):
        start = chance.randrange(len(mangled))
        end = min(len(mangled), start + chance.randrange(40))
        kind = chance.randrange(4)
        if kind == 0:
            del mangled[start:end]
        elif kind == 1:
            mangled[start:end] = bytes(chance.randrange(256) for _ in range(end - start))
        elif kind == 2:
            mangled[start:start] = mangled[chance.randrange(len(mangled)) :][: end - start]
        else:
            mangled[start:start] = chance.choice([b"<", b"&", b"<!DOCTYPE a>", b"]]>", b"\x00", b"\xff\xfe"])
        if not mangled:
            return
    read_or_refused(bytes(mangled))


NAMES = re.findall(
    r"\w+",
    """GrpHdr MsgId CreDtTm MsgPgntn PgNb OrgnlGrpInfAndSts OrgnlMsgId GrpSts OrgnlPmtInfAndSts
OrgnlPmtInfId PmtInfSts TxInfAndSts OrgnlEndToEndId TxSts StsRsnInf Rsn Cd Prtry OrgnlTxRef Amt
InstdAmt Ntfctn Acct Id IBAN Ntry CdtDbtInd RvslInd Sts BkTxCd Domn Fmly SubFmlyCd NtryDtls Btch
NbOfTxs TxDtls Refs EndToEndId AmtDtls TxAmt RtrInf AcctSvcrRef""",
)
TEXTS = [
    "",
    "A",
    "BOOK",
    "DBIT",
    "CRDT",
    "RJCT",
    "ACSC",
    "true",
    "12.5",
    "1e5",
    "9" * 19,
    "2026-06-03T08:15:00",
    "²",
]
TREES = st.recursive(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS), st.just([])),
    lambda inner: st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS), st.lists(inner, max_size=4)),
    max_leaves=25,
)


@given(st.sampled_from([PAIN_002, CAMT_054]), st.lists(TREES, max_size=6), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_arrangement_of_known_elements_is_read_or_refused(
    namespace: str, trees: list, headed: bool
) -> None:  # type: ignore[type-arg]
    def grow(parent: etree._Element, tree: tuple) -> None:  # type: ignore[type-arg]
        name, said, inner = tree
        element = etree.SubElement(parent, f"{{{namespace}}}{name}")
        element.text = said
        if name.endswith("Amt"):
            element.set("Ccy", "EUR")
        for each in inner:
            grow(element, each)

    root = etree.Element(f"{{{namespace}}}Document")
    if headed:
        grow(root, ("GrpHdr", "", [("MsgId", "M", []), ("CreDtTm", "2026-06-03T08:15:00", [])]))
    for tree in trees:
        grow(root, tree)
    read_or_refused(etree.tostring(root))


def read_or_refused(content: bytes) -> None:
    """Reads; only a typed refusal may come of it, with a place, and no content of the file in it."""
    try:
        report = read(content)
    except Refusal as refused:
        found = (refused.reason_name, len(refused.violations))
    else:
        assert report.message_id
        assert all(said.cents is None or said.cents >= 0 for said in report.said)
        return
    assert found == ("BANK_REPORT_INVALID", 1)


SAID = Said(1, Verdict.CONFIRMED, "ACSC", "A", cents=5, currency="EUR", account="X")
KNOWN = Known(sent=True, result=0, cents=5, currency="EUR", account="X")


def test_what_a_statement_does_to_a_payment() -> None:
    returned = replace(SAID, verdict=Verdict.RETURNED)
    confirmed = replace(KNOWN, result=int(BatchState.CONFIRMED))
    gone = replace(KNOWN, result=int(BatchState.RETURNED))
    expected = [
        (SAID, None, Outcome.UNMATCHED),
        (SAID, replace(KNOWN, sent=False), Outcome.NOT_SENT),
        (SAID, KNOWN, Outcome.APPLIED),
        (returned, KNOWN, Outcome.APPLIED),
        (SAID, confirmed, Outcome.REPEATED),
        (SAID, gone, Outcome.REPEATED),
        (returned, gone, Outcome.REPEATED),
        (returned, confirmed, Outcome.UNCLEAR),
        (replace(returned, booked=True), confirmed, Outcome.APPLIED),
        (replace(SAID, verdict=Verdict.PENDING), KNOWN, Outcome.NOTED),
        (replace(SAID, verdict=Verdict.UNCLEAR), KNOWN, Outcome.UNCLEAR),
        (replace(SAID, cents=6), KNOWN, Outcome.DIFFERENT),
        (replace(SAID, currency="SEK"), KNOWN, Outcome.DIFFERENT),
        (replace(SAID, account="Y"), KNOWN, Outcome.DIFFERENT),
        (replace(SAID, cents=None, currency="", account=""), KNOWN, Outcome.APPLIED),
    ]
    for said, known, what in expected:
        assert outcome(said, known) is what, (said, known)


def test_a_real_notification_is_read() -> None:
    report = read(real_data("bank/camt054.v8.xml").read_bytes())
    assert report.message_id == "AAAASESS-FP-ACCR001"
    found = [(said.end_to_end, said.cents, said.currency, said.verdict) for said in report.said]
    one, two = "UXC06170000006PI00001EE00001", "UXC06170000006PI00001EE00002"
    # The details are credits under a debit, and no returns: nothing follows of them.
    assert found == [
        (one, 310, "CHF", Verdict.UNCLEAR),
        (two, 320, "CHF", Verdict.UNCLEAR),
        (two, 320, "CHF", Verdict.UNCLEAR),
    ]
    assert "ask the bank for" in refusal(real_data("bank/camt054.v2.xml").read_bytes())


def test_the_notifications_of_these_tests_are_as_the_standard_wants() -> None:
    schema = etree.XMLSchema(etree.parse(str(real_data("bank/camt.054.001.08.xsd"))))
    schema.assertValid(etree.fromstring(BOOKINGS))
    schema.assertValid(etree.fromstring(camt054("N", [Booking("A", 5)], account=ACCOUNT, batch="M1")))
