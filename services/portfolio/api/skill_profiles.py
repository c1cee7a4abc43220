"""SkillProfileService."""

from __future__ import annotations

from waymark.portfolio.v1 import skill_profile_pb2 as pb
from waymark.portfolio.v1 import skill_profile_pb2_grpc
from waymark.portfolio.v1.entry_pb2 import ENTRY_KIND_WORK

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.skills import profile
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import open_vault


class SkillProfileApi(skill_profile_pb2_grpc.SkillProfileServiceServicer):
    """Skills and present occupations of a person."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def GetSkillProfile(self, tx: Transaction, request: pb.GetSkillProfileRequest) -> pb.SkillProfile:
        (holder,) = names.parse(request.name, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        claims = SKILL_CLAIMS.contents(tx, vault)
        work = ENTRIES.contents(tx, vault, kind=ENTRY_KIND_WORK)
        return profile(claims, work, tx.today)
