"""What was sent, as a message of a call: of bounded size, and refused with a reason where it is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError, Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

MAX_REQUEST = 1 << 20  # bytes; files go to the object store
# Bytes that gRPC takes in, its own default: it refuses what is larger while it reads, and tells no reason.
MAX_RECEIVED = 4 << 20


def parsed(parse: Callable[[bytes], Any], body: bytes) -> Message:
    """Returns the message; raises Refusal(REQUEST_TOO_LARGE), or INVALID_ARGUMENT for what is no message."""
    if len(body) > MAX_REQUEST:
        raise Refusal(reason_pb2.REASON_REQUEST_TOO_LARGE, f"A message has {MAX_REQUEST >> 20} MiB at most.")
    # Done here and not by grpcio, so that a body that is no message is refused like any other bad request.
    try:
        message: Message = parse(body)
    except DecodeError:
        raise Refusal(
            reason_pb2.REASON_INVALID_ARGUMENT, "The body is not a message of this call's request type."
        ) from None
    return message
