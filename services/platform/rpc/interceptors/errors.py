"""Turns whatever was raised inside into a status; nothing of an unexpected error reaches the caller."""

from __future__ import annotations

from types import TracebackType

import grpc
import structlog
from waymark.errors.v1 import reason_pb2

from services.platform.rpc.call import Call
from services.platform.rpc.status import answer_of, refusal_for
from services.platform.telemetry import metrics
from services.platform.telemetry.tracing import current_trace

# What no caller can mend: somebody of ours has to look.
_OURS = frozenset({reason_pb2.REASON_INTERNAL, reason_pb2.REASON_SEAL_KEY_MISSING})
_log = structlog.get_logger()


class Errors:
    """Aborts the call with the status that the error amounts to."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    def __enter__(self) -> None:
        """Nothing to do before the call."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if error is None:
            return
        # The caller of a stream went away: when it was to take an answer, or when it was to send more.
        if isinstance(error, GeneratorExit | grpc.RpcError):
            self.call.code = "CANCELLED"
            return
        call = self.call
        refusal = refusal_for(error)
        if refusal.reason in _OURS:
            metrics.RPC_UNEXPECTED.labels(call.method.name).inc()
            _log.error("unexpected error", method=call.method.name, exc_info=error)
        trace = current_trace()
        answer = answer_of(refusal, trace.trace_id if trace else "")
        call.code, call.reason = answer.code.name, answer.reason
        call.context.abort_with_status(answer)
