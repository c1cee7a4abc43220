"""How tests ask why a call was refused, or many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def tried(call: Callable[[], object]) -> str:
    """Runs a call; returns the name of the reason why it was refused, empty when it was not."""
    try:
        call()
    except grpc.RpcError as error:
        return reason_of(error)
    return ""


def at_once(call: Callable[[], object], callers: int) -> Counter[str]:
    """Lets so many callers do the same at once; returns how often each reason came, "" for no refusal."""
    with ThreadPoolExecutor(callers) as pool:
        return Counter(pool.map(lambda _: tried(call), range(callers)))


def violations_of(call: Callable[[], Any]) -> dict[str, str]:
    """Runs a call that must fail; returns its field violations."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    bad = error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(raised.value).details:
        if detail.Unpack(bad):
            return {item.field: item.description for item in bad.field_violations}
    return {}
