"""PageSubmissionService. What was frozen is written down while no transaction is open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import page_submission_pb2 as pb
from waymark.portfolio.v1 import page_submission_pb2_grpc
from waymark.portfolio.v1.events_pb2 import PageSubmissionMoved
from waymark.portfolio.v1.evidence_pb2 import Evidence, EvidenceDownload

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark, query
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.evidence import download_of
from services.portfolio.api.pages import written
from services.portfolio.api.references import check_each
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.domain.states import word, wrong_state
from services.portfolio.presenting import presented
from services.portfolio.scanning import require_served_now
from services.portfolio.store import page_submissions, pages
from services.portfolio.store.collection import Collection
from services.portfolio.store.evidence import hold
from services.portfolio.store.page_submissions import COLLECTIONS, SUBMISSIONS, State
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.vault import Vault, open_vault

LONGEST = timedelta(days=366)


class PageSubmissionApi(page_submission_pb2_grpc.PageSubmissionServiceServicer):
    """Pages handed in, frozen."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreatePageSubmission(
        self, tx: Transaction, request: pb.CreatePageSubmissionRequest
    ) -> pb.PageSubmission:
        (holder,) = names.parse(request.parent, "holders")
        vault, wanted = open_vault(tx, self.app.keys, holder), without_outputs(request.page_submission)
        of: Collection[Any] = PAGES if f"/{PAGES.segment}/" in wanted.source else PAGE_COLLECTIONS
        check_each(tx, holder, of, {"page_submission.source": wanted.source})
        check_expiry("page_submission.expire_time", wanted.expire_time, now=tx.now, longest=LONGEST)
        if wanted.recipient == holder:
            refuse([Violation("page_submission.recipient", "must be somebody else than the holder")])
        frozen = _frozen(tx, vault, wanted.source)
        hold(tx, vault, (each.evidence for page in frozen.pages for each in page.items if each.evidence.name))
        wanted.sha256 = hashlib.sha256(frozen.SerializeToString(deterministic=True)).hexdigest()
        return self._told(tx, page_submissions.add(tx, vault, wanted, frozen))

    @portfolio_call
    def GetPageSubmission(self, tx: Transaction, request: pb.GetPageSubmissionRequest) -> pb.PageSubmission:
        vault, row_id = self._named(tx, request.name)
        return SUBMISSIONS.get(tx, vault, row_id)

    @portfolio_call
    def ListPageSubmissions(
        self, tx: Transaction, request: pb.ListPageSubmissionsRequest
    ) -> pb.ListPageSubmissionsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = SUBMISSIONS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPageSubmissionsResponse(
            page_submissions=page.messages, next_page_token=page.next_page_token
        )

    @query
    def ListReceivedSubmissions(
        self, tx: Transaction, request: pb.ListReceivedSubmissionsRequest
    ) -> pb.ListReceivedSubmissionsResponse:
        page = page_submissions.received(tx, self.app.signer, request)
        return pb.ListReceivedSubmissionsResponse(
            received_submissions=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def GetSubmittedPages(self, tx: Transaction, request: pb.GetSubmittedPagesRequest) -> pb.SubmittedPages:
        return page_submissions.frozen(tx, *self._named(tx, request.name))

    @mark
    def RenderSubmittedPages(self, request: pb.RenderSubmittedPagesRequest, call: Any) -> Iterator[HttpBody]:
        frozen: pb.SubmittedPages = self._read(request, call)
        yield from written(frozen.pages, request.format)

    @mark
    def GetSubmittedFile(self, request: pb.GetSubmittedFileRequest, call: Any) -> EvidenceDownload:
        return download_of(self.app, self._frozen_file(request, call))

    @portfolio_call
    def ReturnPageSubmission(
        self, tx: Transaction, request: pb.ReturnPageSubmissionRequest
    ) -> pb.PageSubmission:
        vault, row_id = self._named(tx, request.name)
        submission = SUBMISSIONS.get(tx, vault, row_id, lock=True)
        _require(submission, State.STATE_SUBMITTED)
        submission.feedback = request.feedback
        returned = SUBMISSIONS.replace(tx, vault, row_id, submission, state=State.STATE_RETURNED)
        return self._told(tx, returned)

    @portfolio_call
    def WithdrawPageSubmission(
        self, tx: Transaction, request: pb.WithdrawPageSubmissionRequest
    ) -> pb.PageSubmission:
        vault, row_id = self._named(tx, request.name)
        submission = SUBMISSIONS.get(tx, vault, row_id, lock=True)
        if submission.state == State.STATE_WITHDRAWN:
            return submission
        _require(submission, State.STATE_SUBMITTED, State.STATE_RETURNED)
        withdrawn = SUBMISSIONS.replace(tx, vault, row_id, submission, state=State.STATE_WITHDRAWN)
        return self._told(tx, withdrawn)

    @portfolio_call
    def _read(self, tx: Transaction, request: Any) -> pb.SubmittedPages:
        """Reads what was frozen, for what is made of it once the transaction is over."""
        return page_submissions.frozen(tx, *self._named(tx, request.name))

    @portfolio_call
    def _frozen_file(self, tx: Transaction, request: pb.GetSubmittedFileRequest) -> Evidence:
        file = _file(page_submissions.frozen(tx, *self._named(tx, request.name)), request.evidence)
        require_served_now(self.app, tx, file.name)
        return file

    def _named(self, tx: Transaction, name: str) -> tuple[Vault, str]:
        holder, row_id = names.parse(name, *COLLECTIONS)
        return open_vault(tx, self.app.keys, holder), row_id

    def _told(self, tx: Transaction, submission: pb.PageSubmission) -> pb.PageSubmission:
        tx.publish(PageSubmissionMoved(page_submission=submission.name, to_state=_label(submission.state)))
        return submission


def _frozen(tx: Transaction, vault: Vault, source: str) -> pb.SubmittedPages:
    """Returns pages as they are now; raises Refusal(INVALID_ARGUMENT) for a collection without any."""
    found = presented(tx, vault, pages.named(tx, vault, [source]))
    if not found:
        refuse([Violation("page_submission.source", "has no page")])
    frozen = pb.SubmittedPages(pages=found)
    if f"/{PAGE_COLLECTIONS.segment}/" in source:
        frozen.title = PAGE_COLLECTIONS.get(tx, vault, names.last(source)).title
    frozen.freeze_time.FromDatetime(tx.now)
    return frozen


def _file(frozen: pb.SubmittedPages, name: str) -> Evidence:
    for page in frozen.pages:
        for item in page.items:
            if item.evidence.name == name:
                return item.evidence
    raise Refusal(reason_pb2.REASON_NOT_FOUND)


def _require(submission: pb.PageSubmission, *states: State.ValueType) -> None:
    if submission.state not in states:
        raise wrong_state(_label(submission.state), ",".join(map(_label, states)))


def _label(state: State.ValueType) -> str:
    return word(State, state)
