"""How tests ask why a call was refused, or many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from tests.support.refusals import detail_of, reason_of


def refused(call: Callable[[], Any]) -> str:
    """Runs a call that must fail; returns the name of the reason."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return reason_of(raised.value)


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
    found = detail_of(raised.value, error_details_pb2.BadRequest)
    return {item.field: item.description for item in found.field_violations}


def metadata_of(call: Callable[[], Any]) -> dict[str, str]:
    """Runs a call that must fail; returns what the refusal says for machines."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return dict(detail_of(raised.value, error_details_pb2.ErrorInfo).metadata)
