"""Instruments and questionnaires on a running portfolio service."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from waymark.portfolio.v1 import instrument_pb2 as instruments
from waymark.portfolio.v1 import questionnaire_pb2 as pb

from tests.support.frameworks import published as published_framework
from tests.support.frameworks import sample
from tests.support.portfolio import Caller, Portfolio

FRAMEWORKS = {
    "career-check": "career-management",
    "digital-check": "basic-digital-skills",
    "profiling": "distance-to-work",
}


def wanted(portfolio: Portfolio, path: str) -> instruments.InstrumentVersion:
    """A sample, `digital-check`, by a framework that was published for it."""
    version = sample(f"instruments/{path}", instruments.InstrumentVersion())
    if path in FRAMEWORKS:
        version.framework_version = published_framework(portfolio, f"frameworks/{FRAMEWORKS[path]}").name
    return version


def published(
    portfolio: Portfolio,
    path: str,
    change: Callable[[instruments.InstrumentVersion], None] = lambda _: None,
    parent: str = "",
) -> instruments.InstrumentVersion:
    """Drafts a sample, changed, and publishes it as somebody else; `parent`: whose next version it is."""
    version = wanted(portfolio, path)
    change(version)
    drafting = instruments.CreateInstrumentVersionRequest(
        parent=parent or f"instruments/i-{uuid.uuid4()}", instrument_version=version
    )
    name = portfolio.staff("catalogue_manager").CreateInstrumentVersion(drafting).name
    publishing = instruments.PublishInstrumentVersionRequest(name=name)
    made: instruments.InstrumentVersion = portfolio.staff("catalogue_manager").PublishInstrumentVersion(
        publishing
    )
    return made


def begun(
    person: Caller, instrument: instruments.InstrumentVersion, by: Caller | None = None
) -> pb.Questionnaire:
    """Begins a questionnaire for somebody."""
    request = pb.CreateQuestionnaireRequest(
        parent=person.holder, questionnaire=pb.Questionnaire(instrument_version=instrument.name)
    )
    made: pb.Questionnaire = (by or person).CreateQuestionnaire(request)
    return made


def answers(
    instrument: instruments.InstrumentVersion, part: str, option: int, text: str = "said"
) -> list[pb.Answer]:
    """Answers to each question of a part: the option at a place, or a text."""
    return [
        pb.Answer(question=each.id, option=each.options[option].id)
        if each.options
        else pb.Answer(question=each.id, text=text)
        for each in instrument.questions
        if each.part == part
    ]


def filled(
    caller: Caller, made: pb.Questionnaire, instrument: instruments.InstrumentVersion, option: int
) -> pb.Questionnaire:
    """Fills the part `me` and completes."""
    request = pb.FillQuestionnairePartRequest(
        name=f"{made.name}/parts/me", answers=answers(instrument, "me", option)
    )
    caller.FillQuestionnairePart(request)
    done: pb.Questionnaire = caller.CompleteQuestionnaire(pb.CompleteQuestionnaireRequest(name=made.name))
    return done
