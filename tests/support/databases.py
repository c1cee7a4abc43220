"""Databases for tests: each test gets its own, cloned from a template that was migrated once per server.

`database("vouchers")` returns a Database; the clone is dropped at the end of the test.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from services.platform.db import migrations
from services.platform.db.engine import driver_url, make_engine
from services.platform.db.roles import create_service_database

PASSWORD = "only-for-tests"
Build = Callable[[str], object]
BUILT: set[tuple[str, str]] = set()  # (administrator's address, template): nobody drops one


@dataclass(frozen=True)
class Database:
    """A database of one test: its address and an engine as the services use it."""

    url: str
    engine: sqlalchemy.Engine


class Databases:
    """Makes databases on one server; `drop` removes those it made.

    `admin`: connections of the server's administrator, opened and closed each time where nobody keeps some.
    """

    def __init__(self, admin_url: str, threads: int = 8, admin: sqlalchemy.Engine | None = None) -> None:
        self.admin_url = admin_url
        self._threads = threads
        self._admin = admin or administrator(admin_url, poolclass=NullPool)
        self._made: list[tuple[str, Database]] = []

    def __call__(self, service: str) -> Database:
        """Returns a fresh database of `service` with all its migrations, owned by the service's role."""
        versions = migrations.ROOT / service / "migrations" / "versions"
        return self.clone(service, _digest(versions), lambda url: migrations.migrate(service, url))

    def clone(self, service: str, version: str, build: Build) -> Database:
        """Returns a clone of the template that `build(url)` filled; `version` changes whenever `build`
        does."""
        template = f"template_{service}_{version}"
        if (self.admin_url, template) not in BUILT:
            with self._admin.connect() as alone:  # other workers wait here
                lock = sqlalchemy.text("SELECT pg_advisory_lock(hashtext(:service))")
                alone.execute(lock, {"service": service})
                try:
                    if not self._exists(template):
                        self._build(service, template, build)
                finally:
                    alone.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            BUILT.add((self.admin_url, template))
        name = f"test_{service}_{secrets.token_hex(6)}"
        with self._admin.connect() as connection:
            # Copying files takes 0.1 s, the other strategy, which writes all pages to the log too, 0.4 s.
            made_of = f"TEMPLATE {template} STRATEGY FILE_COPY OWNER waymark_{service}"
            connection.exec_driver_sql(f"CREATE DATABASE {name} {made_of}")
        url = make_url(self.admin_url).set(database=name, username=f"waymark_{service}", password=PASSWORD)
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        made = Database(text, make_engine(text, self._threads))
        self._made.append((name, made))
        return made

    def drop(self) -> None:
        """Drops every database made, whoever is still connected."""
        for name, made in self._made:
            made.engine.dispose()
            with self._admin.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        self._made.clear()

    def _exists(self, name: str) -> bool:
        with self._admin.connect() as connection:
            query = sqlalchemy.text("SELECT 1 FROM pg_database WHERE datname = :name")
            return connection.execute(query, {"name": name}).first() is not None

    def _build(self, service: str, template: str, build: Build) -> None:
        """Builds under another name first, so that a half-built template never has the final one."""
        draft = f"draft_{secrets.token_hex(6)}"
        build(create_service_database(self.admin_url, service, PASSWORD, name=draft))
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {draft} RENAME TO {template}")


WAITING = "wait_event_type = 'Lock'"  # for `sessions`: waits for what another transaction holds


def administrator(url: str, **options: Any) -> sqlalchemy.Engine:
    """Returns an engine for statements that stand outside any transaction; `options` go to SQLAlchemy."""
    return sqlalchemy.create_engine(
        driver_url(url), isolation_level="AUTOCOMMIT", use_native_hstore=False, **options
    )


def sessions(engine: sqlalchemy.Engine, doing: str) -> int:
    """Returns how many sessions of this database do this: `state = 'idle in transaction'`, for example.

    Of this database alone, because other tests use the same server; by a transaction of its own, because
    PostgreSQL shows each transaction one picture of the others.
    """
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {doing}"
    with engine.connect() as connection:
        return int(connection.execute(sqlalchemy.text(query)).scalar_one())


def _digest(folder: Path) -> str:
    content = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    schema = (migrations.ROOT / "platform" / "db" / "schema.py").read_bytes()
    return hashlib.sha256(content + schema).hexdigest()[:12]


@pytest.fixture(scope="session")
def admin(postgres: str) -> Iterator[sqlalchemy.Engine]:
    """Administrator of the tests' server; one connection makes and drops all databases of a worker."""
    engine = administrator(postgres)
    yield engine
    engine.dispose()


@pytest.fixture
def database(postgres: str, admin: sqlalchemy.Engine) -> Iterator[Databases]:
    """Call it with a service's name for a fresh, migrated database of that service."""
    databases = Databases(postgres, admin=admin)
    yield databases
    databases.drop()
