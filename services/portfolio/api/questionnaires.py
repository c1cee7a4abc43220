"""QuestionnaireService: questionnaires as a whole. Their parts are in a file of their own."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as pb
from waymark.portfolio.v1 import questionnaire_pb2_grpc
from waymark.portfolio.v1.events_pb2 import QuestionnaireCompleted
from waymark.portfolio.v1.framework_pb2 import FrameworkVersion
from waymark.portfolio.v1.instrument_pb2 import InstrumentVersion

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.access import shown_to
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.questionnaire_parts import PartsApi
from services.portfolio.app import PortfolioApp
from services.portfolio.charts import progress
from services.portfolio.domain import names
from services.portfolio.domain.questionnaires import channel_of, require_filled, require_open
from services.portfolio.domain.scoring import score
from services.portfolio.guiding import ask_for_human
from services.portfolio.store import questionnaire_parts, questionnaires
from services.portfolio.store.frameworks import FRAMEWORKS, INSTRUMENTS
from services.portfolio.store.questionnaires import COLLECTIONS, QUESTIONNAIRES
from services.portfolio.store.vault import Vault, open_vault


class QuestionnaireApi(PartsApi, questionnaire_pb2_grpc.QuestionnaireServiceServicer):
    """Questionnaires of a person, filled in parts by several people."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateQuestionnaire(
        self, tx: Transaction, request: pb.CreateQuestionnaireRequest
    ) -> pb.Questionnaire:
        (holder,) = names.parse(request.parent, "holders")
        wanted, vault = request.questionnaire.instrument_version, open_vault(tx, self.app.keys, holder)
        instrument = INSTRUMENTS.published(tx, wanted)
        if instrument is None:
            place = "questionnaire.instrument_version"
            found = [Violation(place, "is no published version of an instrument")]
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=found)
        made = questionnaires.add(tx, vault, wanted)
        questionnaire_parts.open_all(tx, vault, names.last(made.name), instrument.parts)
        return _with_parts(tx, vault, made)

    @portfolio_call
    def GetQuestionnaire(self, tx: Transaction, request: pb.GetQuestionnaireRequest) -> pb.Questionnaire:
        holder, row_id = names.parse(request.name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        return _with_parts(tx, vault, QUESTIONNAIRES.get(tx, vault, row_id))

    @portfolio_call
    def ListQuestionnaires(
        self, tx: Transaction, request: pb.ListQuestionnairesRequest
    ) -> pb.ListQuestionnairesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = QUESTIONNAIRES.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        parts = questionnaire_parts.states(tx, holder, [names.last(each.name) for each in page.messages])
        for each in page.messages:
            each.parts.extend(shown_to(tx, holder, parts[names.last(each.name)]))
        return pb.ListQuestionnairesResponse(
            questionnaires=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def DeleteQuestionnaire(self, tx: Transaction, request: pb.DeleteQuestionnaireRequest) -> Empty:
        holder, row_id = names.parse(request.name, *COLLECTIONS)
        QUESTIONNAIRES.remove(tx, holder, row_id, request.etag)
        return Empty()

    @portfolio_call
    def CompleteQuestionnaire(
        self, tx: Transaction, request: pb.CompleteQuestionnaireRequest
    ) -> pb.Questionnaire:
        holder, row_id = names.parse(request.name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        found = QUESTIONNAIRES.get(tx, vault, row_id, etag=request.etag, lock=True)
        require_open(found.state)
        instrument = self.asked(tx, found)
        require_filled(questionnaire_parts.states(tx, holder, [row_id])[row_id], instrument)
        answers = [
            answer
            for part in questionnaire_parts.answered(tx, vault, row_id)
            for answer in part.answers
            if answer.option
        ]
        choices = {answer.question: answer.option for answer in answers}
        found.result.CopyFrom(score(instrument, _framework(tx, instrument), choices))
        found.result.complete_time.FromDatetime(tx.now)
        found.channel = channel_of(found)
        tx.publish(QuestionnaireCompleted(questionnaire=found.name))
        done = QUESTIONNAIRES.replace(tx, vault, row_id, found, state=pb.Questionnaire.STATE_COMPLETED)
        return _with_parts(tx, vault, done)

    @portfolio_call
    def RequestHuman(self, tx: Transaction, request: pb.RequestHumanRequest) -> pb.Questionnaire:
        holder, row_id = names.parse(request.name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        found = QUESTIONNAIRES.get(tx, vault, row_id, lock=True)
        if not found.HasField("human_request_time"):
            found.human_request_time.FromDatetime(tx.now)
            found.channel = channel_of(found)
            found = QUESTIONNAIRES.replace(tx, vault, row_id, found)
        ask_for_human(tx, vault)
        return _with_parts(tx, vault, found)

    @portfolio_call
    def GetQuestionnaireProgress(
        self, tx: Transaction, request: pb.GetQuestionnaireProgressRequest
    ) -> pb.GetQuestionnaireProgressResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        found = questionnaires.completed(tx, vault, request.instrument)
        newest = self.asked(tx, found[-1]) if found else InstrumentVersion()
        return progress.drawn(found, newest, _framework(tx, newest), request.language_code or "en")


def _framework(tx: Transaction, instrument: InstrumentVersion) -> FrameworkVersion:
    """Returns the framework of a published instrument, which is published too; an empty one where it is not
    scored."""
    return FRAMEWORKS.published(tx, instrument.framework_version) or FrameworkVersion()


def _with_parts(tx: Transaction, vault: Vault, questionnaire: pb.Questionnaire) -> pb.Questionnaire:
    row_id = names.last(questionnaire.name)
    parts = questionnaire_parts.states(tx, vault.holder, [row_id])[row_id]
    questionnaire.parts.extend(shown_to(tx, vault.holder, parts))
    return questionnaire
