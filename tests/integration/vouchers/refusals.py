"""How tests ask why a call was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def refused(call: Callable[[], Any]) -> str:
    """Runs a call that must fail; returns the name of the reason."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return reason_of(raised.value)


def reason_of(error: Any) -> str:
    """Returns the reason in the details of an error."""
    info = error_details_pb2.ErrorInfo()
    for detail in rpc_status.from_call(error).details:
        if detail.Unpack(info):
            return info.reason
    raise AssertionError(f"no ErrorInfo in {error}")


def violations_of(call: Callable[[], Any]) -> dict[str, str]:
    """Runs a call that must fail; returns its field violations."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    bad = error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(raised.value).details:
        if detail.Unpack(bad):
            return {item.field: item.description for item in bad.field_violations}
    return {}
