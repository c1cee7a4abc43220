"""What a refused call says of why (google.rpc error model)."""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

D = TypeVar("D", bound=Message)


def detail_of(error: grpc.RpcError, kind: type[D]) -> D:
    """Returns the detail of this kind in the status of a refusal, which must have one."""
    status, detail = rpc_status.from_call(error), kind()  # type: ignore[arg-type]
    assert status is not None, error
    assert any(each.Unpack(detail) for each in status.details), f"no {kind.__name__} in {error}"
    return detail


def reason_of(error: grpc.RpcError) -> str:
    """Returns the reason of a refusal, without `REASON_`."""
    return str(detail_of(error, error_details_pb2.ErrorInfo).reason)


def fields_refused(call: Any, request: Any) -> list[str]:
    """Runs a call that must fail; returns the fields its violations name, in order."""
    with pytest.raises(grpc.RpcError) as raised:
        call(request)
    return [each.field for each in detail_of(raised.value, error_details_pb2.BadRequest).field_violations]
