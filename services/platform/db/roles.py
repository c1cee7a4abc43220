"""A database and a login role per service, neither of any use to another service."""

from __future__ import annotations

import sqlalchemy
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from services.platform.db.engine import driver_url


def create_service_database(admin_url: str, service: str, password: str, *, name: str = "") -> str:
    """Creates role and database `waymark_<service>` (or database `name`) unless there; returns the
    service's URL.

    `admin_url` needs the rights CREATEDB and CREATEROLE. The role owns its database, may not create others,
    and nobody else may connect to it. The password is set anew each time. Raises SQLAlchemy's errors.
    """
    role, database = f"waymark_{service}", name or f"waymark_{service}"
    engine = _administrator(admin_url)
    names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
    with engine.connect() as connection:
        known = sqlalchemy.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
        verb = "ALTER" if connection.execute(known, {"name": role}).first() else "CREATE"
        _run(
            connection,
            sql.SQL(
                verb + " ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {password}"
            ),
            **names,
            password=sql.Literal(password),
        )
        known = sqlalchemy.text("SELECT 1 FROM pg_database WHERE datname = :name")
        if not connection.execute(known, {"name": database}).first():
            # An administrator who is no superuser may give a database away only to a role it is a member of.
            _run(connection, sql.SQL("GRANT {role} TO CURRENT_USER"), **names)
            _run(connection, sql.SQL("CREATE DATABASE {database} OWNER {role}"), **names)
        _run(connection, sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC"), **names)
    url = make_url(admin_url).set(
        drivername="postgresql", username=role, password=password, database=database
    )
    return url.render_as_string(hide_password=False)


def add_extension(admin_url: str, service: str, extension: str, *, name: str = "") -> None:
    """Adds an extension of PostgreSQL to the database of a service (or database `name`) unless there.

    Only an administrator may add one that the server does not trust. Raises SQLAlchemy's errors.
    """
    url = make_url(admin_url).set(database=name or f"waymark_{service}")
    with _administrator(url.render_as_string(hide_password=False)).connect() as connection:
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {extension}")
        _run(connection, statement, extension=sql.Identifier(extension))


def _administrator(url: str) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        driver_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT", use_native_hstore=False
    )


def _run(connection: sqlalchemy.Connection, statement: sql.SQL, **parts: sql.Composable) -> None:
    """Runs a command whose names and literals PostgreSQL takes only as text, quoted by psycopg."""
    connection.exec_driver_sql(statement.format(**parts).as_string())
