"""One call through the real server: answers, refusals with details, idempotency."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from sqlalchemy import func, select

from services.platform.rpc import handlers
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.servers import Served, token

DETAILS = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
    error_details_pb2.LocalizedMessage,
)


@pytest.fixture
def served(serve, database) -> Served:
    return serve(notes.DEFINITION, database.clone("testing", "2", notes.build).url)


def details_of(error: grpc.RpcError) -> dict[str, Any]:
    """Every detail of the status, by message name."""
    blob = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(blob)
    assert status.code == error.code().value[0]
    found = {}
    for packed in status.details:
        for kind in DETAILS:
            if packed.Is(kind.DESCRIPTOR):
                detail = kind()
                packed.Unpack(detail)
                found[kind.DESCRIPTOR.name] = detail
    return found


def refused(call, *arguments: Any, **options: Any) -> tuple[grpc.StatusCode, dict[str, Any]]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value.code(), details_of(caught.value)


def rows(served: Served) -> int:
    with served.app.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(notes.notes)).scalar_one()


def test_a_call_is_answered_and_takes_effect(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner", subject="ada"))
    note = stub.CreateNote(notes_pb2.CreateNoteRequest(text="hello"))
    assert note.owner == "ada"
    assert stub.GetNote(notes_pb2.GetNoteRequest(name=note.name)).text == "hello"


def test_broken_rules_are_listed_by_field(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    request = notes_pb2.CreateNoteRequest(request_id="no uuid", tags=[notes_pb2.NoteTag(key="a")])
    code, details = refused(stub.CreateNote, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "INVALID_ARGUMENT"
    assert details["ErrorInfo"].domain == "waymark"
    assert len(details["ErrorInfo"].metadata["trace_id"]) == 32
    assert {violation.field for violation in details["BadRequest"].field_violations} == {
        "text",
        "request_id",
        "tags[0].key",
    }
    assert details["LocalizedMessage"].locale == "en"
    assert "Mend the fields" in details["LocalizedMessage"].message


def test_a_body_that_is_no_message_is_a_bad_request(served: Served) -> None:
    channel = grpc.insecure_channel(served.address)
    call = channel.unary_unary("/waymark.testing.v1.NoteService/CreateNote")
    code, details = refused(call, b"\xff\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "INVALID_ARGUMENT"
    channel.close()


def test_role_decides_first_and_relationship_in_the_transaction(served: Served) -> None:
    ada = served.stub(NoteServiceStub, token("learner", subject="ada"))
    note = notes_pb2.GetNoteRequest(name=ada.CreateNote(notes_pb2.CreateNoteRequest(text="mine")).name)
    bob = served.stub(NoteServiceStub, token("learner", subject="bob"))
    assert refused(bob.GetNote, note)[0] is grpc.StatusCode.NOT_FOUND
    assert served.stub(NoteServiceStub, token("auditor")).GetNote(note).text == "mine"
    assert served.stub(NoteServiceStub, token("learner", "auditor")).GetNote(note).text == "mine"
    assert refused(served.stub(NoteServiceStub, token("finance")).GetNote, note)[0] is (
        grpc.StatusCode.PERMISSION_DENIED
    )
    assert refused(served.stub(NoteServiceStub).GetNote, note)[0] is grpc.StatusCode.UNAUTHENTICATED
    assert refused(served.stub(NoteServiceStub, "forged").GetNote, note)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_public_rpc_needs_no_token(served: Served) -> None:
    served.stub(NoteServiceStub).Wait(notes_pb2.WaitRequest())


def test_streams_pass_the_same_way(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    assert len(list(stub.ListNotes(notes_pb2.ListNotesRequest(count=3)))) == 3
    received = []
    with pytest.raises(grpc.RpcError) as caught:
        received.extend(stub.ListNotes(notes_pb2.ListNotesRequest(count=1001)))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refused(lambda: list(served.stub(NoteServiceStub).ListNotes(notes_pb2.ListNotesRequest())))[0] is (
        grpc.StatusCode.UNAUTHENTICATED
    )


def test_validate_only_answers_and_leaves_nothing(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    id_ = str(uuid.uuid4())
    assert stub.CreateNote(notes_pb2.CreateNoteRequest(text="a", validate_only=True, request_id=id_)).name
    assert rows(served) == 0
    stub.CreateNote(notes_pb2.CreateNoteRequest(text="a", request_id=id_))
    assert rows(served) == 1


def test_a_repeated_request_gets_the_first_answer(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner", subject="ada"))
    request = notes_pb2.CreateNoteRequest(text="once", request_id=str(uuid.uuid4()))
    assert stub.CreateNote(request) == stub.CreateNote(request)
    assert rows(served) == 1
    other = notes_pb2.CreateNoteRequest(text="other", request_id=request.request_id)
    assert refused(stub.CreateNote, other)[1]["ErrorInfo"].reason == "REQUEST_ID_REUSED"
    stranger = served.stub(NoteServiceStub, token("learner", subject="bob"))
    assert stranger.CreateNote(request).owner == "bob"


def test_a_secret_is_not_answered_twice(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    request = notes_pb2.CreateNoteRequest(text="secret", request_id=str(uuid.uuid4()))
    stub.CreateSecret(request)
    code, details = refused(stub.CreateSecret, request)
    assert code is grpc.StatusCode.ALREADY_EXISTS
    assert details["ErrorInfo"].reason == "ALREADY_ANSWERED"
    assert rows(served) == 1


def twins(served: Served) -> int:
    """Sends one request from two threads at the same moment; returns how many effects it had."""
    request = notes_pb2.CreateNoteRequest(text="twin", request_id=str(uuid.uuid4()), hold=0.2)
    answers: list[Any] = []
    gate = threading.Barrier(2)
    stubs = [served.stub(NoteServiceStub, token("learner", subject="ada")) for _ in range(2)]

    def send(stub: Any) -> None:
        gate.wait()
        answers.append(stub.CreateNote(request))

    threads = [threading.Thread(target=send, args=(stub,)) for stub in stubs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    return rows(served)


def test_twins_have_one_effect(served: Served) -> None:
    assert twins(served) == 1


def test_control_without_the_claim_twins_have_two_effects(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "_claiming", lambda app, request, call: None)
    assert twins(served) == 2
