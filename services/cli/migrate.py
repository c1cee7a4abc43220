"""`waymark migrate SERVICE`."""

from __future__ import annotations

import typer

from services.cli.processes import ServiceName, settings_of


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("migrate")(migrate)


def migrate(service: ServiceName) -> None:
    """Bring a service's database and topics to what this version needs; safe to run many times at once.

    Creates the topics the service publishes and consumes, as `deploy/kafka/topics.toml` declares them.
    Example: waymark migrate catalogue
    """
    settings = settings_of(service)
    from services.platform.db import migrations
    from services.platform.events.topics import ensure_topics, topics_of

    revision = migrations.migrate(service, settings.database_url)
    created = ensure_topics(settings, topics_of(service))
    typer.echo(f"{service}: database at {revision}, {len(created)} topics created")
