"""One RPC in flight: what the interceptors found out, and what the handler still has to ask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.identity.principals import ANONYMOUS, Principal
from services.platform.rpc.method import Method

if TYPE_CHECKING:
    from threading import Event

    import grpc
    import sqlalchemy

    from services.platform.service import Relationship


class Call:
    """Takes the place of the servicer context in handlers. `deadline`: monotonic clock, seconds. `ending` is
    set, for a stream of answers, when the server goes."""

    __slots__ = (
        "address",
        "authorization",
        "code",
        "context",
        "deadline",
        "ending",
        "method",
        "pending",
        "principal",
        "reason",
        "started",
        "traceparent",
        "transcoded",
    )

    def __init__(self, method: Method, context: grpc.ServicerContext, ending: Event | None = None) -> None:
        self.method = method
        self.context = context
        self.ending = ending
        self.started = time.monotonic()
        self.deadline = self.started
        self.principal: Principal = ANONYMOUS
        self.pending: Sequence[Relationship] = ()  # one of these must hold; empty: allowed already
        self.code = "OK"
        self.reason = ""
        self.authorization: str | None = None
        self.traceparent: str | None = None
        self.transcoded = False  # came over REST
        self.address = ""  # from where the edge was called; it tells none of a private network
        for key, value in context.invocation_metadata():
            if isinstance(value, bytes):
                continue
            if key == "authorization":
                # Two of them could let the edge check one and this server believe the other.
                self.authorization = value if self.authorization is None else "twice"
            elif key == "traceparent":
                self.traceparent = value
            elif key == "x-envoy-original-method":
                self.transcoded = True
            elif key == "x-envoy-external-address":
                self.address = value

    def remaining(self) -> float:
        """Seconds until the deadline; raises Refusal(DEADLINE_EXCEEDED) when it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Refusal(reason_pb2.REASON_DEADLINE_EXCEEDED)
        return left

    def resolve(self, request: Message, connection: sqlalchemy.Connection) -> None:
        """Raises Refusal(NOT_FOUND) unless one of the pending relationships holds in this transaction.

        NOT_FOUND, because a caller of the right role must not learn that somebody else's resource exists.
        """
        if self.pending and not any(holds(self.principal, request, connection) for holds in self.pending):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
