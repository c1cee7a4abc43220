"""A backup of the database, restored after somebody erased their portfolio: nothing of theirs can be read."""

from __future__ import annotations

import copy
import subprocess
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from services.cli.stack.postgres import binary
from tests.integration.portfolio.test_erasure import backup, erase_request, readable
from tests.support.canary import live_a_life
from tests.support.databases import Database
from tests.support.portfolio import Portfolio

KEYS = "holder_keys"
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


@pytest.mark.parametrize("key_kept", [False, True], ids=["erased", "control"])
def test_what_is_restored_of_an_erased_person_cannot_be_read(
    lonely_portfolio: Portfolio, postgres: str, database: Any, key_kept: bool
) -> None:
    """Keys are backed up apart, and a restored database takes the newest; control: those of before."""
    server, portfolio = Server(postgres), lonely_portfolio
    gone, stays = live_a_life(portfolio), live_a_life(portfolio)
    contents = server.dump(portfolio.database, f"--exclude-table={KEYS}")
    keys = [server.dump(portfolio.database, f"--table={KEYS}")]
    gone.EraseHolder(erase_request(gone))
    keys.append(server.dump(portfolio.database, f"--table={KEYS}"))
    restored = database("portfolio")
    server.restore(restored, contents, keys[0] if key_kept else keys[1])
    app = copy.copy(portfolio.app)
    app.engine = restored.engine

    def read(subject: str) -> list[str]:
        copies = backup(app, subject)
        assert len(copies) > 20  # they are there, whoever can read them
        return readable(app, subject, copies)

    assert bool(read(gone.subject)) is key_kept
    assert {"entries", "holders", "skill_claims"} <= set(read(stays.subject))
