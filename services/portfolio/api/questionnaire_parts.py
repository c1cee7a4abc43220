"""QuestionnaireService: parts, whom they are asked of, and who reads them."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, NamedTuple

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import questionnaire_pb2 as pb
from waymark.portfolio.v1.instrument_pb2 import InstrumentVersion

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.portfolio.access import require_readable
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_expiry
from services.portfolio.domain.questionnaires import (
    check_answers,
    questions_of,
    require_filler,
    require_open,
)
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import access_records, holders, questionnaire_parts
from services.portfolio.store.frameworks import INSTRUMENTS
from services.portfolio.store.questionnaire_parts import COLLECTIONS, Link
from services.portfolio.store.questionnaires import QUESTIONNAIRES
from services.portfolio.store.vault import Vault, open_vault

LONGEST = timedelta(days=90)
_FILLED = pb.QuestionnairePart.STATE_FILLED


class Found(NamedTuple):
    """A part of a questionnaire that can still be filled, which is locked."""

    vault: Vault
    questionnaire: pb.Questionnaire
    part: pb.QuestionnairePart
    place: tuple[str, str]  # ids of both


class PartsApi:
    """Filling, asking and reading of parts."""

    app: PortfolioApp

    @portfolio_call
    def FillQuestionnairePart(
        self, tx: Transaction, request: pb.FillQuestionnairePartRequest
    ) -> pb.QuestionnairePart:
        found = self._find(tx, request)
        require_readable(tx, found.vault.holder, special_category=found.part.special_category)
        require_filler(found.part, by_link=False)
        check_answers(questions_of(self.asked(tx, found.questionnaire), found.place[1]), request.answers)
        said = pb.QuestionnairePart(answers=request.answers)
        return questionnaire_parts.fill(tx, found.vault, *found.place, said)

    @portfolio_call
    def GetQuestionnairePart(
        self, tx: Transaction, request: pb.GetQuestionnairePartRequest
    ) -> pb.QuestionnairePart:
        part = self._read(tx, request)
        require_readable(tx, names.holder_in(part.name), special_category=part.special_category)
        return part

    @portfolio_call
    def GetSpecialCategoryPart(
        self, tx: Transaction, request: pb.GetSpecialCategoryPartRequest
    ) -> pb.QuestionnairePart:
        part = self._read(tx, request)
        if not part.special_category:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return part

    @portfolio_call(answer_stored=False)
    def AskQuestionnairePart(
        self, tx: Transaction, request: pb.AskQuestionnairePartRequest
    ) -> pb.AskQuestionnairePartResponse:
        found = self._find(tx, request)
        require_filler(found.part, by_link=True)
        _require_unfilled(found.part)
        check_expiry("expire_time", request.expire_time, now=tx.now, longest=LONGEST)
        token = self.app.links.new_token()
        until = request.expire_time.ToDatetime(UTC)
        part = questionnaire_parts.ask(tx, found.vault, *found.place, self.app.links.token_hash(token), until)
        return pb.AskQuestionnairePartResponse(questionnaire_part=part, token=token)

    @portfolio_call
    def WithdrawQuestionnairePart(
        self, tx: Transaction, request: pb.WithdrawQuestionnairePartRequest
    ) -> pb.QuestionnairePart:
        found = self._find(tx, request)
        _require_unfilled(found.part)
        return questionnaire_parts.withdraw(tx, found.vault, *found.place)

    @mutation
    def OpenQuestionnairePart(
        self, tx: Transaction, request: pb.OpenQuestionnairePartRequest
    ) -> pb.OpenQuestionnairePartResponse:
        link, vault, instrument = self._used(tx, request.token)
        holder = holders.get(tx, vault)
        _log(tx, link, "OpenQuestionnairePart")
        answer = pb.OpenQuestionnairePartResponse(
            holder_name=f"{holder.given_name} {holder.family_name}".strip(),
            titles=dict(instrument.titles),
            descriptions=dict(instrument.descriptions),
            part=next(part for part in instrument.parts if part.id == link.part),
            questions=questions_of(instrument, link.part),
        )
        answer.expire_time.FromDatetime(link.expires_at)
        return answer

    @mutation
    def GiveQuestionnairePart(
        self, tx: Transaction, request: pb.GiveQuestionnairePartRequest
    ) -> pb.GiveQuestionnairePartResponse:
        link, vault, instrument = self._used(tx, request.token)
        check_answers(questions_of(instrument, link.part), request.answers)
        said = pb.QuestionnairePart(giver=request.giver, answers=request.answers)
        questionnaire_parts.fill(tx, vault, link.questionnaire, link.part, said)
        _log(tx, link, "GiveQuestionnairePart")
        return pb.GiveQuestionnairePartResponse()

    def asked(self, tx: Transaction, questionnaire: pb.Questionnaire) -> InstrumentVersion:
        """Returns the instrument of a questionnaire, which was published before and so is there for good."""
        instrument = INSTRUMENTS.published(tx, questionnaire.instrument_version)
        assert instrument is not None
        return instrument

    def _find(self, tx: Transaction, request: Any) -> Found:
        """Locks the questionnaire of the part that is named; raises Refusal(NOT_FOUND, WRONG_STATE)."""
        holder, *place = names.parse(request.name, *COLLECTIONS)
        questionnaire_id, part_id = place
        vault = open_vault(tx, self.app.keys, holder)
        questionnaire = QUESTIONNAIRES.get(tx, vault, questionnaire_id, lock=True)
        part = questionnaire_parts.get(tx, vault, questionnaire_id, part_id)
        require_open(questionnaire.state)
        return Found(vault, questionnaire, part, (questionnaire_id, part_id))

    def _read(self, tx: Transaction, request: Any) -> pb.QuestionnairePart:
        holder, questionnaire_id, part_id = names.parse(request.name, *COLLECTIONS)
        return questionnaire_parts.get(tx, open_vault(tx, self.app.keys, holder), questionnaire_id, part_id)

    def _used(self, tx: Transaction, token: str) -> tuple[Link, Vault, InstrumentVersion]:
        """Locks the questionnaire that a link leads to; raises Refusal(NOT_FOUND, SHARE_LINK_ENDED)."""
        token_hash = self.app.links.token_hash(token)
        link = questionnaire_parts.linked(tx, token_hash)
        vault = open_vault(tx, self.app.keys, link.holder)
        questionnaire = QUESTIONNAIRES.get(tx, vault, link.questionnaire, lock=True)
        if questionnaire.state != pb.Questionnaire.STATE_OPEN:
            raise Refusal(reason_pb2.REASON_SHARE_LINK_ENDED, metadata={"state": "COMPLETED"})
        # Once more: it may have been used up while another one held the lock.
        questionnaire_parts.linked(tx, token_hash)
        return link, vault, self.asked(tx, questionnaire)


def _require_unfilled(part: pb.QuestionnairePart) -> None:
    if part.state == _FILLED:
        raise wrong_state("FILLED", "OPEN")


def _log(tx: Transaction, link: Link, action: str) -> None:
    access_records.write(tx, link.holder, action=action, resource=link.name, grant=link.name)
