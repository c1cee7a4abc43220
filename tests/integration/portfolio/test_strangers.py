"""Nobody sees a portfolio that is not theirs (I8): every RPC, every stranger, and a control."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf import text_format
from sqlalchemy import event
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import (
    holder_pb2,
)

from services.portfolio import requests as relationships
from services.portfolio.api import calls
from services.portfolio.service import DEFINITION
from tests.support.owned import METHODS, Owned
from tests.support.portfolio import (
    Caller,
    Portfolio,
    reason_of,
)

# These name nobody's portfolio: one opens the caller's own, two list those of whom the caller has a mandate
# (test_pathways, test_guidance), one what was handed in to them (test_pages), one tells numbers of nobody,
# one who looked at many (test_break_glass), others need the secret of a link or a file.
WITHOUT_NAME = {
    "CreateHolder",
    "GiveAttestation",
    "GivePageComment",
    "GiveQuestionnairePart",
    "GetSharedFile",
    "ListCaseload",
    "ListDueRightsRequests",
    "ListIdeaExposures",
    "ListReadAlarms",
    "ListReceivedSubmissions",
    "ListStalledPathways",
    "ListUnreviewedBreakGlassAccesses",
    "OpenAttestationRequest",
    "OpenPageInvitation",
    "OpenQuestionnairePart",
    "OpenShareLink",
    "VerifyCredential",
}
# Looks without leave, which test_break_glass holds: anybody of the office may open one, and end their own.
OPEN_TO_THE_OFFICE = {"CreateBreakGlassAccess", "EndBreakGlassAccess"}
GUARDED = sorted(set(METHODS) - WITHOUT_NAME - OPEN_TO_THE_OFFICE)
# Need an object store to go through.
FILES = {"CreateEvidence", "FinalizeEvidence", "GetEvidenceDownload", "GetEvidenceUpload"}
LEAVES_NOTHING = {"EraseHolder"}
DESK = {options_pb2.ROLE_CASEWORKER, options_pb2.ROLE_SUPERVISOR}  # who answers for the office


def strangers(portfolio: Portfolio) -> list[Caller]:
    """Another learner, a counsellor without a mandate, one with a mandate of somebody else."""
    return [portfolio.person(), portfolio.counsellor(), portfolio.mandated(portfolio.person())]


def roles(method: Any) -> set[int]:
    return {allow.role for allow in method.GetOptions().Extensions[options_pb2.policy].allow}


def test_every_rpc_is_in_the_table_and_asks_a_relationship() -> None:
    for name in GUARDED:
        policy = METHODS[name].GetOptions().Extensions[options_pb2.policy]
        assert all(allow.relationship for allow in policy.allow if allow.role not in DESK), name
        assert not policy.public, name


def test_only_the_holder_tries_out_what_would_happen(portfolio: Portfolio) -> None:
    """It rolls the access log back together with the rest, and so would show without a trace."""
    owned = Owned(portfolio)
    helper = portfolio.mandated(owned.person, act_on_behalf=True)
    tried = {
        name
        for name in GUARDED
        if options_pb2.ROLE_COUNSELLOR in roles(METHODS[name])
        and "validate_only" in METHODS[name].input_type.fields_by_name
    }
    assert "CreateEntry" in tried
    for name in tried:
        request: Any = type(owned.requests[name])()
        request.CopyFrom(owned.requests[name])
        request.validate_only = True
        getattr(owned.person, name)(request)
        assert reason_of(getattr(helper, name), request) == "INVALID_ARGUMENT", name


def test_a_stranger_finds_nothing_with_any_rpc(portfolio: Portfolio) -> None:
    owned = Owned(portfolio)
    learner, *counsellors = strangers(portfolio)
    for name in GUARDED:
        request = owned.requests[name]
        for caller, role in [(learner, options_pb2.ROLE_LEARNER)] + [
            (counsellor, options_pb2.ROLE_COUNSELLOR) for counsellor in counsellors
        ]:
            expected = "NOT_FOUND" if role in roles(METHODS[name]) else "PERMISSION_DENIED"
            assert reason_of(getattr(caller, name), request) == expected, name
        assert reason_of(getattr(portfolio.anybody(), name), request) == "UNAUTHENTICATED", name
    read = owned.person.GetHolder(holder_pb2.GetHolderRequest(name=owned.person.holder))
    assert read.given_name == "Ada"


@contextlib.contextmanager
def asked(portfolio: Portfolio) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(portfolio.app.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(portfolio.app.engine, "before_cursor_execute", note)


def test_a_refusal_takes_no_longer_for_what_is_there(portfolio: Portfolio) -> None:
    """The database is asked the same of a portfolio that is there and of one that never was, so that the time
    of a refusal says nothing."""
    owned = Owned(portfolio)
    learner, counsellor, _ = strangers(portfolio)
    never = str(uuid.uuid4())
    for name in GUARDED:
        request = owned.requests[name]
        forged = text_format.Parse(str(request).replace(owned.person.subject, never), type(request)())
        for caller, role in ((learner, options_pb2.ROLE_LEARNER), (counsellor, options_pb2.ROLE_COUNSELLOR)):
            if role not in roles(METHODS[name]):
                continue
            work = []
            for each in (request, forged):
                with asked(portfolio) as said:
                    assert reason_of(getattr(caller, name), each) == "NOT_FOUND", name
                work.append(said)
            assert work[0] == work[1], name
    with asked(portfolio) as said:  # control: whoever may read it has more asked
        owned.person.GetHolder(owned.requests["GetHolder"])
    with asked(portfolio) as refused:
        reason_of(learner.GetHolder, owned.requests["GetHolder"])
    assert len(refused) < len(said)


def test_without_the_relationships_a_stranger_would_see(
    portfolio: Portfolio, serve, database, monkeypatch
) -> None:
    """Control: with resolvers that always agree, a stranger's calls go through or fail for another reason."""
    monkeypatch.setattr(calls, "log_access", lambda *_: None)
    always = dict.fromkeys(DEFINITION.relationships, lambda *_: True)
    made = database("portfolio")
    open_house = Portfolio(serve(replace(DEFINITION, relationships=always), made.url), made)
    owned, stranger = Owned(open_house), open_house.person()
    seen = 0
    for name in GUARDED:
        if options_pb2.ROLE_LEARNER not in roles(METHODS[name]) or name in FILES | LEAVES_NOTHING:
            continue
        with contextlib.suppress(grpc.RpcError):  # some refuse the state that an earlier one left
            getattr(stranger, name)(owned.requests[name])
            seen += 1
    assert seen >= 20


@pytest.mark.parametrize(
    "name",
    [
        "GetEntry",
        "GetEntryRevision",
        "ListEntryRevisions",
        "RollbackEntry",
        "UpdateEntry",
        "DeleteEntry",
        "UndeleteEntry",
        "GetCredential",
        "GetCredentialFile",
        "GetCv",
        "WithdrawAttestationRequest",
        "RevokeShareLink",
        "GetPathway",
        "MoveStep",
        "GetJournalEntry",
        "UpdateGoal",
        "DeletePlan",
        "GetMentoringMatch",
        "EndMentoringMatch",
        "GetGroupMembership",
        "LeaveGroupProgramme",
        "GetPage",
        "GetPageCollection",
        "HidePageComment",
        "WithdrawPageInvitation",
        "GetSubmittedPages",
        "WithdrawPageSubmission",
        "GetValidationCase",
        "SubmitValidationCase",
        "GetQuestionnaire",
        "GetQuestionnairePart",
        "GetSpecialCategoryPart",
        "AskQuestionnairePart",
    ],
)
def test_a_child_is_not_reached_through_another_parent(portfolio: Portfolio, name: str) -> None:
    """The caller's own portfolio with somebody else's ids in the name."""
    owned, thief = Owned(portfolio), portfolio.person()
    request = owned.requests[name]
    text = str(request).replace(owned.person.subject, thief.subject)
    forged = text_format.Parse(text, type(request)())
    assert reason_of(getattr(thief, name), forged) == "NOT_FOUND"


def test_relationships_say_no_to_what_names_nobody(portfolio: Portfolio) -> None:
    person = portfolio.person()
    for name in ("", "holders", "holders/", "learners/x", "x/holders/y"):
        request = holder_pb2.GetHolderRequest(name=name)
        assert relationships.holder_of(request) == ""
        if name:
            assert reason_of(person.GetHolder, request) == "NOT_FOUND"
