"""Mentoring: suggested with reasons, in force by the consent of both, read field by field, for a time."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from waymark.portfolio.v1 import access_log_pb2, holder_pb2, mentor_pb2
from waymark.portfolio.v1 import mentoring_match_pb2 as pb
from waymark.portfolio.v1.events_pb2 import MentoringMatchMoved

from services.platform.db.schema import outbox
from services.platform.db.transaction import Transaction, transaction
from services.portfolio import jobs
from services.portfolio.domain.mentoring import Standing
from services.portfolio.store import mentors
from tests.support.mentoring import FIELDS, WELDER, Offered, asking, matched, offered
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, refused

State = pb.MentoringMatch.State


def agree(name: str, *fields: str) -> pb.AgreeMentoringMatchRequest:
    return pb.AgreeMentoringMatchRequest(name=name, fields=fields)


def reading(name: str) -> pb.GetMentoredPortfolioRequest:
    return pb.GetMentoredPortfolioRequest(name=name)


def suggestions(caller: Caller, person: Caller, **fields: Any) -> list[pb.MentorSuggestion]:
    request = pb.SuggestMentorsRequest(parent=person.holder, **fields)
    return list(caller.SuggestMentors(request).suggestions)


def test_mentors_with_room_are_suggested_with_reasons(lonely_portfolio: Portfolio) -> None:
    portfolio = lonely_portfolio
    person = portfolio.person(languages=["nl-BE", "fr"])
    welder = offered(portfolio)
    near = offered(portfolio, occupation_uris=[], isco_codes=["7213"], languages=["fr"])
    offered(portfolio, languages=["pl"])
    offered(portfolio, occupation_uris=["http://x/cook"], isco_codes=["5120"])
    staff = portfolio.staff("provider", "organisations/x")
    own = mentor_pb2.Mentor(
        subject=person.subject, isco_codes=["7212"], languages=["nl"], capacity=1
    )  # a holder who mentors others
    staff.CreateMentor(mentor_pb2.CreateMentorRequest(mentor=own))
    wanted = {"occupation_uri": WELDER, "isco_code": "7212"}
    found = suggestions(person, person, **wanted)
    assert [each.mentor for each in found] == [welder.name, near.name]
    assert found[0].reasons == pb.MatchReasons(same_occupation=True, isco_group="7212", languages=["nl"])
    assert found[1].reasons == pb.MatchReasons(isco_group="721", languages=["fr"])
    matched(portfolio.person(), welder)  # takes the only place
    retire = mentor_pb2.RetireMentorRequest(name=near.name)
    near.caller.RetireMentor(retire)
    assert suggestions(portfolio.mandated(person), person, **wanted) == []
    assert reason_of(person.SuggestMentors, pb.SuggestMentorsRequest(parent=person.holder)) == (
        "INVALID_ARGUMENT"
    )


def test_an_organisation_offers_changes_and_retires_its_own_mentors(portfolio: Portfolio) -> None:
    mentor = offered(portfolio, "organisations/a")
    staff, other = (portfolio.staff("provider", f"organisations/{each}") for each in ("a", "b"))
    get = mentor_pb2.GetMentorRequest(name=mentor.name)
    read = staff.GetMentor(get)
    assert (read.organisation, read.active) == ("organisations/a", 0)
    change = mentor_pb2.UpdateMentorRequest(
        mentor=mentor_pb2.Mentor(name=mentor.name, capacity=3, etag=read.etag)
    )
    assert staff.UpdateMentor(change).capacity == 3
    assert reason_of(staff.UpdateMentor, change) == "ETAG_STALE"
    nothing = mentor_pb2.UpdateMentorRequest(
        mentor=mentor_pb2.Mentor(name=mentor.name),
        update_mask=FieldMask(paths=["occupation_uris", "isco_codes"]),
    )
    assert reason_of(staff.UpdateMentor, nothing) == "INVALID_ARGUMENT"
    retired = staff.RetireMentor(mentor_pb2.RetireMentorRequest(name=mentor.name))
    again = staff.RetireMentor(mentor_pb2.RetireMentorRequest(name=mentor.name))
    assert again.retire_time == retired.retire_time
    listed = mentor_pb2.ListMentorsRequest()
    assert [each.name for each in staff.ListMentors(listed).mentors] == [mentor.name]
    assert list(other.ListMentors(listed).mentors) == []
    for call, request in ((other.GetMentor, get), (other.UpdateMentor, change)):
        assert reason_of(call, request) == "NOT_FOUND"
    twin = mentor_pb2.Mentor(subject=mentor.caller.subject, isco_codes=["72"], languages=["nl"], capacity=1)
    assert reason_of(staff.CreateMentor, mentor_pb2.CreateMentorRequest(mentor=twin)) == "ALREADY_EXISTS"
    nowhere = portfolio.staff("provider")
    assert reason_of(nowhere.CreateMentor, mentor_pb2.CreateMentorRequest(mentor=twin)) == "INVALID_ARGUMENT"


def test_in_force_only_with_the_consent_of_both_and_read_field_by_field(portfolio: Portfolio) -> None:
    person, mentor = portfolio.person(given_name="Ada", family_name="Peeters"), offered(portfolio)
    entry(person, "Shipyard", place="Ghent")
    counsellor = portfolio.mandated(person)
    proposed = counsellor.CreateMentoringMatch(asking(person, mentor.name))
    received = pb.ListReceivedMatchesRequest(parent=mentor.name)
    # The mentor hears of nothing before the holder has agreed.
    assert list(mentor.caller.ListReceivedMatches(received).received_matches) == []
    for call, request in (
        (mentor.caller.AgreeMentoringMatch, agree(proposed.name)),
        (mentor.caller.GetMentoringMatch, pb.GetMentoringMatchRequest(name=proposed.name)),
    ):
        assert reason_of(call, request) == "NOT_FOUND"
    half = person.AgreeMentoringMatch(agree(proposed.name, *FIELDS))
    assert (half.state, list(half.fields)) == (State.STATE_PROPOSED, FIELDS)
    assert reason_of(mentor.caller.GetMentoredPortfolio, reading(proposed.name)) == "WRONG_STATE"
    (waiting,) = mentor.caller.ListReceivedMatches(received).received_matches
    assert waiting.mentoring_match == proposed.name
    assert mentor.caller.AgreeMentoringMatch(agree(proposed.name)).state == State.STATE_ACTIVE
    shown = mentor.caller.GetMentoredPortfolio(reading(proposed.name))
    assert shown.portfolio.holder == holder_pb2.Holder(given_name="Ada")
    assert [(each.title, each.place) for each in shown.portfolio.entries] == [("Shipyard", "")]
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    looked = [each for each in log.access_records if each.subject == mentor.caller.subject]
    assert [each.action for each in looked] == ["GetMentoredPortfolio", "AgreeMentoringMatch"]
    assert (looked[0].grant, list(looked[0].fields)) == (proposed.name, FIELDS)
    colleague = portfolio.staff(
        "provider", mentor.caller.GetMentor(mentor_pb2.GetMentorRequest(name=mentor.name)).organisation
    )
    assert reason_of(colleague.GetMentoredPortfolio, reading(proposed.name)) == "NOT_FOUND"
    assert reason_of(colleague.ListReceivedMatches, received) == "NOT_FOUND"
    whole = pb.ListMentoringMatchesRequest(parent=person.holder)
    assert counsellor.ListMentoringMatches(whole) == person.ListMentoringMatches(whole)


def test_without_the_state_the_mentor_would_read_unasked(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    person, mentor = portfolio.person(given_name="Ada"), offered(portfolio)
    name = person.CreateMentoringMatch(asking(person, mentor.name, fields=FIELDS)).name
    assert reason_of(mentor.caller.GetMentoredPortfolio, reading(name)) == "WRONG_STATE"
    monkeypatch.setattr(Standing, "require", lambda self, state: None)
    assert mentor.caller.GetMentoredPortfolio(reading(name)).portfolio.holder.given_name == "Ada"


def test_the_database_holds_both_consents_too(portfolio: Portfolio) -> None:
    person, mentor = portfolio.person(), offered(portfolio)
    name = person.CreateMentoringMatch(asking(person, mentor.name, fields=FIELDS)).name
    forced = text("UPDATE mentoring_matches SET state = 2 WHERE id = :id")
    with (
        pytest.raises(IntegrityError, match="mentoring_matches_both_agreed"),
        transaction(portfolio.app) as tx,
    ):
        tx.execute(forced, {"id": name.rpartition("/")[2]})


def test_what_the_mentor_reads_is_the_holders_to_say(portfolio: Portfolio) -> None:
    person, mentor = portfolio.person(), offered(portfolio)
    counsellor = portfolio.mandated(person)
    for caller, fields, reason in (
        (counsellor, ["holder"], "INVALID_ARGUMENT"),
        (person, [], "INVALID_ARGUMENT"),
        (person, ["holder.shoe_size"], "SHARE_FIELD_UNKNOWN"),
    ):
        request = asking(person, mentor.name, fields=fields)
        assert reason_of(caller.CreateMentoringMatch, request) == reason
    proposed = counsellor.CreateMentoringMatch(asking(person, mentor.name))
    assert reason_of(person.AgreeMentoringMatch, agree(proposed.name)) == "INVALID_ARGUMENT"
    assert reason_of(person.CreateMentoringMatch, asking(person, mentor.name, fields=FIELDS)) == (
        "ALREADY_EXISTS"
    )
    assert reason_of(person.CreateMentoringMatch, asking(person, "mentors/x", fields=FIELDS)) == (
        "INVALID_ARGUMENT"
    )


@pytest.mark.parametrize("by_mentor", [False, True])
def test_either_ends_it_at_once(portfolio: Portfolio, by_mentor: bool) -> None:
    person, mentor = portfolio.person(), offered(portfolio)
    name = matched(person, mentor).name
    mentor.caller.GetMentoredPortfolio(reading(name))  # control
    ended = (mentor.caller if by_mentor else person).EndMentoringMatch(pb.EndMentoringMatchRequest(name=name))
    assert ended.state == State.STATE_ENDED
    assert reason_of(mentor.caller.GetMentoredPortfolio, reading(name)) == "NOT_FOUND"
    assert reason_of(person.EndMentoringMatch, pb.EndMentoringMatchRequest(name=name)) == "WRONG_STATE"
    assert matched(person, mentor).state == State.STATE_ACTIVE  # the place is free again
    assert told(portfolio, name) == ["PROPOSED", "ACTIVE", "ENDED"]


def told(portfolio: Portfolio, name: str) -> list[str]:
    with transaction(portfolio.app, read_only=True) as tx:
        query = select(outbox.c.payload).where(outbox.c.aggregateid == name).order_by(outbox.c.id)
        return [MentoringMatchMoved.FromString(each).to_state for each in tx.execute(query).scalars()]


def test_its_time_ends_it_before_any_job_and_the_job_tells_once(portfolio: Portfolio) -> None:
    person, mentor = portfolio.person(), offered(portfolio)
    name = matched(person, mentor).name
    with transaction(portfolio.app) as tx:
        over = text("UPDATE mentoring_matches SET expires_at = now() WHERE id = :id")
        tx.execute(over, {"id": name.rpartition("/")[2]})
    assert reason_of(mentor.caller.GetMentoredPortfolio, reading(name)) == "NOT_FOUND"
    read = person.GetMentoringMatch(pb.GetMentoringMatchRequest(name=name))
    assert read.state == State.STATE_EXPIRED
    assert told(portfolio, name) == ["PROPOSED", "ACTIVE"]
    jobs.end_mentoring(portfolio.app)
    jobs.end_mentoring(portfolio.app)
    assert told(portfolio, name) == ["PROPOSED", "ACTIVE", "EXPIRED"]
    assert matched(person, mentor).state == State.STATE_ACTIVE  # neither the place nor the pair is taken


def both_agree(portfolio: Portfolio, mentor: Offered, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two matches of a mentor with one place are agreed to at a time: each counts, then waits for the other
    to have counted. Returns the states and refusals."""
    people = [portfolio.person(), portfolio.person()]
    asked = [each.CreateMentoringMatch(asking(each, mentor.name, fields=FIELDS)).name for each in people]
    for name in asked:  # looking at somebody new is counted under a lock of its own
        mentor.caller.GetMentoringMatch(pb.GetMentoringMatchRequest(name=name))
    counted, get = threading.Barrier(2), mentors.get

    def waiting(tx: Transaction, *arguments: Any, **options: Any) -> mentor_pb2.Mentor:
        found = get(tx, *arguments, **options)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other waits for the lock
            counted.wait(timeout=0.5)
        return found

    monkeypatch.setattr(mentors, "get", waiting)

    def one(name: str) -> str:
        try:
            return State.Name(mentor.caller.AgreeMentoringMatch(agree(name)).state)
        except grpc.RpcError as error:
            return str(error.code().name)

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(one, asked))


def test_the_last_place_of_a_mentor_is_taken_once(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    mentor = offered(portfolio)
    assert both_agree(portfolio, mentor, monkeypatch) == ["FAILED_PRECONDITION", "STATE_ACTIVE"]
    late = asking(portfolio.person(), mentor.name, fields=FIELDS)
    late.parent = (person := portfolio.person()).holder
    info = refused(person.CreateMentoringMatch, late)
    assert (info.reason, info.metadata["capacity"]) == ("MENTOR_NOT_AVAILABLE", "1")


def test_without_the_lock_it_would_be_taken_twice(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    mentor, get = offered(portfolio), mentors.get
    monkeypatch.setattr(mentors, "get", lambda tx, *ids, lock=False, **options: get(tx, *ids, **options))
    assert both_agree(portfolio, mentor, monkeypatch) == ["STATE_ACTIVE", "STATE_ACTIVE"]
