"""PathwayService: steps, added, changed and moved by hand."""

from __future__ import annotations

from typing import NamedTuple

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import pathway_pb2 as pb
from waymark.portfolio.v1.events_pb2 import PathwayStepMoved

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_evidence
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, refuse
from services.portfolio.domain.graph import blocking, check_acyclic
from services.portfolio.domain.states import wrong_state
from services.portfolio.domain.steps import VERDICTS, label, move_by_hand, require_unjudged
from services.portfolio.requests import actor_of
from services.portfolio.store import pathway_words, pathways, steps
from services.portfolio.store.pathways import Loaded
from services.portfolio.store.vault import Vault, open_vault


class Found(NamedTuple):
    """A step in its locked pathway."""

    vault: Vault
    pathway: Loaded
    step: pb.Step
    ref: steps.StepRef


class StepApi:
    """Steps of pathways."""

    app: PortfolioApp

    @portfolio_call
    def AddStep(self, tx: Transaction, request: pb.AddStepRequest) -> pb.Pathway:
        holder, pathway_id = names.parse(request.pathway, "holders", "pathways")
        vault = open_vault(tx, self.app.keys, holder)
        pathway = pathways.load(tx, vault, pathway_id, etag=request.etag, lock=True)
        standing = pathway.standing.revise()
        step = without_outputs(request.step)
        _check(step, pathway.message)
        steps.add(tx, vault, pathway, step)
        pathway_words.propose(tx, vault, pathway.id, standing.revision, actor_of(tx, holder))
        return pathways.save(tx, vault, pathway, standing).message

    @portfolio_call
    def UpdateStep(self, tx: Transaction, request: pb.UpdateStepRequest) -> pb.Pathway:
        found = self._find(tx, request.step.name, request.etag)
        standing = found.pathway.standing.revise()
        step = merged(found.step, request.step, request.update_mask, "step")
        _check(step, found.pathway.message)
        if (step.kind, step.title) != (found.step.kind, found.step.title):
            require_unjudged(found.step.state)
        others = {node.id: node.prerequisites for node in steps.nodes(found.pathway.message)}
        check_acyclic(others | {found.ref.id: steps.node(step).prerequisites})
        if step.course != found.step.course:
            if found.step.state != pb.Step.STATE_PLANNED:
                raise wrong_state(label(found.step.state), "PLANNED")
            steps.forget_redemptions(tx, found.ref)
        steps.save(tx, found.vault, found.ref, step)
        actor = actor_of(tx, found.ref.holder)
        pathway_words.propose(tx, found.vault, found.pathway.id, standing.revision, actor)
        return pathways.save(tx, found.vault, found.pathway, standing).message

    @portfolio_call
    def MoveStep(self, tx: Transaction, request: pb.MoveStepRequest) -> pb.Pathway:
        found = self._find(tx, request.name, request.etag)
        _, pathway, step, ref = found
        pathway.standing.require({pb.Pathway.STATE_ACTIVE})
        actor = actor_of(tx, ref.holder)
        before = step.state
        step.state = move_by_hand(
            before,
            request.state,
            actor,
            course=step.course,
            reason=request.reason,
            stages=steps.stages(tx, [ref]).get(ref, ()),
        )
        if before == pb.Step.STATE_PLANNED and request.state not in VERDICTS:
            _require_unblocked(step, pathway.message)
        step.reason = request.reason if step.state in VERDICTS else ""
        if request.evidence:
            check_evidence(tx, ref.holder, request.evidence, "evidence")
            del step.evidence[:]
            step.evidence.extend(request.evidence)
        steps.save(tx, found.vault, ref, step)
        tx.publish(
            PathwayStepMoved(
                pathway=pathway.message.name,
                step=step.name,
                from_state=label(before),
                to_state=label(step.state),
                cause=actor,
            )
        )
        return pathways.save(tx, found.vault, pathway, pathway.standing).message

    def _find(self, tx: Transaction, name: str, etag: str) -> Found:
        """Locks the pathway of a step; raises Refusal(NOT_FOUND, ETAG_STALE)."""
        holder, pathway_id, step_id = names.parse(name, "holders", "pathways", "steps")
        vault = open_vault(tx, self.app.keys, holder)
        pathway = pathways.load(tx, vault, pathway_id, etag=etag, lock=True)
        for step in pathway.message.steps:
            if step.name == name:
                return Found(vault, pathway, step, steps.StepRef(holder, pathway_id, step_id, step.state))
        raise Refusal(reason_pb2.REASON_NOT_FOUND)


def _check(step: pb.Step, pathway: pb.Pathway) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for what the contract's own rules cannot say."""
    violations = []
    if not step.kind:
        violations.append(Violation("step.kind", "must be one of the kinds"))
    if step.HasField("due_date"):
        violations += check_date("step.due_date", step.due_date, partial=False)
    known = {other.name for other in pathway.steps}
    for index, name in enumerate(step.prerequisites):
        if name not in known:
            violations.append(Violation(f"step.prerequisites[{index}]", "is no step of this pathway"))
    refuse(violations)


def _require_unblocked(step: pb.Step, pathway: pb.Pathway) -> None:
    waiting = blocking(steps.node(step), steps.nodes(pathway))
    if waiting:
        raise Refusal(reason_pb2.REASON_STEP_BLOCKED, metadata={"steps": ",".join(waiting)})
