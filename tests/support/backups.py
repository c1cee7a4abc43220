"""Backups of a service's database, made and restored as its administrator would."""

from __future__ import annotations

import subprocess

from sqlalchemy.engine import make_url

from services.cli.stack.postgres import binary
from tests.support.databases import Database

# As the administrator who restores: rules of the tables look at nothing that came from a backup.
UNCHECKED = "SET session_replication_role = replica;\n"


class Server:
    """The database server, as its administrator sees it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")

    def dump(self, of: Database, *which: str) -> str:
        """Returns what tables of a database hold, as SQL."""
        return self._run("pg_dump", of, "--data-only", "--inserts", "--on-conflict-do-nothing", *which)

    def restore(self, into: Database, *dumps: str) -> None:
        """Fills a database that has its tables."""
        self._run("psql", into, "--quiet", "--set=ON_ERROR_STOP=1", said=UNCHECKED + "".join(dumps))

    def _run(self, program: str, database: Database, *arguments: str, said: str = "") -> str:
        url = self._url.set(database=make_url(database.url).database)
        command = [binary(program), *arguments, f"--dbname={url.render_as_string(hide_password=False)}"]
        return subprocess.run(command, input=said, capture_output=True, text=True, check=True).stdout
