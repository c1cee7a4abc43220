"""A backup of the database, restored after somebody erased their portfolio: nothing of theirs can be read."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from services.portfolio.erasing import retell
from tests.integration.portfolio.test_erasure import backup, erase_request, readable, rows_left
from tests.integration.portfolio.test_retelling import told
from tests.support.backups import Server
from tests.support.canary import live_a_life
from tests.support.portfolio import Portfolio

KEYS = "holder_keys"


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
    # Whose key did not come back is erased anew, and told of.
    before = rows_left(app, stays.subject)
    retell(app.engine, datetime.now(UTC))
    assert ("entries" in rows_left(app, gone.subject)) is key_kept
    assert rows_left(app, stays.subject) == before
    assert [each.holder for each in told(restored.engine)] == ([] if key_kept else [gone.holder])
