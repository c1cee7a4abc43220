"""Rows in bulk: the same in CSV and Parquet, with memory that does not grow with them."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from pyarrow import parquet
from sqlalchemy import text
from waymark.vouchers.v1 import export_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2

from services.platform.db.transaction import transaction
from services.platform.rpc import streams
from services.vouchers.store import exports
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import approved
from tests.support.vouchers import NO_EVIDENCE, Person, World, day_message
from tests.support.waiting import eventually

CSV, PARQUET = pb.EXPORT_FORMAT_CSV, pb.EXPORT_FORMAT_PARQUET
MANY = 100_000
ROOM = 48 * 1024 * 1024


def asking(world: World, dataset: int, file: int, **options: Any) -> pb.GetExportRequest:
    day = day_message(world.today)
    days = {"start_date": day, "end_date": day}
    return pb.GetExportRequest(dataset=dataset, format=file, **days | options)


def export(person: Person, request: pb.GetExportRequest) -> Any:
    return person.exports.GetExport(request, timeout=300)


def whole(person: Person, request: pb.GetExportRequest) -> bytes:
    return b"".join(part.data for part in export(person, request))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.fixture
def paid(world: World) -> World:
    """A world in which three redemptions were accepted and two of them paid."""
    world.plan = world.programme(**NO_EVIDENCE)
    world.bank_account()
    learner, voucher = world.voucher(world.plan)
    world.accepted(learner, voucher, amount=10_001)
    world.accepted(learner, voucher, amount=20_000)
    approved(world)
    world.accepted(learner, voucher, amount=30_000)
    return world


@pytest.mark.parametrize(
    ("dataset", "count", "amounts"),
    [
        (pb.EXPORT_DATASET_REDEMPTIONS, 3, ("accepted_cents", 60_001)),
        (pb.EXPORT_DATASET_PAYMENT_SHARES, 2, ("cents", 30_001)),
        (pb.EXPORT_DATASET_LEDGER_ENTRIES, 0, ("cents", 0)),
    ],
)
def test_both_formats_hold_the_same_rows(
    paid: World, monkeypatch: pytest.MonkeyPatch, dataset: int, count: int, amounts: tuple[str, int]
) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    as_csv = rows(whole(paid.auditor, asking(paid, dataset, CSV)))
    table = parquet.read_table(io.BytesIO(whole(paid.payer, asking(paid, dataset, PARQUET))))
    assert table.column_names == list(as_csv[0])
    assert table.num_rows == len(as_csv)
    assert not count or count == len(as_csv)
    name, total = amounts
    assert sum(int(row[name]) for row in as_csv) == sum(table[name].to_pylist()) == total
    for column in table.column_names:
        if str(table.schema.field(column).type) != "timestamp[us, tz=UTC]":
            kept = ["" if value is None else str(value) for value in table[column].to_pylist()]
            assert kept == [row[column] for row in as_csv]
        else:
            moments = [
                "" if value is None else f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
                for value in table[column].to_pylist()
            ]
            assert moments == [row[column] for row in as_csv]


def test_rows_are_chosen_by_day_and_programme_and_name_no_learner(paid: World) -> None:
    learner, voucher = paid.voucher(paid.programme(**NO_EVIDENCE))
    paid.accepted(learner, voucher)
    dataset = pb.EXPORT_DATASET_REDEMPTIONS
    everything = whole(paid.maker, asking(paid, dataset, CSV))
    assert len(rows(everything)) == 4
    assert learner.subject.encode() not in everything
    mine = asking(paid, dataset, CSV, programme=paid.plan)
    assert len(rows(whole(paid.maker, mine))) == 3
    before = day_message(paid.today - timedelta(days=1))
    empty = asking(paid, dataset, CSV, start_date=before, end_date=before)
    assert whole(paid.maker, empty).count(b"\r\n") == 1
    empty.format = PARQUET
    assert parquet.read_table(io.BytesIO(whole(paid.maker, empty))).num_rows == 0


@pytest.mark.parametrize("bounded", [True, False], ids=["bounded", "control"])
def test_readers_who_take_their_time_do_not_take_all_threads(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, bounded: bool
) -> None:
    """The server of the tests has four threads, and with it one place for a stream."""
    if not bounded:
        monkeypatch.setattr(streams, "PER_STREAM", 1)
        monkeypatch.setattr(streams, "SHARE", 1)
    world: World = request.getfixturevalue("world")
    with transaction(world.app) as tx:  # more than fits on the way to who does not read it
        statement = """INSERT INTO ledger_entries (shard, sequence, transaction, operation, kind,
          owner, cents, currency, reference, hash, created_at)
        SELECT 1, n, gen_random_uuid(), 'fund', 1, repeat('x', 200), 1, 'EUR', '', '', now()
        FROM generate_series(1, :count) n"""
        tx.execute(text(statement), {"count": MANY})
    ledger = asking(world, pb.EXPORT_DATASET_LEDGER_ENTRIES, CSV)
    unread = export(world.auditor, ledger)
    assert next(iter(unread)).data
    if bounded:
        assert refused(lambda: whole(world.auditor, ledger)) == "OVERLOADED"
    else:
        assert rows(whole(world.auditor, ledger))
    facts = learner_fact_pb2.ListLearnerFactsRequest(parent="learners/1")
    assert not world.caseworker.facts.ListLearnerFacts(facts).facts  # other calls go on meanwhile
    assert world.served.server.load.busy
    unread.cancel()
    eventually(lambda: not world.served.server.load.busy)
    assert len(rows(whole(world.auditor, ledger))) == MANY  # the place is free again


def test_what_cannot_be_exported_is_refused(paid: World) -> None:
    ledger = asking(paid, pb.EXPORT_DATASET_LEDGER_ENTRIES, CSV, programme=paid.plan)
    assert list(violations_of(lambda: whole(paid.payer, ledger))) == ["programme"]
    long = asking(paid, 1, CSV, start_date=day_message(paid.today - timedelta(days=400)))
    assert list(violations_of(lambda: whole(paid.payer, long))) == ["end_date"]
    for person in (paid.provider, paid.caseworker, paid.learner()):
        assert refused(lambda person=person: whole(person, asking(paid, 1, CSV))) == "PERMISSION_DENIED"


def many_rows(world: World) -> None:
    """Copies the one redemption there is, so that there are MANY."""
    columns = """voucher_id, learner, programme_id, version_number, course, session, organisation, shard,
      currency, state, price_cents, amount_cents, authorise_until, updated_at"""
    with transaction(world.app) as tx:
        statement = f"""INSERT INTO redemptions (id, {columns})
          SELECT gen_random_uuid(), {columns} FROM redemptions, generate_series(2, :many)"""
        tx.execute(text(statement), {"many": MANY})


def grown(parts: Iterable[Any]) -> tuple[int, int]:
    """Reads a stream; returns its bytes and by how many the memory of this process, the server's, grew."""
    process, size, most = psutil.Process(), 0, 0
    before = process.memory_info().rss
    for part in parts:
        size += len(part.data)
        most = max(most, process.memory_info().rss - before)
    return size, most


@pytest.mark.timeout(170)
def test_memory_stays_flat_over_a_hundred_thousand_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.reserve(learner, voucher, amount=1)
    for file in (CSV, PARQUET):  # loads what is loaded once
        whole(world.auditor, asking(world, 1, file))
    many_rows(world)
    for file, least in ((CSV, MANY * 200), (PARQUET, MANY * 10)):
        size, most = grown(export(world.auditor, asking(world, 1, file)))
        assert size > least
        assert most < ROOM, f"{most / 2**20:.0f} MiB"
    monkeypatch.setattr(exports, "AT_ONCE", MANY)  # control: all rows at once
    _, most = grown(export(world.auditor, asking(world, 1, CSV)))
    assert most > ROOM


def test_no_process_loads_the_parquet_library_before_somebody_asks_for_it() -> None:
    code = (
        "import sys; from services.platform.service import load_service, SERVICES; "
        "[load_service(name) for name in SERVICES]; import services.cli.main, services.cli.report; "
        "sys.exit('pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
