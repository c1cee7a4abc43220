"""The tests' own service over `testing/v1/notes.proto`: every handler is as small as the property it
shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Column, MetaData, Table, Text, Uuid, insert, select, text
from waymark.errors.v1 import reason_pb2

from services.platform.app import App
from services.platform.db.engine import driver_url
from services.platform.db.ids import new_id
from services.platform.db.schema import platform_tables
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.platform.rpc.handlers import mutation, query, query_stream
from services.platform.service import ServiceDefinition
from tests.support.protos import compile_proto

notes_pb2, notes_pb2_grpc = compile_proto(Path(__file__).parent / "testing" / "v1", "notes")
NoteServiceStub: Any = notes_pb2_grpc.NoteServiceStub
metadata = MetaData()
notes = Table(
    "notes", metadata, Column("id", Uuid, primary_key=True), Column("owner", Text), Column("text", Text)
)
platform_tables(metadata)


def build(url: str) -> None:
    """Creates the tables; for `Databases.clone("testing", …, build)`."""
    engine = sqlalchemy.create_engine(driver_url(url))
    metadata.create_all(engine)
    engine.dispose()


class NoteApi(notes_pb2_grpc.NoteServiceServicer):  # type: ignore[misc,name-defined]
    """Servicer of NoteService."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.failures = 0

    @mutation
    def CreateNote(self, tx: Transaction, request: Any) -> Any:
        """Inserts a note of the caller."""
        return _create(tx, request)

    @mutation(answer_stored=False)
    def CreateSecret(self, tx: Transaction, request: Any) -> Any:
        """Inserts a note whose text must be shown only once."""
        return _create(tx, request)

    @query
    def GetNote(self, tx: Transaction, request: Any) -> Any:
        """Reads a note."""
        row = tx.execute(select(notes).where(notes.c.id == request.name.removeprefix("notes/"))).first()
        if row is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return notes_pb2.Note(name=request.name, owner=row.owner, text=row.text)

    @query_stream
    def ListNotes(self, tx: Transaction, request: Any) -> Iterator[Any]:
        """Streams `count` notes with `size` bytes besides, then fails when count is over a thousand."""
        for number in range(min(request.count, 1000)):
            yield notes_pb2.Note(text=str(number) + "x" * request.size)
        if request.count > 1000:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, "There are no more.")

    @query
    def Wait(self, tx: Transaction, request: Any) -> Any:
        """Holds a thread and a connection."""
        time.sleep(request.seconds)
        return notes_pb2.WaitResponse()

    @mutation
    def Fail(self, tx: Transaction, request: Any) -> Any:
        """Lets the database raise an error of the class asked for."""
        self.failures += 1
        if request.sqlstate == "python":
            raise ValueError("secret of Ada Lovelace")
        if not request.times or self.failures <= request.times:
            tx.execute(
                text(
                    "DO $$ BEGIN RAISE EXCEPTION 'secret of Ada Lovelace' "
                    f"USING ERRCODE = '{request.sqlstate}'; END $$"
                )
            )
        return notes_pb2.Note()


def _create(tx: Transaction, request: Any) -> Any:
    id_ = new_id()
    tx.execute(insert(notes).values(id=id_, owner=tx.principal.subject, text=request.text))
    time.sleep(request.hold)
    return notes_pb2.Note(name=f"notes/{id_}", owner=tx.principal.subject, text=request.text)


def owns(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `note.owner`."""
    query_ = select(notes.c.id).where(
        notes.c.id == request.name.removeprefix("notes/"), notes.c.owner == principal.subject
    )
    return connection.execute(query_).first() is not None


DEFINITION = ServiceDefinition(
    name="testing",
    app=App,
    servicers=[(notes_pb2_grpc.add_NoteServiceServicer_to_server, NoteApi)],
    relationships={"note.owner": owns},
    reactions={},
)
