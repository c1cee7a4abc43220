"""Ids and etags."""

from __future__ import annotations

import uuid

import pytest
from waymark.errors.v1 import reason_pb2

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.errors import Refusal


def test_ids_are_version_7_unique_and_grow_with_time(monkeypatch):
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(uuid.UUID(id).version, uuid.UUID(id).variant) for id in ids} == {(7, uuid.RFC_4122)}
    monkeypatch.setattr("time.time_ns", lambda: 4_000_000_000_000_000_000)
    assert new_id() > max(ids)


@pytest.mark.parametrize("sent", ["", "*", etag_of(3)])
def test_a_current_etag_passes(sent):
    check_etag(sent, 3)


@pytest.mark.parametrize("sent", [etag_of(2), "3", '"x"'])
def test_a_stale_etag_is_refused(sent):
    with pytest.raises(Refusal) as refusal:
        check_etag(sent, 3)
    assert refusal.value.reason == reason_pb2.REASON_ETAG_STALE
