"""What an active version of a programme says stays as it is in the database, whatever the code does."""

from __future__ import annotations

import pytest
import sqlalchemy
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.store.names import version_parts
from services.vouchers.store.tables import programme_versions
from tests.support.vouchers import World, sample

DUTCH = "dutch-temporary-training-voucher"
# By column, what would change it; what may move is not among them.
CHANGES = {
    "programme_id": "programme_id || '-2'",
    "number": "number + 1000",
    "state": "1",
    "effective_date": "effective_date + 1",
    "rules": 'rules || \'{"cohort": "COHORT_NEWCOMERS"}\'',
    "drafted_by": "drafted_by || '{nobody}'",
    "activated_by": "'somebody'",
    "activated_at": "now()",
    "created_at": "now()",
}
ATTEMPTS = (
    *(f"UPDATE programme_versions SET {column} = {value}" for column, value in CHANGES.items()),
    "UPDATE programmes SET currency = 'SEK'",
    "DELETE FROM programme_versions",
)
OFF = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in ("programme_versions", "programmes")]


def run(world: World, *statements: str) -> None:
    """Runs statements past the code, and takes back what they did."""
    with world.app.engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.rollback()
    world.app.engine.dispose()  # the driver forgets prepared statements on a connection that changed tables


def prepared(world: World) -> World:
    """Returns the world with another programme, so that a version could be moved to it."""
    name = world.programme().removeprefix("programmes/")
    with transaction(world.app) as tx:
        tx.execute(text(f"INSERT INTO programmes (id, currency) VALUES ('{name}-2', 'EUR')"))
    return world


def test_the_database_refuses_what_the_code_should_have(world: World) -> None:
    prepared(world)
    for statement in ATTEMPTS:
        with pytest.raises(sqlalchemy.exc.IntegrityError, match="an active version of a programme never"):
            run(world, statement)


def test_every_column_but_three_is_fixed() -> None:
    free = {column.name for column in programme_versions.columns} - CHANGES.keys()
    assert free == {"version", "terms_told"}  # and `state`, on from active


def test_control_without_the_triggers_all_of_it_happens(world: World) -> None:
    prepared(world)
    for statement in ATTEMPTS:
        run(world, *OFF, statement)


def test_what_moves_later_moves(world: World) -> None:
    run(prepared(world), "UPDATE programme_versions SET state = 3, version = version + 1, terms_told = true")


def test_a_draft_is_changed_and_deleted(world: World) -> None:
    content = sample(DUTCH)
    wanted = pb.CreateProgrammeRequest(programme=ParseDict(content["programme"], pb.Programme()))
    programme = world.maker.programmes.CreateProgramme(wanted)
    version = ParseDict(content["version"], pb.ProgrammeVersion())
    drafted = world.maker.programmes.CreateProgrammeVersion(
        pb.CreateProgrammeVersionRequest(parent=programme.name, version=version)
    )
    which = "WHERE programme_id = '{}' AND number = {}".format(*version_parts(drafted.name))
    run(
        world,
        f"UPDATE programme_versions SET effective_date = effective_date + 1 {which}",
        "UPDATE programmes SET currency = 'SEK' WHERE id = '{}'".format(*version_parts(drafted.name)),
        f"DELETE FROM programme_versions {which}",
    )
