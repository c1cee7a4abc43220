"""P10: parts filled by several people by links that work once, and health under a grant for just that."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import grpc
import pytest
from sqlalchemy import Select, text, true
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import handover_pb2, mandate_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio import requests
from services.portfolio.api import questionnaire_parts as api
from services.portfolio.api import questionnaires
from services.portfolio.store import mandates, questionnaire_parts
from tests.support.portfolio import Caller, Portfolio, mandate, reason_of, refused, soon
from tests.support.questionnaires import answers, begun, published

SPECIAL = mandate_pb2.MANDATE_PURPOSE_SPECIAL_CATEGORY
Part = pb.QuestionnairePart


class Given:
    """Somebody with a questionnaire of three parts: their own, of school, of health."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.person = portfolio.person(given_name="Lana", family_name="Horvat")
        self.instrument = published(portfolio, "school-questionnaire")
        self.name = begun(self.person, self.instrument).name

    def part(self, part: str) -> str:
        """Resource name of a part."""
        return f"{self.name}/parts/{part}"

    def asking(self, part: str, **fields: Any) -> pb.AskQuestionnairePartRequest:
        """A request for a link."""
        return pb.AskQuestionnairePartRequest(
            **{"name": self.part(part), "expire_time": soon(days=7)} | fields
        )

    def token(self, part: str) -> str:
        """The secret of a link to a part."""
        return str(self.person.AskQuestionnairePart(self.asking(part)).token)

    def giving(self, part: str, token: str, said: str = "said") -> pb.GiveQuestionnairePartRequest:
        """A request that fills a part by a link."""
        filled = answers(self.instrument, part, 1, said)
        return pb.GiveQuestionnairePartRequest(token=token, giver="Dr Eva Maes", answers=filled)

    def give(self, part: str, said: str = "said") -> None:
        """Has a part filled by a link."""
        self.portfolio.anybody().GiveQuestionnairePart(self.giving(part, self.token(part), said))

    def fill(self) -> None:
        """Fills the person's own part."""
        mine = answers(self.instrument, "me", 2)
        self.person.FillQuestionnairePart(pb.FillQuestionnairePartRequest(name=self.part("me"), answers=mine))

    def states(self) -> dict[str, Any]:
        """States of the parts."""
        found = self.person.GetQuestionnaire(pb.GetQuestionnaireRequest(name=self.name))
        assert not any(part.answers or part.giver for part in found.parts)
        return {part.name.rpartition("/")[2]: part.state for part in found.parts}

    def read(self, caller: Caller, part: str) -> pb.QuestionnairePart:
        """An ordinary part."""
        return caller.GetQuestionnairePart(pb.GetQuestionnairePartRequest(name=self.part(part)))

    def read_special(self, caller: Caller, part: str = "health") -> pb.QuestionnairePart:
        """A part of special categories."""
        return caller.GetSpecialCategoryPart(pb.GetSpecialCategoryPartRequest(name=self.part(part)))


def records(person: Caller) -> list[tuple[str, str]]:
    found = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    return [(each.action, each.grant) for each in reversed(found)]


def test_three_people_fill_it_and_nobody_but_the_person_sees_it_whole(portfolio: Portfolio) -> None:
    given, anybody = Given(portfolio), portfolio.anybody()
    given.fill()
    token = given.token("school")
    shown = anybody.OpenQuestionnairePart(pb.OpenQuestionnairePartRequest(token=token))
    assert (shown.holder_name, shown.part.id) == ("Lana Horvat", "school")
    assert [question.id for question in shown.questions] == ["strong", "regular"]
    completing = pb.CompleteQuestionnaireRequest(name=given.name)
    assert refused(given.person.CompleteQuestionnaire, completing).metadata["parts"] == "school"
    request = given.giving("school", token, "builds things")
    request.request_id = str(uuid.uuid4())
    assert anybody.GiveQuestionnairePart(request) == anybody.GiveQuestionnairePart(request)
    request.request_id = ""
    assert refused(anybody.GiveQuestionnairePart, request).metadata["state"] == "FILLED"
    given.give("health", "no dust")
    assert set(given.states().values()) == {Part.STATE_FILLED}
    done = given.person.CompleteQuestionnaire(completing)
    assert done.state == pb.Questionnaire.STATE_COMPLETED
    assert not done.result.elements
    school, health = given.read(given.person, "school"), given.read(given.person, "health")
    assert (school.giver, school.answers[0].text) == ("Dr Eva Maes", "builds things")
    assert health == given.read_special(given.person)
    assert [action for action, _ in records(given.person)] == [
        "OpenQuestionnairePart",
        "GiveQuestionnairePart",
        "GiveQuestionnairePart",
    ]
    with transaction(portfolio.app, read_only=True) as tx:
        stored = " ".join(tx.execute(text("SELECT p::text FROM questionnaire_parts p")).scalars())
    for secret in ("Dr Eva Maes", "no dust", token):
        assert secret not in stored
        assert secret.encode().hex() not in stored


def test_health_is_read_under_a_mandate_for_just_that_and_no_other(portfolio: Portfolio) -> None:
    given = Given(portfolio)
    given.give("health", "no dust")
    counsellor = portfolio.mandated(given.person)
    for read in (given.read_special, lambda caller: given.read(caller, "health")):
        assert reason_of(lambda _, read=read: read(counsellor), None) == "NOT_FOUND"
    assert given.read(counsellor, "me").state == Part.STATE_OPEN
    assert known_to(counsellor, given) == {"me", "school"}
    mine = answers(given.instrument, "health", 1)
    forging = pb.FillQuestionnairePartRequest(name=given.part("health"), answers=mine)
    assert reason_of(counsellor.FillQuestionnairePart, forging) == "NOT_FOUND"
    doctor = portfolio.mandated(given.person, SPECIAL, questionnaire=given.name)
    assert given.read_special(doctor).answers[0].text == "no dust"
    grant = next(
        each.name
        for each in given.person.ListMandates(
            mandate_pb2.ListMandatesRequest(parent=given.person.holder)
        ).mandates
        if each.purpose == SPECIAL
    )
    assert records(given.person)[-1] == ("GetSpecialCategoryPart", grant)
    for call, request in [  # it opens nothing else
        (doctor.GetQuestionnaire, pb.GetQuestionnaireRequest(name=given.name)),
        (doctor.GetQuestionnairePart, pb.GetQuestionnairePartRequest(name=given.part("health"))),
        (doctor.GetSpecialCategoryPart, pb.GetSpecialCategoryPartRequest(name=given.part("school"))),
    ]:
        assert reason_of(call, request) == "NOT_FOUND"
    given.person.RevokeMandate(mandate_pb2.RevokeMandateRequest(name=grant))
    reading = pb.GetSpecialCategoryPartRequest(name=given.part("health"))
    assert reason_of(doctor.GetSpecialCategoryPart, reading) == "NOT_FOUND"


class Opened:
    """Two questionnaires of one person, and a doctor with a mandate for health in the first."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.given = Given(portfolio)
        self.given.give("health", "no dust")
        self.first, self.second = self.given.name, begun(self.given.person, self.given.instrument).name
        self.doctor = portfolio.mandated(self.given.person, SPECIAL, questionnaire=self.first)

    def mandates(self) -> list[mandate_pb2.Mandate]:
        """Those for special categories."""
        listing = mandate_pb2.ListMandatesRequest(parent=self.given.person.holder)
        found = self.given.person.ListMandates(listing).mandates
        return [each for each in found if each.purpose == SPECIAL]

    def offering(self, heir: Caller) -> handover_pb2.CreateHandoverRequest:
        """The doctor, who from now on guides the person too, hands the mandate over."""
        person, organisation = self.given.person, self.given.portfolio.organisation
        person.CreateMandate(mandate(person, self.doctor, organisation, mandate_pb2.MANDATE_PURPOSE_GUIDANCE))
        (mine,) = self.mandates()
        wanted = handover_pb2.Handover(mandate=mine.name, counsellor=heir.subject, organisation=organisation)
        return handover_pb2.CreateHandoverRequest(parent=person.holder, handover=wanted)

    def reads(self, questionnaire: str, caller: Caller | None = None) -> str:
        """How it ends when somebody, else the doctor, reads what a questionnaire says of health."""
        request = pb.GetSpecialCategoryPartRequest(name=f"{questionnaire}/parts/health")
        call = (caller or self.doctor).GetSpecialCategoryPart
        try:
            call(request)
        except grpc.RpcError:
            return reason_of(call, request)
        return "OK"


def test_it_opens_one_questionnaire_and_no_other(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(portfolio)
    person, stranger = opened.given.person, Opened(portfolio)
    each = (opened.first, opened.second, stranger.first)
    assert [opened.reads(name) for name in each] == ["OK", "NOT_FOUND", "NOT_FOUND"]
    assert [given.questionnaire for given in opened.mandates()] == [opened.first]
    second = portfolio.mandated(person, SPECIAL, questionnaire=opened.second)
    assert [opened.reads(name, second) for name in each] == ["NOT_FOUND", "OK", "NOT_FOUND"]
    assert {opened.reads(name, person) for name in each[:2]} == {"OK"}
    monkeypatch.setattr(mandates, "_is_for", lambda _: true())  # control
    assert [opened.reads(name) for name in each] == ["OK", "OK", "NOT_FOUND"]


def test_it_says_of_which_questionnaire(portfolio: Portfolio) -> None:
    given, other = Given(portfolio), Given(portfolio)
    counsellor = portfolio.counsellor()
    for purpose, questionnaire in [
        (SPECIAL, ""),
        (SPECIAL, other.name),
        (SPECIAL, f"{given.person.holder}/questionnaires/none"),
        (SPECIAL, given.part("health")),
        (mandate_pb2.MANDATE_PURPOSE_GUIDANCE, given.name),
    ]:
        request = mandate(given.person, counsellor, portfolio.organisation, purpose)
        request.mandate.questionnaire = questionnaire
        assert refused(given.person.CreateMandate, request).reason == "INVALID_ARGUMENT"


def test_a_mandate_from_when_none_said_so_opens_nothing_and_is_to_be_renewed(portfolio: Portfolio) -> None:
    opened = Opened(portfolio)
    person = opened.given.person
    with transaction(portfolio.app) as tx:
        before = text("UPDATE mandates SET questionnaire_id = '' WHERE holder_id = :holder")
        tx.execute(before, {"holder": person.subject})
    assert [opened.reads(name) for name in (opened.first, opened.second)] == ["NOT_FOUND"] * 2
    (shown,) = opened.mandates()
    assert shown.state == mandate_pb2.Mandate.STATE_NEEDS_RENEWAL
    offering = opened.offering(portfolio.counsellor())
    assert reason_of(opened.doctor.CreateHandover, offering) == "NOT_FOUND"
    revoked = person.RevokeMandate(mandate_pb2.RevokeMandateRequest(name=shown.name))
    assert revoked.state == mandate_pb2.Mandate.STATE_REVOKED


def test_handed_over_it_opens_the_same_questionnaire(portfolio: Portfolio) -> None:
    opened = Opened(portfolio)
    person, heir = opened.given.person, portfolio.counsellor()
    offer = opened.doctor.CreateHandover(opened.offering(heir))
    person.AcceptHandover(handover_pb2.AcceptHandoverRequest(name=offer.name))
    assert [opened.reads(name, heir) for name in (opened.first, opened.second)] == ["OK", "NOT_FOUND"]
    assert opened.reads(opened.first) == "NOT_FOUND"


def known_to(caller: Caller, given: Given) -> set[str]:
    """Parts that somebody is told of, by a read and by the list."""
    one = caller.GetQuestionnaire(pb.GetQuestionnaireRequest(name=given.name))
    (listed,) = caller.ListQuestionnaires(
        pb.ListQuestionnairesRequest(parent=given.person.holder)
    ).questionnaires
    assert listed == one
    return {part.name.rpartition("/")[2] for part in one.parts}


def test_control_without_the_guards_guidance_would_open_health(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Given(portfolio)
    given.give("health", "no dust")
    counsellor = portfolio.mandated(given.person)
    monkeypatch.setattr(questionnaires, "shown_to", lambda tx, holder, parts: parts)
    assert known_to(counsellor, given) == {"me", "school", "health"}
    monkeypatch.setattr(api, "require_readable", lambda *_, **__: None)
    assert given.read(counsellor, "health").answers[0].text == "no dust"
    monkeypatch.undo()
    reading = pb.GetSpecialCategoryPartRequest(name=given.part("health"))
    assert reason_of(counsellor.GetSpecialCategoryPart, reading) == "NOT_FOUND"
    in_force = mandates.in_force

    def any_purpose(*who: Any, **asked: Any) -> mandates.Held | None:
        return in_force(*who[:3], requests.PATHWAY, None, **asked)

    monkeypatch.setattr(mandates, "in_force", any_purpose)
    assert given.read_special(counsellor).answers[0].text == "no dust"


@pytest.mark.parametrize("end", ["EXPIRED", "OPEN", "COMPLETED", "gone", "asked anew"])
def test_an_ended_link_shows_nothing_and_takes_nothing(portfolio: Portfolio, end: str) -> None:
    given, anybody = Given(portfolio), portfolio.anybody()
    token = given.token("health")
    if end == "EXPIRED":
        with transaction(portfolio.app) as tx:
            tx.execute(
                text("UPDATE questionnaire_parts SET expires_at = now() WHERE holder_id = :h"),
                {"h": given.person.subject},
            )
        assert given.states()["health"] == Part.STATE_EXPIRED
    elif end == "OPEN":
        withdrawing = pb.WithdrawQuestionnairePartRequest(name=given.part("health"))
        assert given.person.WithdrawQuestionnairePart(withdrawing).state == Part.STATE_OPEN
        assert given.person.WithdrawQuestionnairePart(withdrawing).state == Part.STATE_OPEN
    elif end == "COMPLETED":
        given.fill()
        given.give("school")
        given.person.CompleteQuestionnaire(pb.CompleteQuestionnaireRequest(name=given.name))
    elif end == "gone":
        given.person.DeleteQuestionnaire(pb.DeleteQuestionnaireRequest(name=given.name))
    else:
        given.token("health")
    forgotten = end in ("OPEN", "gone", "asked anew")
    for call, request in [
        (anybody.OpenQuestionnairePart, pb.OpenQuestionnairePartRequest(token=token)),
        (anybody.GiveQuestionnairePart, given.giving("health", token)),
    ]:
        info = refused(call, request)
        assert info.reason == ("NOT_FOUND" if forgotten else "SHARE_LINK_ENDED")
        assert info.metadata.get("state", "") == ("" if forgotten else end)


def test_control_without_its_guard_an_ended_link_takes_answers(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Given(portfolio)
    token = given.token("school")
    giving = given.giving("school", token)
    portfolio.anybody().GiveQuestionnairePart(giving)
    monkeypatch.setattr(questionnaire_parts, "require_usable", lambda *_: None)
    portfolio.anybody().GiveQuestionnairePart(giving)


def give_at_once(given: Given, count: int) -> list[str]:
    """Several people use one link at the same moment; returns what each was told."""
    token = given.token("school")

    def give(number: int) -> str:
        try:
            portfolio = given.portfolio
            portfolio.anybody().GiveQuestionnairePart(given.giving("school", token, f"said {number}"))
        except Exception as error:
            return type(error).__name__
        return "given"

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(give, range(count)))


def test_a_link_works_once_under_concurrency(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have found the link open before either has the lock."""
    given, both, linked = Given(portfolio), Barrier(2, timeout=20), questionnaire_parts.linked
    met = set[int]()

    def meeting(tx: Any, token_hash: bytes) -> questionnaire_parts.Link:
        link = linked(tx, token_hash)
        if id(tx) not in met:
            met.add(id(tx))
            both.wait()
        return link

    monkeypatch.setattr(questionnaire_parts, "linked", meeting)
    assert give_at_once(given, 2).count("given") == 1
    # Control: without the lock both go through.
    met.clear()
    other, fill, late = Given(portfolio), questionnaire_parts.fill, Barrier(2, timeout=20)

    def together(*arguments: Any) -> pb.QuestionnairePart:
        late.wait()
        return fill(*arguments)

    monkeypatch.setattr(questionnaire_parts, "fill", together)
    monkeypatch.setattr(Select, "with_for_update", lambda query, **_: query)
    assert give_at_once(other, 2).count("given") == 2


def test_whose_part_it_is_decides_who_fills_it(portfolio: Portfolio) -> None:
    given = Given(portfolio)
    assert reason_of(given.person.AskQuestionnairePart, given.asking("me")) == "INVALID_ARGUMENT"
    late = given.asking("school", expire_time=soon(days=91))
    assert reason_of(given.person.AskQuestionnairePart, late) == "INVALID_ARGUMENT"
    theirs = answers(given.instrument, "school", 1)
    filling = pb.FillQuestionnairePartRequest(name=given.part("school"), answers=theirs)
    assert reason_of(given.person.FillQuestionnairePart, filling) == "INVALID_ARGUMENT"
    token = given.token("school")
    wrong = given.giving("health", token)
    assert reason_of(portfolio.anybody().GiveQuestionnairePart, wrong) == "INVALID_ARGUMENT"
    portfolio.anybody().GiveQuestionnairePart(given.giving("school", token))
    for call, request in [
        (given.person.AskQuestionnairePart, given.asking("school")),
        (
            given.person.WithdrawQuestionnairePart,
            pb.WithdrawQuestionnairePartRequest(name=given.part("school")),
        ),
    ]:
        assert reason_of(call, request) == "WRONG_STATE"
    once = given.asking("health", request_id=str(uuid.uuid4()))
    given.person.AskQuestionnairePart(once)
    assert reason_of(given.person.AskQuestionnairePart, once) == "ALREADY_ANSWERED"
