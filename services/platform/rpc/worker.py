"""One server process: `python -m services.platform.rpc.worker SERVICE`.

Separate from the command line so that a server does not carry the memory of what only people at a terminal
need.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from services.platform.collector import settle_collector
from services.platform.ending import set_by_signals
from services.platform.errors import Refusal
from services.platform.identity.keys import KeySet, fetch_keys
from services.platform.identity.tokens import TokenVerifier
from services.platform.rpc.method import ContractError
from services.platform.rpc.server import Server
from services.platform.service import ServiceDefinition, load_service
from services.platform.settings import Settings, SettingsError
from services.platform.telemetry.exposition import SHARED, serve_metrics
from services.platform.telemetry.logs import configure_logging
from services.platform.telemetry.tracing import export_spans, flush_spans

PARENT_PIPE = "WAYMARK_PARENT_PIPE"  # number of a descriptor that ends when the supervisor is gone
BAD_SETUP = 78  # exit code (sysexits EX_CONFIG): starting again cannot help

_log = structlog.get_logger()


def main(load: Callable[[str], ServiceDefinition] = load_service) -> int:
    """Serves the service that the command line names until SIGTERM or SIGINT; returns the exit code."""
    try:
        _work_through()
        settings = Settings.from_environment(sys.argv[1])
        configure_logging(settings.service, key=settings.secret("log-handle.key", size=32))
        server = build(settings, load(settings.service))
    except (SettingsError, ContractError, LookupError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETUP
    stop = threading.Event()
    set_by_signals(stop)
    if PARENT_PIPE in os.environ:
        threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    server.start()
    settle_collector()
    stop.wait()
    server.drain()
    flush_spans()
    return 0


def build(settings: Settings, definition: ServiceDefinition) -> Server:
    """Builds the server of this process; raises SettingsError, ContractError or OSError when it must not
    start."""
    if not settings.issuer:
        raise SettingsError("WAYMARK_OIDC_ISSUER is not set; nobody could ever be let in.")
    export_spans(settings.service, settings.otlp_endpoint)
    keys = KeySet(lambda: fetch_keys(settings.issuer, settings.jwks_uri, https_only=settings.production))
    threading.Thread(target=_warm, args=(keys,), daemon=True).start()
    verifier = TokenVerifier(keys, settings.issuer, settings.audience, algorithms=settings.algorithms)
    member = SHARED in os.environ
    server = Server(
        definition,
        definition.app.build(settings),
        verifier.verify,
        listen=settings.listen,
        shared_port=member,
    )
    if settings.metrics_port and not member:
        serve_metrics(settings.metrics_port, settings.listen.rpartition(":")[0].strip("[]"))
    return server


def _work_through() -> None:
    """Tells the system (Linux, SCHED_BATCH) that a thread that wakes need not interrupt the one at work: the
    threads of a server change places half as often, and none of them gains by interrupting another."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _warm(keys: KeySet) -> None:
    """Fetches the key set before the first caller has to wait for it."""
    try:
        keys.check()
    except Refusal:
        _log.warning("identity provider not reached yet")


def _watch_parent(stop: threading.Event) -> None:
    os.read(int(os.environ[PARENT_PIPE]), 1)  # returns when the other end is closed
    stop.set()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of libraries must not hold up the end
