"""Forward migrations: an Alembic chain per service, run by as many replicas at once as happen to start."""

from __future__ import annotations

import zlib
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.pool import NullPool

from services.platform.db.engine import driver_url

ROOT = Path(__file__).resolve().parents[2]


def migrate(service: str, url: str) -> str:
    """Brings the database at `url` to the newest revision of `service`; returns that revision.

    Replicas starting together queue on an advisory lock; the first migrates, the others find nothing to do.
    The whole chain is one transaction: it succeeds or leaves the database as it was. Raises SQLAlchemy's
    errors.
    """
    engine = sqlalchemy.create_engine(driver_url(url), poolclass=NullPool, use_native_hstore=False)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("SET LOCAL statement_timeout = 0"))
        connection.execute(
            sqlalchemy.select(
                sqlalchemy.func.pg_advisory_xact_lock(zlib.crc32(f"migrate {service}".encode()))
            )
        )
        config = alembic_config(service)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        revision = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return revision or ""


def alembic_config(service: str) -> Config:
    """Returns the Alembic configuration of `services/<service>/migrations/versions`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("alembic")))
    config.set_main_option("version_locations", str(ROOT / service / "migrations" / "versions"))
    config.set_main_option("path_separator", "os")
    return config
