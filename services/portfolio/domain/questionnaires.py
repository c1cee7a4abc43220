"""Questionnaires: which answers a part takes, and when one can be completed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import instrument_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as pb

from services.platform.errors import Refusal, Violation
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.states import wrong_state

State = pb.Questionnaire.State
PartState = pb.QuestionnairePart.State
Filler = instrument_pb2.InstrumentPart.Filler


def questions_of(version: instrument_pb2.InstrumentVersion, part: str) -> list[instrument_pb2.Question]:
    """Returns the questions of a part, in their order."""
    return [question for question in version.questions if question.part == part]


def check_answers(questions: Sequence[instrument_pb2.Question], answers: Sequence[pb.Answer]) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless the answers are to these questions, once each, one of the
    options where there are some, and none of those is left out."""
    refuse(list(_wrong(questions, answers)))


def _wrong(questions: Sequence[instrument_pb2.Question], answers: Sequence[pb.Answer]) -> Iterator[Violation]:
    asked = {question.id: question for question in questions}
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        place, question = f"answers[{index}]", asked.get(answer.question)
        if question is None:
            yield Violation(f"{place}.question", "is no question of this part")
        elif answer.question in seen:
            yield Violation(f"{place}.question", "is answered twice")
        elif question.options and (
            answer.text or answer.option not in {option.id for option in question.options}
        ):
            yield Violation(f"{place}.option", "must be one of the options, without a text")
        elif not question.options and answer.option:
            yield Violation(f"{place}.text", "must be a text: the question has no options")
        seen.add(answer.question)
    if left := [question.id for question in questions if question.options and question.id not in seen]:
        yield Violation("answers", f"leave open {', '.join(left)}")


def require_open(state: State.ValueType) -> None:
    """Raises Refusal(WRONG_STATE) unless a questionnaire can still be filled."""
    if state != State.STATE_OPEN:
        raise wrong_state("COMPLETED", "OPEN")


def require_filler(part: pb.QuestionnairePart, *, by_link: bool) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for a part of the holder's that somebody is asked to fill by a link,
    and for one of others that the holder fills."""
    if by_link == (part.filled_by == Filler.FILLER_HOLDER):
        whose = "the holder, and not by a link" if by_link else "somebody else, by a link"
        refuse([Violation("name", f"names a part that is filled by {whose}")])


def require_filled(parts: Iterable[pb.QuestionnairePart], version: instrument_pb2.InstrumentVersion) -> None:
    """Raises Refusal(QUESTIONNAIRE_INCOMPLETE) naming the parts that are missing."""
    filled = {part.name.rpartition("/")[2] for part in parts if part.state == PartState.STATE_FILLED}
    missing = [part.id for part in version.parts if not part.optional and part.id not in filled]
    if missing:
        metadata = {"parts": ",".join(missing)}
        raise Refusal(reason_pb2.REASON_QUESTIONNAIRE_INCOMPLETE, metadata=metadata)


def channel_of(questionnaire: pb.Questionnaire) -> instrument_pb2.ScoringBand.Channel.ValueType:
    """Returns how the office is to serve the person: whoever asks for a human gets one."""
    if questionnaire.HasField("human_request_time"):
        return instrument_pb2.ScoringBand.CHANNEL_INDIVIDUAL
    return questionnaire.result.suggested_channel
