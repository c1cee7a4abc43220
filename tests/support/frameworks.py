"""Frameworks on a running portfolio service: the samples of the project, drafted and published."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from waymark.portfolio.v1 import framework_pb2 as pb

from tests.support.portfolio import Portfolio

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
M = TypeVar("M", bound=Message)


def sample(path: str, message: M) -> M:
    """Reads a sample, `frameworks/career-management`, into a message."""
    return ParseDict(json.loads((SAMPLES / f"{path}.json").read_text()), message)


def drafted(portfolio: Portfolio, path: str = "frameworks/career-management") -> pb.FrameworkVersion:
    """Drafts a sample under an id of its own."""
    wanted = sample(path, pb.FrameworkVersion())
    request = pb.CreateFrameworkVersionRequest(
        parent=f"frameworks/f-{uuid.uuid4()}", framework_version=wanted
    )
    made: pb.FrameworkVersion = portfolio.staff("catalogue_manager").CreateFrameworkVersion(request)
    return made


def published(portfolio: Portfolio, path: str = "frameworks/career-management") -> pb.FrameworkVersion:
    """Drafts a sample and publishes it as somebody else."""
    request = pb.PublishFrameworkVersionRequest(name=drafted(portfolio, path).name)
    made: pb.FrameworkVersion = portfolio.staff("catalogue_manager").PublishFrameworkVersion(request)
    return made
