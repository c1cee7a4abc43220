"""`waymark relay SERVICE`."""

from __future__ import annotations

import typer

from services.cli.processes import ServiceName, settings_of


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("relay")(relay)


def relay(service: ServiceName) -> None:
    """Publish a service's outbox to Kafka, until Ctrl-C or SIGTERM.

    Several may run; they share the work and keep each aggregate's order. Set by WAYMARK_* variables.
    Example: waymark relay vouchers
    """
    settings = settings_of(service)
    from services.platform.events.processes import run_relay

    run_relay(settings)
