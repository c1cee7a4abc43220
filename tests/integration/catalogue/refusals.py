"""How tests ask which fields a call was refused for."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def fields_refused(call: Any, request: Any) -> list[str]:
    """Runs a call that must fail; returns the fields its violations name, in order."""
    with pytest.raises(grpc.RpcError) as raised:
        call(request)
    found = error_details_pb2.BadRequest()
    status = rpc_status.from_call(raised.value)  # type: ignore[arg-type]
    assert status is not None
    for detail in status.details:
        detail.Unpack(found)
    return [violation.field for violation in found.field_violations]
