"""The two event processes of a service, from settings to the last clean-up."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from services.platform.collector import settle_collector
from services.platform.ending import set_by_signals
from services.platform.telemetry.exposition import serve_metrics
from services.platform.telemetry.logs import configure_logging
from services.platform.telemetry.tracing import export_spans, flush_spans

if TYPE_CHECKING:
    from services.platform.service import ServiceDefinition
    from services.platform.settings import Settings


def run_relay(settings: Settings) -> None:
    """Relays a service's outbox until SIGTERM or SIGINT."""
    from services.platform.db.engine import make_engine
    from services.platform.events.relay import Relay

    stop = _prepare(settings)
    engine = make_engine(settings.database_url, 1, application=f"waymark-{settings.service}-relay")
    Relay(settings, engine).run(stop)
    engine.dispose()


def run_consumer(settings: Settings) -> None:
    """Consumes a service's events and runs its jobs until SIGTERM or SIGINT."""
    from services.platform.events.consumer import Consumer
    from services.platform.events.jobs import run_jobs
    from services.platform.service import load_service

    stop = _prepare(settings)
    export_spans(settings.service, settings.otlp_endpoint)
    definition = load_service(settings.service)
    app = definition.app.build(replace(settings, threads=max(settings.threads, connections(definition))))
    settle_collector()
    jobs = threading.Thread(target=run_jobs, args=(app, definition.jobs, stop), name="jobs")
    jobs.start()
    try:
        if definition.reactions:
            Consumer(definition, app).run(stop)
        else:
            stop.wait()
    finally:
        stop.set()
        jobs.join()
        app.close()
        flush_spans()


def connections(definition: ServiceDefinition) -> int:
    """Returns how many database connections a consumer may hold at the same moment: two for each job that can
    be under way, of which one holds its lock, and one for the events."""
    return 2 * (1 + sum(job.long for job in definition.jobs)) + 1


def _prepare(settings: Settings) -> threading.Event:
    """Logging, metrics and an event that the termination signals set."""
    stop = threading.Event()
    set_by_signals(stop)
    configure_logging(settings.service)
    if settings.metrics_port:
        serve_metrics(settings.metrics_port)
    return stop
