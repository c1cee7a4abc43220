"""`waymark consume SERVICE`."""

from __future__ import annotations

import typer

from services.cli.processes import ServiceName, settings_of


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("consume")(consume)


def consume(service: ServiceName) -> None:
    """React to the events a service consumes and run its periodic jobs, until Ctrl-C or SIGTERM.

    Several may run; Kafka shares the partitions out and each job runs on one at a time.
    Example: waymark consume portfolio
    """
    settings = settings_of(service)
    from services.platform.events.processes import run_consumer

    run_consumer(settings)
