"""Serves /metrics over HTTP for one process, or for a set of processes that share a folder."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED = "PROMETHEUS_MULTIPROC_DIR"


def serve_metrics(port: int, address: str = "127.0.0.1") -> int:
    """Starts the HTTP server on a daemon thread; returns its port. Port 0 chooses a free one."""
    if SHARED in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        server, _ = start_http_server(port, address, registry)
    else:
        server, _ = start_http_server(port, address)
    return int(server.server_port)


def share_metrics(folder: Path) -> None:
    """Makes this process and its children count into `folder`. Call before `metrics` is imported anywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):  # counts of processes of an earlier life
        left.unlink()
    os.environ[SHARED] = str(folder)


def forget_process(pid: int) -> None:
    """Drops the live gauges of a process of the set that has ended."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
