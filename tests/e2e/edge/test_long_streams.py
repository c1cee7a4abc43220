"""Exports over REST may take as long as over gRPC: a statement may take its time, and so may the reader."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
import httpx
import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import export_pb2, export_pb2_grpc

from services.platform.db import engine
from services.platform.db.transaction import transaction
from services.platform.edge.limits import Limits
from services.platform.rpc import handlers, pipeline
from services.platform.rpc.interceptors import deadline
from services.vouchers.store import exports
from tests.support.parts import S3Address
from tests.support.vouchers import day_message
from tests.support.world import World, world

# Streams are broken here on purpose, and the driver complains of the cursors that it lost, maybe only later.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SHORT = 1.0  # seconds: of a call without a deadline, and of a transaction that stands idle
LONG = 3 * SHORT
LONGER = 3 * LONG  # for a reader: on a busy machine it takes LONG until the buffers are full
LINES = 150_000  # more bytes than all buffers on the way hold
ENTRY = "x" * 200


@pytest.fixture(scope="module")
def hasty(postgres: str, s3: S3Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack that is as impatient as can be, with a ledger that is long to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "IDLE_TIMEOUT", SHORT)
        patch.setattr(deadline, "DEFAULT", SHORT)
        with world(postgres, s3, tmp_path_factory.mktemp("hasty"), limits=Limits(rates=False)) as running:
            with transaction(running.served["vouchers"].app) as tx:
                statement = """INSERT INTO ledger_entries (shard, sequence, transaction, operation, kind,
                  owner, cents, currency, reference, hash, created_at)
                SELECT 1, n, gen_random_uuid(), 'fund', 1, 'x', 1, 'EUR', :entry, '', now()
                FROM generate_series(1, :lines) n"""
                tx.execute(text(statement), {"lines": LINES, "entry": ENTRY})
            yield running


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement of an export takes LONG."""
    stream = exports.stream

    def slowly(tx: Any, *arguments: Any) -> Iterator[Sequence[Any]]:
        tx.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": LONG})
        yield from stream(tx, *arguments)

    monkeypatch.setattr(exports, "stream", slowly)


def lines_over_rest(world: World, pause: float = 0) -> int:
    """Reads the ledger as CSV, after the first bytes only after `pause` seconds; returns its lines."""
    day, query = datetime.now(UTC).date(), {"dataset": "EXPORT_DATASET_LEDGER_ENTRIES"}
    for name in ("startDate", "endDate"):
        query |= {f"{name}.{part}": str(getattr(day, part)) for part in ("year", "month", "day")}
    with (
        world.edge.client() as client,
        client.stream("GET", "/v1/exports", params=query, headers=world.edge.bearer("auditor")) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        parts = answer.iter_bytes()
        lines = next(parts).count(b"\n")
        time.sleep(pause)
        return lines + sum(part.count(b"\n") for part in parts)


def test_a_slow_statement_may_take_longer_than_an_ordinary_call(hasty: World, slow: None) -> None:
    assert lines_over_rest(hasty) == LINES + 1


def test_so_it_may_over_grpc_without_a_deadline(hasty: World, slow: None) -> None:
    day = day_message(datetime.now(UTC).date())
    request = export_pb2.GetExportRequest(dataset=3, start_date=day, end_date=day)
    with grpc.insecure_channel(hasty.edge.address) as channel:
        stub = export_pb2_grpc.ExportServiceStub(channel)
        parts = stub.GetExport(request, metadata=list(hasty.edge.bearer("auditor").items()))
        assert sum(part.data.count(b"\n") for part in parts) == LINES + 1


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, slow: None) -> None:
    """A stream ends before its slow statement does, when the header line is sent already."""
    monkeypatch.setattr(deadline, "LONGEST_STREAM", SHORT)


def test_a_stream_ends_too_and_half_a_file_is_seen_to_be_one(hasty: World, hurried: None) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        lines_over_rest(hasty)


def test_control_half_a_file_would_look_whole(
    hasty: World, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "visibly", lambda call, answers: answers)
    assert lines_over_rest(hasty) == 1


def test_a_reader_may_take_longer_than_a_transaction_may_stand_idle(hasty: World) -> None:
    assert lines_over_rest(hasty, pause=LONGER) == LINES + 1


def test_control_a_transaction_that_may_not_wait_breaks_off(
    hasty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "may_idle", lambda tx, seconds: None)
    with pytest.raises(httpx.RemoteProtocolError):
        lines_over_rest(hasty, pause=LONGER)
    gc.collect()  # and of no other test's
