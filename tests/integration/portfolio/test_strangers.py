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
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from sqlalchemy import event
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import (
    holder_pb2,
)
from waymark.portfolio.v1.evidence_pb2 import Evidence, SetEvidencePosterRequest
from waymark.portfolio.v1.validation_pb2 import GetValidationSnapshotRequest

from services.portfolio import requests as relationships
from services.portfolio.api import calls
from services.portfolio.service import DEFINITION
from tests.integration.portfolio.test_evidence import stored
from tests.support.owned import CALLS, Owned, calling
from tests.support.pictures import png
from tests.support.portfolio import (
    Caller,
    Portfolio,
    outcome,
    reason_of,
)
from tests.support.refusals import detail_of
from tests.support.validations import submitted

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
    "OpenSharedPages",
    "VerifyCredential",
}
# Looks without leave, which test_break_glass holds: anybody of the office may open one, and end their own.
OPEN_TO_THE_OFFICE = {"CreateBreakGlassAccess", "EndBreakGlassAccess"}
GUARDED = sorted(set(CALLS) - WITHOUT_NAME - OPEN_TO_THE_OFFICE)
# Need an object store to go through.
FILES = {"CreateEvidence", "FinalizeEvidence", "GetEvidenceDownload", "GetEvidenceUpload"}
LEAVES_NOTHING = {"EraseHolder"}
# Roles beside learners and counsellors, of which a portfolio can be opened to somebody.
OFFICE = {options_pb2.ROLE_PROVIDER: "provider", options_pb2.ROLE_CASEWORKER: "caseworker"}
FILTERS = (("page_token", "another"), ("page_size", 1), ("show_deleted", True), ("kind", 1))
DESK = {options_pb2.ROLE_CASEWORKER, options_pb2.ROLE_SUPERVISOR}  # who answers for the office


@pytest.fixture(scope="module")
def portfolio(portfolio_with_files: Portfolio) -> Portfolio:
    return portfolio_with_files


@pytest.fixture(scope="module")
def owned(portfolio: Portfolio) -> Owned:
    """Somebody's, of whom the tests of this module change nothing."""
    return Owned(portfolio, stored)


def with_poster(person: Caller) -> Evidence:
    file = stored(person)
    person.SetEvidencePoster(SetEvidencePosterRequest(name=file.name, image=png(2, 2)))
    return file


def strangers(portfolio: Portfolio) -> list[Caller]:
    """Another learner, a counsellor without a mandate, one with a mandate of somebody else."""
    return [portfolio.person(), portfolio.counsellor(), portfolio.mandated(portfolio.person())]


def roles(method: Any) -> set[int]:
    return {allow.role for allow in method.GetOptions().Extensions[options_pb2.policy].allow}


def test_every_rpc_is_in_the_table_and_asks_a_relationship() -> None:
    for name in GUARDED:
        policy = CALLS[name].GetOptions().Extensions[options_pb2.policy]
        assert all(allow.relationship for allow in policy.allow if allow.role not in DESK), name
        assert not policy.public, name


def test_only_the_holder_tries_out_what_would_happen(portfolio: Portfolio, owned: Owned) -> None:
    """It rolls the access log back together with the rest, and so would show without a trace."""
    helper = portfolio.mandated(owned.person, act_on_behalf=True)
    tried = {
        name
        for name in GUARDED
        if options_pb2.ROLE_COUNSELLOR in roles(CALLS[name])
        and "validate_only" in CALLS[name].input_type.fields_by_name
    }
    assert "CreateEntry" in tried
    for name in tried:
        request: Any = type(owned.requests[name])()
        request.CopyFrom(owned.requests[name])
        request.validate_only = True
        getattr(owned.person, name)(request)
        assert reason_of(getattr(helper, name), request) == "INVALID_ARGUMENT", name


def test_a_stranger_finds_nothing_with_any_rpc(portfolio: Portfolio, owned: Owned) -> None:
    learner, *counsellors = strangers(portfolio)
    anybody = portfolio.anybody()
    for name in GUARDED:
        request = owned.requests[name]
        for caller, role in [(learner, options_pb2.ROLE_LEARNER)] + [
            (counsellor, options_pb2.ROLE_COUNSELLOR) for counsellor in counsellors
        ]:
            expected = "NOT_FOUND" if role in roles(CALLS[name]) else "PERMISSION_DENIED"
            assert reason_of(calling(caller, name), request) == expected, name
        assert reason_of(calling(anybody, name), request) == "UNAUTHENTICATED", name
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


def with_changes(request: Any, *changes: tuple[str, str]) -> Any:
    """A request in which texts are others."""
    said = str(request)
    for old, new in changes:
        said = said.replace(old, new)
    return text_format.Parse(said, type(request)())


def with_field(request: Any, field: str, value: Any) -> Any:
    """A request that says something in a field, of itself or of the resource that it carries."""
    changed = type(request)()
    changed.CopyFrom(request)
    for message in (changed, *(value for _, value in changed.ListFields() if isinstance(value, Message))):
        if field in message.DESCRIPTOR.fields_by_name:
            setattr(message, field, value)
            return changed
    return None


def is_child(resource: str) -> bool:
    """True for what is somebody's by its id, `holders/x/entries/y`, and not the one thing of its kind."""
    return resource.startswith("holders/") and resource.count("/") % 2 == 1 and resource.count("/") > 1


def guesses(owned: Owned, name: str) -> list[Any]:
    """What somebody asks who wants to know from a refusal what is there: of what is and of what never was,
    with the right etag and a wrong one, with filters and a page token."""
    request, never = owned.requests[name], str(uuid.uuid4())
    resource = relationships.resource_of(request)
    fields = [("etag", owned.etags.get(resource)), ("etag", "another"), *FILTERS]
    changed = [with_field(request, field, value) for field, value in fields if value]
    real = [request, *(each for each in changed if each is not None)]
    if is_child(resource):
        sibling = f"{resource.rpartition('/')[0]}/{never}"
        real.append(with_changes(request, (resource, sibling)))
    return [*real, *(with_changes(each, (owned.person.subject, never)) for each in real)]


def told(portfolio: Portfolio, call: Any, request: Any) -> tuple[Any, ...]:
    """All that a refusal says, and what the database is asked for it."""
    with asked(portfolio) as statements, pytest.raises(grpc.RpcError) as caught:
        call(request)
    info = detail_of(caught.value, error_details_pb2.ErrorInfo)
    del info.metadata["trace_id"]
    return caught.value.code(), caught.value.details(), info.reason, dict(info.metadata), statements


def related_roles(name: str) -> set[int]:
    """Roles that only a relationship helps."""
    allows = CALLS[name].GetOptions().Extensions[options_pb2.policy].allow
    return roles(CALLS[name]) - {allow.role for allow in allows if not allow.relationship}


def test_a_refusal_tells_nothing_of_what_is_there(portfolio: Portfolio, owned: Owned) -> None:
    """Word for word the same, for which the database is asked the same, so that the time says nothing
    either."""
    learner, counsellor, _ = strangers(portfolio)
    office = {role: portfolio.staff(word, f"organisations/{uuid.uuid4()}") for role, word in OFFICE.items()}
    callers = {options_pb2.ROLE_LEARNER: learner, options_pb2.ROLE_COUNSELLOR: counsellor} | office
    tried = 0
    for name in GUARDED:
        asking = guesses(owned, name)
        for role in related_roles(name):
            call = calling(callers[role], name)
            first, *others = [told(portfolio, call, each) for each in asking]
            assert first[2:4] == ("NOT_FOUND", {}), name
            for other, request in zip(others, asking[1:], strict=True):
                assert other == first, (name, request)
            tried += len(asking)
    assert tried > 3 * len(GUARDED)
    employer = portfolio.staff("employer", "organisations/yard")
    for name in GUARDED:
        refusal = told(portfolio, calling(employer, name), owned.requests[name])
        assert refusal[2:] == ("PERMISSION_DENIED", {}, []), name


def test_control_whoever_may_read_it_has_more_asked(portfolio: Portfolio, owned: Owned) -> None:
    with asked(portfolio) as said:
        owned.person.GetHolder(owned.requests["GetHolder"])
    stranger = portfolio.person()
    with asked(portfolio) as refused:
        reason_of(stranger.GetHolder, owned.requests["GetHolder"])
    assert len(refused) < len(said)


def test_control_the_holder_is_told_apart_what_is_there(portfolio: Portfolio) -> None:
    """Whom the relationship lets in learns more by the same guesses."""
    owned = Owned(portfolio, stored)
    _, right, wrong, never, *_ = guesses(owned, "DeleteEntry")
    by_holder = [outcome(owned.person.DeleteEntry, each) for each in (wrong, never, right)]
    assert by_holder == ["ETAG_STALE", "NOT_FOUND", "OK"]


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
        if options_pb2.ROLE_LEARNER not in roles(CALLS[name]) or name in FILES | LEAVES_NOTHING:
            continue
        with contextlib.suppress(grpc.RpcError):  # some refuse the state that an earlier one left
            calling(stranger, name)(owned.requests[name])
            seen += 1
    assert seen >= 20


def test_a_child_is_not_reached_through_another_parent(portfolio: Portfolio) -> None:
    """The caller's own portfolio, or one that was opened to them, with somebody else's ids in the name; as a
    control the holder then finds each."""
    owned, thief, given = Owned(portfolio, with_poster), portfolio.person(), submitted(portfolio)
    helper = portfolio.mandated(thief, act_on_behalf=True)
    consent = owned.person.GiveExposureConsent(owned.requests["GiveExposureConsent"])
    owned.requests["WithdrawExposureConsent"].name = consent.name
    children = [name for name in GUARDED if is_child(relationships.resource_of(owned.requests[name]))]
    found, lost = {}, {}
    # What was handed in, which the case of `Owned` was not.
    snapshot = GetValidationSnapshotRequest(name=given.name)
    assert given.person.GetValidationSnapshot(snapshot).validation_case == given.name
    forged = with_changes(snapshot, (given.person.subject, thief.subject))
    assert reason_of(thief.GetValidationSnapshot, forged) == "NOT_FOUND"
    for name in children:
        forged = with_changes(owned.requests[name], (owned.person.subject, thief.subject))
        for caller, role in ((thief, options_pb2.ROLE_LEARNER), (helper, options_pb2.ROLE_COUNSELLOR)):
            if role in roles(CALLS[name]) and (said := outcome(calling(caller, name), forged)) != "NOT_FOUND":
                found[name, role] = said
    assert found == {}
    for name in sorted(children, key=lambda name: (name.startswith("Delete"), name)):
        if options_pb2.ROLE_LEARNER in roles(CALLS[name]):
            lost[name] = outcome(calling(owned.person, name), owned.requests[name])
    assert {name for name, said in lost.items() if said == "NOT_FOUND"} == {"GetValidationSnapshot"}


def test_relationships_say_no_to_what_names_nobody(portfolio: Portfolio) -> None:
    person = portfolio.person()
    for name in ("", "holders", "holders/", "learners/x", "x/holders/y"):
        request = holder_pb2.GetHolderRequest(name=name)
        assert relationships.holder_of(request) == ""
        if name:
            assert reason_of(person.GetHolder, request) == "NOT_FOUND"
