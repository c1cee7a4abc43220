"""W3C trace context: read from callers, handed on to events and logs, exported as spans when asked to.

Standard: W3C Trace Context level 1 (`traceparent: 00-<32 hex>-<16 hex>-<2 hex>`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from random import getrandbits
from typing import NamedTuple, Protocol

_FORM = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?", re.ASCII)


class TraceContext(NamedTuple):
    """One span's place in a trace: ids in lower-case hex; `parent_id` is empty at the root."""

    trace_id: str
    span_id: str
    sampled: bool = False
    parent_id: str = ""

    @property
    def traceparent(self) -> str:
        """The header value that hands this span on as the parent of the next."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[TraceContext | None] = ContextVar("waymark_trace", default=None)


def continue_trace(traceparent: str | None) -> TraceContext:
    """Returns a new span below `traceparent`; a missing or malformed header starts a new trace."""
    found = _FORM.fullmatch(traceparent) if traceparent else None
    # Ids of traces must be unique, not secret.
    span_id = f"{getrandbits(64):016x}"
    if found is None or traceparent is None or traceparent.startswith("ff") or _zero(found):
        return TraceContext(f"{getrandbits(128):032x}", span_id)
    return TraceContext(found[1], span_id, bool(int(found[3], 16) & 1), found[2])


def enter_trace(trace: TraceContext | None) -> None:
    """Makes `trace` the current one of this thread; None leaves it."""
    _current.set(trace)


def current_trace() -> TraceContext | None:
    """Returns the trace this thread works in, if any."""
    return _current.get()


def current_traceparent() -> str:
    """Returns the header value for messages that leave this thread now; empty outside a trace."""
    trace = _current.get()
    return trace.traceparent if trace else ""


class Span(Protocol):
    """One timed piece of work."""

    context: TraceContext

    def end(self, code: str) -> None:
        """Ends the span; `code` is a gRPC status code name."""


class LocalSpan:
    """A span that nobody exports: only its ids matter, for logs and for those called next."""

    __slots__ = ("context",)

    def __init__(self, context: TraceContext) -> None:
        self.context = context

    def end(self, code: str) -> None:
        """Nothing to export."""


def _start_local(_: str, traceparent: str | None) -> Span:
    return LocalSpan(continue_trace(traceparent))


_start: Callable[[str, str | None], Span] = _start_local
_flush: Callable[[], object] = int  # does nothing


def start_span(name: str, traceparent: str | None) -> Span:
    """Starts the span of a call or of a consumed event below its sender's."""
    return _start(name, traceparent)


def export_spans(service: str, endpoint: str) -> None:
    """Sends spans to an OpenTelemetry collector at `endpoint` (OTLP over gRPC); an empty one changes nothing.

    The SDK is loaded only here: a stack without a collector does not pay for it.
    """
    global _start, _flush
    if endpoint:
        from services.platform.telemetry.spans import start_exporting

        _start, _flush = start_exporting(service, endpoint)


def flush_spans() -> None:
    """Sends what has not been sent yet; called when a process ends."""
    _flush()


def _zero(found: re.Match[str]) -> bool:
    return not found[1].strip("0") or not found[2].strip("0")
