"""The one place where an error becomes a `google.rpc.Status`.

Standards: google.rpc error model (AIP-193): ErrorInfo and LocalizedMessage always; BadRequest and
RetryInfo where they apply.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from waymark.errors.v1 import reason_pb2

from services.platform.db.faults import refusal_of
from services.platform.errors import Refusal, reason_name

DOMAIN = "waymark"
DETAILS = "grpc-status-details-bin"
# Header blocks are limited (8 KiB by default); a status that does not fit would reach the caller as nothing.
MAX_VIOLATION_BYTES = 3500  # for all of them together
MAX_TEXT = 300
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Answer(grpc.Status):
    """A status ready to be sent by `context.abort_with_status`, and the name of its reason."""

    def __init__(self, code: grpc.StatusCode, details: str, status: bytes, reason: str) -> None:
        self.code = code
        self.details = details
        self.status = status
        self.trailing_metadata = ((DETAILS, status),)
        self.reason = reason


class _Info(NamedTuple):
    """What the contract says of a reason, and its text for people, once built and then copied."""

    code: int
    text: str
    localized: error_details_pb2.LocalizedMessage


def refusal_for(error: BaseException) -> Refusal:
    """Returns the refusal that answers `error`; anything that no published reason covers is INTERNAL."""
    if isinstance(error, Refusal):
        return error
    return refusal_of(error) or Refusal(reason_pb2.REASON_INTERNAL)


def answer_of(refusal: Refusal, trace_id: str = "") -> Answer:
    """Returns the status for a refusal; `trace_id` goes into ErrorInfo.metadata for people to quote."""
    info = _info(refusal.reason)
    name = reason_name(refusal.reason)
    message = (refusal.detail or info.text)[:MAX_TEXT]
    status = Status(code=info.code, message=message)
    metadata = {key: value[:MAX_TEXT] for key, value in refusal.metadata.items()}
    if trace_id:
        metadata["trace_id"] = trace_id
    _pack(status, error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN, metadata=metadata))
    if refusal.violations:
        _pack(status, _bad_request(refusal))
    if refusal.retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(refusal.retry_after)
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    _pack(status, info.localized)
    return Answer(_CODES[info.code], message, status.SerializeToString(), name)


def _bad_request(refusal: Refusal) -> error_details_pb2.BadRequest:
    """The violations from the first on, as many as fit."""
    request = error_details_pb2.BadRequest()
    left = MAX_VIOLATION_BYTES
    for field, description in refusal.violations:
        text = description[:MAX_TEXT]
        left -= len(field.encode()) + len(text.encode()) + 8
        if left < 0:
            break
        request.field_violations.add(field=field[:MAX_TEXT], description=text)
    return request


def _pack(status: Status, detail: object) -> None:
    status.details.add().Pack(detail)


@cache
def _info(reason: int) -> _Info:
    value = reason_pb2.Reason.DESCRIPTOR.values_by_number.get(reason)
    info = value.GetOptions().Extensions[reason_pb2.info] if value else reason_pb2.ReasonInfo()
    text = info.text or "The call was refused."
    localized = error_details_pb2.LocalizedMessage(locale="en", message=f"{text} {info.remedy}".strip())
    return _Info(info.code or code_pb2.INTERNAL, text, localized)
