"""Questionnaires of one person: filled, scored as published, looked at over time, with a human in reach."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import instrument_pb2, mandate_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as pb
from waymark.portfolio.v1.guidance_case_pb2 import GetGuidanceCaseRequest

from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.portfolio.api import questionnaires as api
from tests.support.portfolio import Caller, Portfolio, reason_of, refused
from tests.support.questionnaires import answers, begun, filled, published

Band = instrument_pb2.ScoringBand


def read(caller: Caller, name: str) -> pb.Questionnaire:
    found: pb.Questionnaire = caller.GetQuestionnaire(pb.GetQuestionnaireRequest(name=name))
    return found


def progress(caller: Caller, holder: str, instrument: str, **fields: Any) -> Any:
    request = pb.GetQuestionnaireProgressRequest(
        parent=holder, instrument=instrument.partition("/versions")[0], **fields
    )
    return caller.GetQuestionnaireProgress(request)


def events(portfolio: Portfolio, name: str) -> list[str]:
    with transaction(portfolio.app, read_only=True) as tx:
        rows = tx.execute(outbox.select().where(outbox.c.aggregateid == name)).all()
    return [row.type.rpartition(".")[2] for row in rows]


def test_the_same_answers_come_to_the_same_result_and_progress_shows(portfolio: Portfolio) -> None:
    person, instrument = portfolio.person(), published(portfolio, "career-check")
    early = filled(person, begun(person, instrument), instrument, 0)
    late = filled(person, begun(person, instrument), instrument, 2)
    assert (early.result.percent, early.result.band, early.channel) == (
        0,
        "first-steps",
        Band.CHANNEL_INDIVIDUAL,
    )
    assert (late.result.percent, late.result.band) == (67, "on-the-way")
    assert (late.result.suggested_tier, late.channel) == (Band.TIER_GUIDED, Band.CHANNEL_GROUP)
    assert {each.level for each in late.result.elements} == {"sure"}
    assert [each.standard for each in late.result.standards] == ["self", "strengths", "horizons", "networks"]
    assert late.result.titles["nl"] == "Op weg"
    begun(person, instrument)  # open, and so no point
    shown = progress(person, person.holder, instrument.name)
    assert [(each.questionnaire, each.percent) for each in shown.points] == [(early.name, 0), (late.name, 67)]
    assert "Networks" in shown.table
    assert "Networks" in shown.svg
    assert progress(person, person.holder, "instruments/other").points == []
    assert events(portfolio, late.name) == ["QuestionnaireCompleted"]
    with transaction(portfolio.app, read_only=True) as tx:
        stored = " ".join(tx.execute(text("SELECT q::text FROM questionnaires q")).scalars())
    for telling in (instrument.name.split("/")[1], "on-the-way"):
        assert telling not in stored
        assert telling.encode().hex() not in stored


def test_progress_goes_on_over_versions_and_each_is_scored_by_its_own(portfolio: Portfolio) -> None:
    person, first = portfolio.person(), published(portfolio, "profiling")

    def stricter(version: instrument_pb2.InstrumentVersion) -> None:
        version.questions[0].weight = 9
        version.titles["en"] = "How far, anew"
        version.scoring.examples.pop(1)

    second = published(portfolio, "profiling", stricter, parent=first.name.partition("/versions")[0])
    assert second.name.endswith("/versions/2")
    for instrument in (first, second):
        made = begun(person, instrument)
        given = [
            pb.Answer(question=each.id, option="no" if each.id == "recent" else "yes")
            for each in instrument.questions
        ]
        filling = pb.FillQuestionnairePartRequest(name=f"{made.name}/parts/me", answers=given)
        person.FillQuestionnairePart(filling)
        person.CompleteQuestionnaire(pb.CompleteQuestionnaireRequest(name=made.name))
    shown = progress(person, person.holder, first.name)
    assert [point.percent for point in shown.points] == [78, 44]
    assert "How far, anew: progress" in shown.svg


@pytest.mark.parametrize(
    ("path", "channels"),
    [
        ("digital-check", [Band.CHANNEL_ASSISTED, Band.CHANNEL_GROUP, Band.CHANNEL_ONLINE]),
        ("profiling", [Band.CHANNEL_INDIVIDUAL, Band.CHANNEL_GROUP, Band.CHANNEL_ONLINE]),
    ],
)
def test_answers_decide_the_channel_and_a_human_is_always_there(
    portfolio: Portfolio, path: str, channels: list[Any]
) -> None:
    person, instrument = portfolio.person(), published(portfolio, path)
    done = [filled(person, begun(person, instrument), instrument, option) for option in range(3)]
    assert [each.channel for each in done] == channels
    bands = {band.id: band for band in instrument.scoring.bands}
    for each in done:  # what the person is told is what was published
        assert each.result.descriptions == bands[each.result.band].descriptions
    asking = pb.RequestHumanRequest(name=done[2].name, request_id=str(uuid.uuid4()))
    asked = person.RequestHuman(asking)
    assert (asked.channel, asked.result.suggested_channel) == (Band.CHANNEL_INDIVIDUAL, Band.CHANNEL_ONLINE)
    assert person.RequestHuman(asking) == asked
    again = person.RequestHuman(pb.RequestHumanRequest(name=done[2].name))
    assert again.human_request_time == asked.human_request_time
    assert events(portfolio, asked.name) == ["QuestionnaireCompleted"]
    case = person.GetGuidanceCase(GetGuidanceCaseRequest(name=f"{person.holder}/guidanceCase"))
    assert case.human_ask_time == asked.human_request_time
    assert events(portfolio, case.name) == ["SupportTierMoved", "HumanAsked"]
    early = begun(person, instrument)  # before a single question is answered
    person.RequestHuman(pb.RequestHumanRequest(name=early.name))
    assert filled(person, read(person, early.name), instrument, 2).channel == Band.CHANNEL_INDIVIDUAL


def test_a_counsellor_fills_it_with_the_person_and_the_person_reads_so(portfolio: Portfolio) -> None:
    person, instrument = portfolio.person(), published(portfolio, "digital-check")
    counsellor = portfolio.mandated(person)
    done = filled(counsellor, begun(person, instrument, counsellor), instrument, 0)
    assert done.channel == Band.CHANNEL_ASSISTED
    counsellor.RequestHuman(pb.RequestHumanRequest(name=done.name))
    assert len(progress(counsellor, person.holder, instrument.name, language_code="nl").points) == 1
    part = counsellor.GetQuestionnairePart(pb.GetQuestionnairePartRequest(name=f"{done.name}/parts/me"))
    assert len(part.answers) == len(instrument.questions)
    records = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert [each.action for each in reversed(records)] == [
        "CreateQuestionnaire",
        "FillQuestionnairePart",
        "CompleteQuestionnaire",
        "RequestHuman",
        "GetQuestionnaireProgress",
        "GetQuestionnairePart",
    ]
    narrow = portfolio.mandated(person, mandate_pb2.MANDATE_PURPOSE_PATHWAY)
    for call, request in [
        (narrow.GetQuestionnaire, pb.GetQuestionnaireRequest(name=done.name)),
        (narrow.ListQuestionnaires, pb.ListQuestionnairesRequest(parent=person.holder)),
    ]:
        assert reason_of(call, request) == "NOT_FOUND"


def test_what_is_wrong_with_answers_is_told_and_what_is_done_stays(portfolio: Portfolio) -> None:
    person, instrument = portfolio.person(), published(portfolio, "profiling")
    made = begun(person, instrument)
    name, right = f"{made.name}/parts/me", answers(instrument, "me", 1)

    def filling(*given: pb.Answer) -> pb.FillQuestionnairePartRequest:
        return pb.FillQuestionnairePartRequest(name=name, answers=given)

    for wrong in (
        right[1:],
        [*right, right[0]],
        [*right, pb.Answer(question="none")],
        [pb.Answer(question="recent", option="maybe"), *right[1:]],
        [pb.Answer(question="recent", option="yes", text="x"), *right[1:]],
    ):
        assert reason_of(person.FillQuestionnairePart, filling(*wrong)) == "INVALID_ARGUMENT"
    completing = pb.CompleteQuestionnaireRequest(name=made.name)
    assert refused(person.CompleteQuestionnaire, completing).metadata["parts"] == "me"
    person.FillQuestionnairePart(filling(*answers(instrument, "me", 0)))
    person.FillQuestionnairePart(filling(*right))  # changed one's mind
    stale = pb.CompleteQuestionnaireRequest(name=made.name, etag='"9"')
    assert reason_of(person.CompleteQuestionnaire, stale) == "ETAG_STALE"
    assert person.CompleteQuestionnaire(completing).result.percent == 50
    assert reason_of(person.CompleteQuestionnaire, completing) == "WRONG_STATE"
    assert reason_of(person.FillQuestionnairePart, filling(*right)) == "WRONG_STATE"
    unknown = pb.CreateQuestionnaireRequest(
        parent=person.holder, questionnaire=pb.Questionnaire(instrument_version="instruments/none/versions/1")
    )
    assert reason_of(person.CreateQuestionnaire, unknown) == "INVALID_ARGUMENT"
    person.DeleteQuestionnaire(pb.DeleteQuestionnaireRequest(name=made.name))
    assert reason_of(person.GetQuestionnaire, pb.GetQuestionnaireRequest(name=made.name)) == "NOT_FOUND"
    reading = pb.GetQuestionnairePartRequest(name=name)
    assert reason_of(person.GetQuestionnairePart, reading) == "NOT_FOUND"


def test_control_without_the_state_a_result_could_be_changed_afterwards(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, instrument = portfolio.person(), published(portfolio, "profiling")
    done = filled(person, begun(person, instrument), instrument, 0)
    monkeypatch.setattr(api, "require_open", lambda _: None)
    again = person.CompleteQuestionnaire(pb.CompleteQuestionnaireRequest(name=done.name))
    assert again.etag != done.etag


def test_a_page_has_the_states_of_the_parts_of_each(portfolio: Portfolio) -> None:
    person, instrument = portfolio.person(), published(portfolio, "profiling")
    made = [begun(person, instrument).name for _ in range(3)]
    request = pb.ListQuestionnairesRequest(parent=person.holder, page_size=2)
    page = person.ListQuestionnaires(request)
    assert [(each.name, len(each.parts)) for each in page.questionnaires] == [(made[2], 1), (made[1], 1)]
    request.page_token = page.next_page_token
    (last,) = person.ListQuestionnaires(request).questionnaires
    assert last == read(person, made[0])
