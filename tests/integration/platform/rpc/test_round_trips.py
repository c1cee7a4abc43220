"""How often a call waits for the database, counted on the wire: each round trip ends with ReadyForQuery."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token

WARM = 8  # calls until the driver has prepared each statement


class Wire:
    """libpq's own trace of one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")

    def follow(self, connection: Any, _: object) -> None:
        connection.pgconn.trace(self._file.fileno())

    def trips(self) -> int:
        return self._path.read_bytes().count(b"ReadyForQuery")


@pytest.fixture
def wire(tmp_path: Path) -> Any:
    made = Wire(tmp_path / "trace")
    yield made
    made._file.close()


@pytest.fixture
def served(serve: Any, database: Any, wire: Wire) -> Served:
    running = serve(
        notes.DEFINITION, database.clone("testing", "2", notes.build).url, environ={"WAYMARK_THREADS": "1"}
    )
    event.listen(running.app.engine, "connect", wire.follow)
    return running


def trips(wire: Wire, call: Any, request: Any) -> int:
    for _ in range(WARM):
        call(request())
    before = wire.trips()
    call(request())
    return wire.trips() - before


def create(**fields: Any) -> Any:
    return notes_pb2.CreateNoteRequest(text="a", **fields)


def test_a_mutation_adds_two_round_trips_to_its_own_statements(served: Served, wire: Wire) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    assert trips(wire, stub.CreateNote, lambda: create(request_id=str(uuid.uuid4()))) == 1 + 2
    assert trips(wire, stub.CreateNote, create) == 1 + 2


def test_a_repeat_is_answered_with_the_first_round_trip(served: Served, wire: Wire) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    same = create(request_id=str(uuid.uuid4()))
    assert trips(wire, stub.CreateNote, lambda: same) == 2


def test_a_query_with_its_relationship_takes_four(served: Served, wire: Wire) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    name = stub.CreateNote(create()).name
    assert trips(wire, stub.GetNote, lambda: notes_pb2.GetNoteRequest(name=name)) == 2 + 2
