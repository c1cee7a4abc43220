"""A provider's statement: what moved adds up to what stands at the end, by page and as a stream."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from waymark.vouchers.v1 import statement_pb2 as pb

from services.vouchers.store import statements
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back, listed, owe_more, owed, paid
from tests.support.bank import Booking, camt054
from tests.support.vouchers import OTHER_IBAN, World, cents, day_message

__all__ = ["owed", "paid"]
Line = pb.StatementLine


def asking(world: World, request: Any, days: int = 0, **options: Any) -> Any:
    """Returns a request for today, or for a day so many days from today."""
    day = day_message(world.today + timedelta(days=days))
    return request(parent=world.organisation, start_date=day, end_date=day, **options)


def lines(world: World, size: int = 500, **options: Any) -> list[Any]:
    """Returns every line of today, by pages of `size`."""
    found, token = [], ""
    while True:
        request = asking(world, pb.ListStatementLinesRequest, page_size=size, page_token=token, **options)
        answer = world.provider.statements.ListStatementLines(request)
        found += answer.lines
        token = answer.next_page_token
        if not token:
            return found


def file(world: World, days: int = 0) -> tuple[int, list[list[str]]]:
    """Returns the number of parts and the rows of the CSV of a day."""
    parts = list(world.provider.statements.GetStatementFile(asking(world, pb.GetStatementFileRequest, days)))
    assert {part.content_type for part in parts} == {"text/csv; charset=utf-8"}
    text = b"".join(part.data for part in parts).decode()
    return len(parts), list(csv.reader(io.StringIO(text)))


@pytest.fixture
def busy(paid: World) -> World:
    """A world in which everything has happened to the school's money."""
    claw_back(paid, 60_000)
    owe_more(paid, 20_000)
    sent(paid)  # set off whole
    owe_more(paid, 50_000)
    batch = sent(paid)  # 10 000 to the bank, 40 000 set off
    import_(paid, camt054("N-1", [Booking(reference(batch), 10_000, back=True)], account=OTHER_IBAN))
    paid.redemption = owe_more(paid, 30_000)
    claw_back(paid, 5_000)
    return paid


def test_what_moved_adds_up(busy: World) -> None:
    found = busy.provider.statements.GetStatement(asking(busy, pb.GetStatementRequest))
    assert found.organisation == busy.organisation
    assert (cents(found.accepted), cents(found.released)) == (200_000, 170_000)
    assert (cents(found.paid), cents(found.returned), cents(found.set_off)) == (110_000, 10_000, 60_000)
    assert (cents(found.clawed_back), cents(found.written_off)) == (65_000, 0)
    assert (cents(found.closing_held), cents(found.closing_cleared)) == (25_000, 10_000)
    assert cents(found.closing_receivable) == 0
    later = busy.auditor.statements.GetStatement(asking(busy, pb.GetStatementRequest, 1))
    assert (later.opening_held, later.opening_cleared) == (found.closing_held, found.closing_cleared)
    assert (later.closing_held, later.closing_cleared) == (found.closing_held, found.closing_cleared)
    assert cents(later.accepted) == 0
    earlier = busy.auditor.statements.GetStatement(asking(busy, pb.GetStatementRequest, -1))
    assert cents(earlier.closing_held) == cents(earlier.accepted) == 0


def test_lines_come_by_page_in_order_and_sum_to_the_statement(busy: World) -> None:
    whole = lines(busy)
    assert lines(busy, size=2) == whole
    assert [line.time.ToNanoseconds() for line in whole] == sorted(
        line.time.ToNanoseconds() for line in whole
    )
    sums: dict[int, int] = {}
    for line in whole:
        sums[line.kind] = sums.get(line.kind, 0) + cents(line.amount)
        assert bool(line.payout_batch) == (line.kind == Line.KIND_PAID)
    assert sums == {
        Line.KIND_ACCEPTED: 200_000,
        Line.KIND_RELEASED: 170_000,
        Line.KIND_PAID: 110_000,
        Line.KIND_RETURNED: 10_000,
        Line.KIND_SET_OFF: 60_000,
        Line.KIND_CLAWED_BACK: 5_000,
        Line.KIND_CLAWED_BACK_AFTER_PAYMENT: 60_000,
    }
    (owing,) = listed(busy, show_settled=True)
    assert {line.receivable for line in whole if line.kind == Line.KIND_SET_OFF} == {owing.name}


def test_the_file_streams_the_same_lines(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "AT_ONCE", 4)
    parts, (header, *rows) = file(busy)
    assert header == [
        "time",
        "kind",
        "amount",
        "currency",
        "redemption",
        "payout_batch",
        "receivable",
        "subject",
    ]
    whole = lines(busy)
    assert len(rows) == len(whole)
    assert parts == 1 + -(-len(whole) // 4)
    for row, line in zip(rows, whole, strict=True):
        assert row[1] == Line.Kind.Name(line.kind).removeprefix("KIND_").lower()
        assert (round(float(row[2]) * 100), row[3]) == (cents(line.amount), "EUR")
        assert tuple(row[4:]) == (line.redemption, line.payout_batch, line.receivable, line.subject)
    assert file(busy, 1) == (1, [header])


def test_others_see_nothing_and_a_period_must_be_one(owed: World) -> None:
    other = owed.person("provider", org="organisations/other")
    requests = [
        (other.statements.GetStatement, asking(owed, pb.GetStatementRequest)),
        (other.statements.ListStatementLines, asking(owed, pb.ListStatementLinesRequest)),
        (
            lambda request: list(other.statements.GetStatementFile(request)),
            asking(owed, pb.GetStatementFileRequest),
        ),
    ]
    for call, request in requests:
        assert refused(lambda call=call, request=request: call(request)) == "NOT_FOUND"
    request = asking(owed, pb.GetStatementRequest)
    request.end_date.CopyFrom(day_message(owed.today - timedelta(days=1)))
    assert "end_date" in violations_of(lambda: owed.provider.statements.GetStatement(request))
    request.end_date.CopyFrom(day_message(owed.today + timedelta(days=366)))
    assert "end_date" in violations_of(lambda: owed.provider.statements.GetStatement(request))
    request.end_date.month = 13
    assert "end_date" in violations_of(lambda: owed.provider.statements.GetStatement(request))
