"""`waymark serve SERVICE`."""

from __future__ import annotations

import typer

from services.cli.processes import ServiceName, settings_of


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("serve")(serve)


def serve(service: ServiceName) -> None:
    """Answer a service's gRPC calls on WAYMARK_LISTEN, until Ctrl-C or SIGTERM; calls under way are finished.

    WAYMARK_PROCESSES processes share the port, each with WAYMARK_THREADS threads and database connections.
    Example: WAYMARK_LISTEN=127.0.0.1:7010 WAYMARK_PROCESSES=2 waymark serve vouchers
    """
    settings = settings_of(service)
    from services.cli.exits import ExitCode, Failure
    from services.platform.rpc.supervisor import run_server
    from services.platform.settings import SettingsError

    try:
        code = run_server(settings)
    except SettingsError as error:
        raise Failure(ExitCode.USAGE, str(error)) from error
    raise typer.Exit(code)
