"""Spans through the OpenTelemetry SDK; imported only when a collector's address is set."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.platform.telemetry import tracing

_SERVER_FAULTS = {"INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS", "UNIMPLEMENTED"}


class ExportedSpan:
    """An SDK span; attributes follow the RPC semantic conventions and hold no request data."""

    def __init__(self, span: Span) -> None:
        self._span = span
        made = span.get_span_context()
        self.context = tracing.TraceContext(
            f"{made.trace_id:032x}", f"{made.span_id:016x}", bool(made.trace_flags.sampled)
        )

    def end(self, code: str) -> None:
        """Ends the span and hands it to the exporter's queue."""
        self._span.set_attribute("rpc.grpc.status_code", code)
        if code in _SERVER_FAULTS:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def start_exporting(
    service: str, endpoint: str
) -> tuple[Callable[[str, str | None], tracing.Span], Callable[[], None]]:
    """Returns functions that start a span and that send what is left; spans leave in batches on a thread."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"waymark-{service}"}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://")))
    )
    tracer = provider.get_tracer("waymark")
    propagator = TraceContextTextMapPropagator()

    def start(name: str, traceparent: str | None) -> tracing.Span:
        parent = propagator.extract({"traceparent": traceparent}) if traceparent else None
        return ExportedSpan(tracer.start_span(name, context=parent, kind=SpanKind.SERVER))

    return start, provider.shutdown
