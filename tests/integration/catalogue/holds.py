"""Holding courses and organisations back, and letting them go, for tests."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import quality_hold_pb2 as pb
from waymark.catalogue.v1 import quality_hold_pb2_grpc

from tests.support.catalogue import Catalogue

Hold = pb.QualityHold
UNFOUNDED = Hold.OUTCOME_UNFOUNDED


def calls(catalogue: Catalogue, access: str | None = None) -> Any:
    """Calls of QualityHoldService."""
    return catalogue.stub(quality_hold_pb2_grpc.QualityHoldServiceStub, access)


def placing(subject: str) -> pb.PlaceQualityHoldRequest:
    """Returns the request that holds a course or an organisation back."""
    return pb.PlaceQualityHoldRequest(quality_hold=Hold(subject=subject, reason=Hold.REASON_SAFETY))


def place(catalogue: Catalogue, subject: str) -> Any:
    """Holds a course or an organisation back; returns the hold."""
    return calls(catalogue).PlaceQualityHold(placing(subject))


def lift(catalogue: Catalogue, hold: str) -> Any:
    """Has a second person lift a hold; returns it."""
    request = pb.LiftQualityHoldRequest(name=hold, outcome=UNFOUNDED)
    return calls(catalogue, catalogue.second).LiftQualityHold(request)
