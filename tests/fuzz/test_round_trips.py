"""What is written is read as it was meant, whatever it says."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports.csv_template import CsvTemplate
from services.catalogue.imports.feed import Bounded
from services.vouchers.domain import allocation_file, bank_files, codes, levies, qr
from services.vouchers.domain.money import MAX_CENTS
from services.vouchers.domain.statements import csv_lines
from tests.fuzz.readers import KEYS, SIGNING, TODAY
from tests.support.bank import Booking, Status, camt054, pain002

IDS = st.from_regex(r"[0-9A-Za-z._-]{1,35}", fullmatch=True)
CENTS = st.integers(1, 10**11 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
ACCOUNT = "NL91ABNA0417164300"


@given(st.text(codes.ALPHABET, min_size=codes.LENGTH, max_size=codes.LENGTH), st.booleans())
def test_a_code_however_it_is_typed(body: str, small: bool) -> None:
    code = body + codes.check_character(body)
    typed = codes.grouped(code).replace("0", "O").replace("1", "l")
    assert codes.normalise(f" {typed.lower() if small else typed} ") == code


@given(IDS, IDS, st.integers(0, 2**32), st.integers(1, 10**6))
def test_a_qr(voucher: str, programme: str, seconds: int, issue: int) -> None:
    expires = datetime.fromtimestamp(seconds, UTC)
    token = qr.voucher_token(SIGNING, f"vouchers/{voucher}", f"programmes/{programme}", expires, issue)
    said = qr.Claims(f"vouchers/{voucher}", f"programmes/{programme}", expires, issue, SIGNING.id)
    assert qr.read_token(token, KEYS) == said


@given(st.dictionaries(IDS, CENTS, max_size=20))
def test_a_bank_says_what_it_was_asked_to(payments: dict[str, int]) -> None:
    statuses = [Status(reference, cents=cents) for reference, cents in payments.items()]
    bookings = [Booking(reference, cents) for reference, cents in payments.items()]
    for file in (pain002("M", statuses), camt054("M", bookings, account=ACCOUNT)):
        report = bank_files.read(file)
        assert {said.end_to_end: said.cents for said in report.said} == payments


@given(st.dictionaries(IDS, st.none() | st.integers(1, 10**11 - 1), min_size=1, max_size=20))
def test_an_allocation(people: dict[str, int | None]) -> None:
    amounts = {
        key: "" if cents is None else f"{cents // 100}.{cents % 100:02}" for key, cents in people.items()
    }
    file = csv_lines([("learner", "amount"), *amounts.items()])
    rows = list(allocation_file.read(io.BytesIO(file)))
    assert {row.learner: row.price for row in rows} == {
        f"learners/{key}": cents for key, cents in people.items()
    }
    assert not any(row.problem for row in rows)


MONTHS = st.dates(date(1990, 1, 1), TODAY).map(lambda day: day.replace(day=1))


@given(st.dictionaries(st.tuples(IDS, MONTHS), st.integers(0, MAX_CENTS), max_size=20))
def test_wages(gross: dict[tuple[str, date], int]) -> None:
    lines = [(f"organisations/{key}", f"{month:%Y-%m}", str(cents)) for (key, month), cents in gross.items()]
    rows, findings = levies.read_wages(csv_lines([levies.COLUMNS, *lines]), TODAY)
    assert not findings
    assert {(row.employer, row.month): row.gross for row in rows} == {
        (f"organisations/{key}", month): cents for (key, month), cents in gross.items()
    }


@given(st.lists(st.tuples(IDS, TEXTS, TEXTS), max_size=20, unique_by=lambda row: row[0]))
def test_a_feed(rows: list[tuple[str, str, str]]) -> None:
    out, names = io.StringIO(), ("course_id", "title", "description")
    csv.writer(out).writerows([names, *rows])
    records = list(CsvTemplate().records(Bounded(io.BytesIO(out.getvalue().encode()))))
    assert [dict(zip(names, row, strict=True)) for row in rows] == [raw.content[0] for raw in records]
    assert [raw.external_id for raw in records] == [key for key, *_ in rows]
