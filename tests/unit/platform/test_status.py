"""Refusals as statuses: every published reason has code, text and remedy, and fits into a header block."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation, reason_name
from services.platform.rpc.status import answer_of, refusal_for

REASONS = [number for number in reason_pb2.Reason.values() if number]


def parsed(refusal: Refusal) -> status_pb2.Status:
    return status_pb2.Status.FromString(answer_of(refusal, "a" * 32).trailing_metadata[0][1])


@pytest.mark.parametrize("reason", REASONS, ids=reason_name)
def test_each_reason_is_complete(reason: int) -> None:
    answer = answer_of(Refusal(reason))
    status = parsed(Refusal(reason))
    assert answer.code is not grpc.StatusCode.OK
    assert answer.reason == reason_name(reason)
    info, localized = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
    assert status.details[0].Unpack(info)
    assert status.details[-1].Unpack(localized)
    assert (info.reason, info.domain, info.metadata["trace_id"]) == (answer.reason, "waymark", "a" * 32)
    options = reason_pb2.Reason.DESCRIPTOR.values_by_number[reason].GetOptions().Extensions[reason_pb2.info]
    assert options.text
    assert options.remedy
    assert localized.message == f"{options.text} {options.remedy}"


def test_detail_metadata_violations_and_retry_travel() -> None:
    refusal = Refusal(
        reason_pb2.REASON_WRONG_STATE,
        "The voucher is spent.",
        violations=[Violation("voucher", "is spent")],
        metadata={"state": "SPENT"},
        retry_after=timedelta(seconds=1.5),
    )
    status = parsed(refusal)
    assert status.message == "The voucher is spent."
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    assert status.details[0].Unpack(info)
    assert info.metadata["state"] == "SPENT"
    assert status.details[1].Unpack(bad)
    assert bad.field_violations[0].field == "voucher"
    assert status.details[2].Unpack(retry)
    assert retry.retry_delay.ToTimedelta() == timedelta(seconds=1.5)
    assert str(refusal) == "WRONG_STATE: The voucher is spent."


def test_a_flood_of_violations_still_fits_into_a_header_block() -> None:
    many = [Violation(f"rows[{number}].some.long.field", "x" * 1000) for number in range(5000)]
    answer = answer_of(Refusal(reason_pb2.REASON_INVALID_ARGUMENT, "y" * 9000, violations=many))
    assert len(answer.trailing_metadata[0][1]) < 6000
    assert len(answer.details) <= 300


def test_anything_else_is_internal_and_says_nothing() -> None:
    refusal = refusal_for(ValueError("Ada Lovelace"))
    assert refusal.reason == reason_pb2.REASON_INTERNAL
    assert b"Lovelace" not in answer_of(refusal).trailing_metadata[0][1]


def test_an_unknown_number_is_internal() -> None:
    assert answer_of(Refusal(99)).code is grpc.StatusCode.INTERNAL
