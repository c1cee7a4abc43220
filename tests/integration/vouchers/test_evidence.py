"""Evidence goes straight to the object store and is compared before a delivery counts."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.vouchers import jobs
from services.vouchers.service import DEFINITION
from services.vouchers.store import evidence as store
from tests.integration.vouchers.refusals import refused
from tests.support.databases import Databases
from tests.support.parts import S3Address
from tests.support.servers import Serve
from tests.support.vouchers import World

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def stored(database: Databases, serve: Serve, s3: S3Address) -> World:
    """A world with an object store."""
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
    }
    return World(serve(DEFINITION, database("vouchers").url, environ=environ))


def started(world: World) -> Any:
    """Returns a redemption whose training has started; the programme asks for one piece of evidence."""
    learner, voucher = world.voucher(world.programme())
    redemption = world.reserve(learner, voucher)
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=redemption.name))
    return world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=redemption.name))


def ticket(world: World, redemption: Any, content: bytes = PDF) -> Any:
    """Returns leave to upload."""
    evidence = pb.DeliveryEvidence(
        size_bytes=len(content),
        content_type="application/pdf",
        sha256=hashlib.sha256(content).hexdigest(),
    )
    request = pb.CreateDeliveryEvidenceRequest(parent=redemption.name, evidence=evidence)
    return world.provider.redemptions.CreateDeliveryEvidence(request)


def put(piece: Any, content: bytes = PDF) -> int:
    """Uploads; returns the HTTP status."""
    answer = httpx.put(piece.upload_uri, content=content, headers=dict(piece.upload_headers), timeout=30)
    return answer.status_code


def test_delivery_with_evidence(stored: World) -> None:
    redemption = started(stored)
    piece = ticket(stored, redemption)
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    assert refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver)) == "UPLOAD_MISSING"
    assert put(piece) == 200
    delivered = stored.provider.redemptions.DeliverRedemption(deliver)
    assert delivered.state == pb.Redemption.STATE_DELIVERED
    assert list(delivered.evidence) == [piece.name]
    jobs.sweep_evidence(stored.app)
    key = piece.name.removeprefix("redemptions/").replace("/evidence/", "/")
    with stored.app.objects.open(store.BUCKET, key) as kept:
        assert kept.read() == PDF


def test_other_bytes_than_announced_never_count(stored: World) -> None:
    redemption = started(stored)
    piece = ticket(stored, redemption)
    put(piece, PDF[:-1] + b"x")
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    reason = refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver))
    assert reason in ("UPLOAD_MISMATCH", "UPLOAD_MISSING")


def test_evidence_of_another_redemption_is_unknown(stored: World) -> None:
    redemption, other = started(stored), started(stored)
    piece = ticket(stored, other)
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    assert refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver)) == "NOT_FOUND"


def test_tickets_are_limited_and_need_a_started_training(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = stored.voucher(stored.programme())
    assert refused(lambda: ticket(stored, stored.reserve(learner, voucher))) == "WRONG_STATE"
    monkeypatch.setattr(store, "MAXIMUM", 1)
    redemption = started(stored)
    ticket(stored, redemption)
    assert refused(lambda: ticket(stored, redemption)) == "EVIDENCE_LIMIT"
