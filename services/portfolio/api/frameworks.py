"""FrameworkService."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import framework_pb2 as pb
from waymark.portfolio.v1 import framework_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import frameworks
from services.portfolio.formats import smart_evidence
from services.portfolio.formats.format import DocumentBrokenError
from services.portfolio.store.frameworks import FRAMEWORKS

MOST_LEFT = 100  # paths told of what has no place


class FrameworkApi(framework_pb2_grpc.FrameworkServiceServicer):
    """Frameworks of skills, in versions that never change once published."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateFrameworkVersion(
        self, tx: Transaction, request: pb.CreateFrameworkVersionRequest
    ) -> pb.FrameworkVersion:
        wanted = without_outputs(request.framework_version)
        frameworks.check(wanted)
        return FRAMEWORKS.draft(tx, request.parent, wanted)

    @mutation
    def ImportFrameworkVersion(
        self, tx: Transaction, request: pb.ImportFrameworkVersionRequest
    ) -> pb.ImportFrameworkVersionResponse:
        try:
            found = smart_evidence.read(request.content, request.language_code or "en")
        except DocumentBrokenError as error:
            metadata = {"found": str(error)}
            raise Refusal(reason_pb2.REASON_DOCUMENT_UNREADABLE, metadata=metadata) from error
        return pb.ImportFrameworkVersionResponse(
            framework_version=FRAMEWORKS.draft(tx, request.parent, found.version),
            not_carried=sorted(found.left)[:MOST_LEFT],
        )

    @mutation
    def UpdateFrameworkVersion(
        self, tx: Transaction, request: pb.UpdateFrameworkVersionRequest
    ) -> pb.FrameworkVersion:
        change = request.framework_version
        current = FRAMEWORKS.lock(tx, change.name, change.etag)
        wanted = without_outputs(merged(current, change, request.update_mask, "framework_version"))
        frameworks.check(wanted)
        return FRAMEWORKS.change(tx, change.name, wanted)

    @query
    def GetFrameworkVersion(
        self, tx: Transaction, request: pb.GetFrameworkVersionRequest
    ) -> pb.FrameworkVersion:
        return FRAMEWORKS.get(tx, request.name)

    @query
    def ListFrameworkVersions(
        self, tx: Transaction, request: pb.ListFrameworkVersionsRequest
    ) -> pb.ListFrameworkVersionsResponse:
        page = FRAMEWORKS.page(tx, self.app.signer, request)
        return pb.ListFrameworkVersionsResponse(
            framework_versions=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def PublishFrameworkVersion(
        self, tx: Transaction, request: pb.PublishFrameworkVersionRequest
    ) -> pb.FrameworkVersion:
        # Once more: it may have been drafted when less was asked.
        frameworks.check(FRAMEWORKS.lock(tx, request.name, request.etag))
        return FRAMEWORKS.publish(tx, request.name)
