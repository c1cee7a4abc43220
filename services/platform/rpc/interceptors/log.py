"""One log line and three metrics per call, refused ones included; never a request, a name or a subject."""

from __future__ import annotations

import time
from types import TracebackType

import structlog
from prometheus_client import Counter, Histogram

from services.platform.rpc.call import Call
from services.platform.telemetry import metrics
from services.platform.telemetry.logs import caller_handle

_log = structlog.get_logger()
# Looking up a labelled metric costs more than counting; the labels are few.
_counters: dict[tuple[str, str], Counter] = {}
_timers: dict[str, Histogram] = {}


class Log:
    """Counts and writes down how the call ended; errors inside have already set code and reason."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    def __enter__(self) -> None:
        """Nothing to do before the call."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        call = self.call
        name = call.method.name
        seconds = time.monotonic() - call.started
        key = (name, call.code)
        counter = _counters.get(key)
        if counter is None:
            counter = _counters[key] = metrics.RPC_CALLS.labels(*key)
            _timers[name] = metrics.RPC_SECONDS.labels(name)
        counter.inc()
        _timers[name].observe(seconds)
        write = _log.error if call.code == "INTERNAL" else _log.info
        write(
            "call",
            method=name,
            code=call.code,
            reason=call.reason,
            seconds=round(seconds, 6),
            caller=caller_handle(call.principal.subject),
        )
