"""SkillGapService. Answers from the index and what the process keeps of occupations alone."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import skill_gap_pb2_grpc
from waymark.catalogue.v1.exposure_pb2 import Exposure
from waymark.catalogue.v1.skill_gap_pb2 import (
    CheckSkillGapRequest,
    RecommendOccupationsRequest,
    RecommendOccupationsResponse,
    SkillGap,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.search import Indexed, from_indexes
from services.catalogue.app import CatalogueApp
from services.catalogue.search import gap
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark


class SkillGapApi(skill_gap_pb2_grpc.SkillGapServiceServicer):
    """From skills to occupations."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    def CheckSkillGap(self, request: CheckSkillGapRequest, _call: Any) -> SkillGap:
        needs = self.app.skill_book.map().find(request.occupation)
        if needs is None:
            text = "No imported taxonomy says which skills this occupation needs."
            raise Refusal(reason_pb2.REASON_NOT_FOUND, text)

        def answered(indexed: Indexed) -> SkillGap:
            return gap.gap(request, needs, indexed.courses, indexed.known_labels(), indexed.market)

        answer = from_indexes(self.app, answered)
        self._count([each.hit for each in answer.courses])
        return answer

    def RecommendOccupations(
        self, request: RecommendOccupationsRequest, _call: Any
    ) -> RecommendOccupationsResponse:
        known = self.app.skill_book.map()

        def answered(indexed: Indexed) -> RecommendOccupationsResponse:
            return gap.ideas(request, known, indexed.courses, indexed.known_labels(), indexed.market)

        answer = from_indexes(self.app, answered)
        for idea in answer.ideas:
            self._count([each.hit for each in idea.courses])
        return answer

    def _count(self, hits: list[Any]) -> None:
        self.app.exposures.add(self.app.market.view().today, Exposure.KIND_RECOMMENDED, hits)


# Public, so they have no relationships to ask.
for served in (SkillGapApi.CheckSkillGap, SkillGapApi.RecommendOccupations):
    mark(served, computes=True)
