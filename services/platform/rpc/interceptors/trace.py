"""Outermost: the call joins its caller's trace, so that everything it writes can be found by trace id."""

from __future__ import annotations

from types import TracebackType

from services.platform.rpc.call import Call
from services.platform.telemetry import tracing


class Trace:
    """Enters the trace for the time of the call, and ends its span when spans are exported."""

    __slots__ = ("call", "span")

    def __init__(self, call: Call) -> None:
        self.call = call

    def __enter__(self) -> None:
        self.span = tracing.start_span(self.call.method.name, self.call.traceparent)
        tracing.enter_trace(self.span.context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.span.end(self.call.code)
        tracing.enter_trace(None)
