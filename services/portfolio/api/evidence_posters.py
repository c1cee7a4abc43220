"""EvidenceService: small pictures of files, made by the app that has the file, or of images by a job."""

from __future__ import annotations

from typing import Any

import filetype
from google.api.httpbody_pb2 import HttpBody
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import evidence_pb2 as pb

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark
from services.portfolio import scanning
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import keeping, posters
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.vault import open_vault

TYPES = ("image/jpeg", "image/png", "image/webp")


class PosterApi:
    """Pictures of files."""

    app: PortfolioApp

    @mark
    def SetEvidencePoster(self, request: pb.SetEvidencePosterRequest, call: Any) -> pb.Evidence:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
        if request.image and filetype.guess_mime(request.image) not in TYPES:
            raise Refusal(reason_pb2.REASON_UPLOAD_MISMATCH, metadata={"field": "content_type"})
        scanning.require_clean(self.app, request.image)
        return self._set_poster(request, call)

    @portfolio_call
    def GetEvidencePoster(self, tx: Transaction, request: pb.GetEvidencePosterRequest) -> HttpBody:
        holder, evidence_id = names.parse(request.name, "holders", "evidence")
        image = posters.read(tx, open_vault(tx, self.app.keys, holder), evidence_id)
        return HttpBody(content_type=filetype.guess_mime(image), data=image)

    @portfolio_call
    def _set_poster(self, tx: Transaction, request: pb.SetEvidencePosterRequest) -> pb.Evidence:
        holder, evidence_id = names.parse(request.name, "holders", "evidence")
        vault = open_vault(tx, self.app.keys, holder)
        if EVIDENCE.get(tx, vault, evidence_id, lock=True).has_poster:
            keeping.require_none(tx, holder)
        posters.write(tx, vault, evidence_id, request.image)
        said = {"has_poster": bool(request.image), "preview_due": False}
        return EVIDENCE.noted(tx, vault, evidence_id, **said)
