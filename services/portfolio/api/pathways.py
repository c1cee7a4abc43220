"""PathwayService: pathways as a whole. Steps and spells are in files of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import pathway_pb2 as pb
from waymark.portfolio.v1 import pathway_pb2_grpc
from waymark.portfolio.v1.events_pb2 import PathwayMoved
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark, query
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.pathway_spells import SpellApi
from services.portfolio.api.pathway_steps import StepApi
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.graph import open_steps
from services.portfolio.domain.pathways import Standing, label
from services.portfolio.domain.sharing import require_active
from services.portfolio.passes.rendering import as_pdf
from services.portfolio.requests import PATHWAY, actor_of
from services.portfolio.store import holders, pathway_words, pathways, share_links, stalled, steps
from services.portfolio.store.pathways import Loaded
from services.portfolio.store.vault import Vault, open_vault


class PathwayApi(StepApi, SpellApi, pathway_pb2_grpc.PathwayServiceServicer):
    """Ways to a qualification or an occupation."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreatePathway(self, tx: Transaction, request: pb.CreatePathwayRequest) -> pb.Pathway:
        (holder,) = names.parse(request.parent, "holders")
        pathway = without_outputs(request.pathway)
        if not pathway.target.qualification_uri and not pathway.target.occupation_uri:
            refuse([Violation("pathway.target", "must name a qualification or an occupation")])
        return pathways.create(tx, open_vault(tx, self.app.keys, holder), pathway).message

    @portfolio_call
    def GetPathway(self, tx: Transaction, request: pb.GetPathwayRequest) -> pb.Pathway:
        holder, pathway_id = names.parse(request.name, "holders", "pathways")
        return pathways.load(tx, open_vault(tx, self.app.keys, holder), pathway_id).message

    @portfolio_call
    def ListPathways(self, tx: Transaction, request: pb.ListPathwaysRequest) -> pb.ListPathwaysResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = pathways.listed(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPathwaysResponse(pathways=page.messages, next_page_token=page.next_page_token)

    @query
    def ListStalledPathways(
        self, tx: Transaction, request: pb.ListStalledPathwaysRequest
    ) -> pb.ListStalledPathwaysResponse:
        page = stalled.of_counsellor(tx, self.app.signer, request, PATHWAY)
        return pb.ListStalledPathwaysResponse(
            stalled_pathways=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def ListPathwayWords(
        self, tx: Transaction, request: pb.ListPathwayWordsRequest
    ) -> pb.ListPathwayWordsResponse:
        holder, pathway_id = names.parse(request.parent, "holders", "pathways")
        vault = open_vault(tx, self.app.keys, holder)
        pathways.load(tx, vault, pathway_id)  # there is such a pathway
        page = pathway_words.listed(tx, self.app.signer, vault, pathway_id, request)
        return pb.ListPathwayWordsResponse(words=page.messages, next_page_token=page.next_page_token)

    @mark
    def GetPathwayPass(self, request: pb.GetPathwayPassRequest, call: Any) -> HttpBody:
        shown = self._on_pass(request, call)
        called = f"{shown.holder.given_name} {shown.holder.family_name}".strip()
        address = f"{self.app.origin}/v1/shareLinks:open#{request.token}" if request.token else ""
        data = as_pdf(shown.pathways[0], called, request.language_code, address)
        return HttpBody(content_type="application/pdf", data=data)

    @portfolio_call
    def _on_pass(self, tx: Transaction, request: pb.GetPathwayPassRequest) -> SharedPortfolio:
        """Reads what a pass shows; it is set on paper while no transaction is open."""
        holder, pathway_id = names.parse(request.name, "holders", "pathways")
        vault = open_vault(tx, self.app.keys, holder)
        pathway = pathways.load(tx, vault, pathway_id).message
        shown = SharedPortfolio(holder=holders.get(tx, vault), pathways=[pathway])
        if request.token:
            link = share_links.lock(tx, self.app.links.token_hash(request.token))
            if link.holder != holder:
                raise Refusal(reason_pb2.REASON_NOT_FOUND)
            require_active(link.state)
        return shown

    @portfolio_call
    def AgreePathway(self, tx: Transaction, request: pb.AgreePathwayRequest) -> pb.Pathway:
        vault, before = self._locked(tx, request)
        actor = actor_of(tx, vault.holder)
        standing = before.standing.agree(actor)
        if standing != before.standing:
            said = before.message.steps
            pathway_words.agree(tx, vault, before.id, standing.revision, actor, said)
        return _written(tx, vault, before, standing)

    @portfolio_call
    def StartPathway(self, tx: Transaction, request: pb.StartPathwayRequest) -> pb.Pathway:
        return self._moved(tx, request, lambda loaded: loaded.standing.start())

    @portfolio_call
    def PausePathway(self, tx: Transaction, request: pb.PausePathwayRequest) -> pb.Pathway:
        return self._moved(tx, request, lambda loaded: loaded.standing.move(pb.Pathway.STATE_PAUSED))

    @portfolio_call
    def ResumePathway(self, tx: Transaction, request: pb.ResumePathwayRequest) -> pb.Pathway:
        return self._moved(tx, request, lambda loaded: loaded.standing.resume())

    @portfolio_call
    def AchievePathway(self, tx: Transaction, request: pb.AchievePathwayRequest) -> pb.Pathway:
        return self._moved(tx, request, _achieved)

    @portfolio_call
    def TransferPathway(self, tx: Transaction, request: pb.TransferPathwayRequest) -> pb.Pathway:
        return self._ended(tx, request, pb.Pathway.STATE_TRANSFERRED, request.destination)

    @portfolio_call
    def AbandonPathway(self, tx: Transaction, request: pb.AbandonPathwayRequest) -> pb.Pathway:
        return self._ended(tx, request, pb.Pathway.STATE_ABANDONED, request.reason)

    def _ended(self, tx: Transaction, request: Any, state: Any, ending: str) -> pb.Pathway:
        def end(loaded: Loaded) -> Standing:
            loaded.message.ending = ending
            return loaded.standing.move(state)

        return self._moved(tx, request, end)

    def _moved(self, tx: Transaction, request: Any, decide: Callable[[Loaded], Standing]) -> pb.Pathway:
        """Locks the pathway `request` names, lets `decide` say where it then stands, writes and tells."""
        vault, before = self._locked(tx, request)
        return _written(tx, vault, before, decide(before))

    def _locked(self, tx: Transaction, request: Any) -> tuple[Vault, Loaded]:
        """Locks the pathway `request` names; raises Refusal(NOT_FOUND, ETAG_STALE)."""
        holder, pathway_id = names.parse(request.name, "holders", "pathways")
        vault = open_vault(tx, self.app.keys, holder)
        return vault, pathways.load(tx, vault, pathway_id, etag=request.etag, lock=True)


def _written(tx: Transaction, vault: Vault, before: Loaded, standing: Standing) -> pb.Pathway:
    """Writes where a locked pathway now stands, and tells when that is another state."""
    after = pathways.save(tx, vault, before, standing)
    if after.standing.state != before.standing.state:
        tx.publish(PathwayMoved(pathway=after.message.name, to_state=label(after.standing.state)))
    return after.message


def _achieved(loaded: Loaded) -> Standing:
    standing = loaded.standing.move(pb.Pathway.STATE_ACHIEVED)
    still_open = ",".join(node.id for node in open_steps(steps.nodes(loaded.message)))
    if still_open:
        raise Refusal(reason_pb2.REASON_PATHWAY_STEPS_OPEN, metadata={"steps": still_open})
    return standing
