"""Frameworks of skills."""

from __future__ import annotations

from waymark.portfolio.v1.framework_pb2 import FrameworkVersion

from services.portfolio.store.editions import Editions
from services.portfolio.store.instrument_tables import framework_versions

FRAMEWORKS = Editions(framework_versions, "frameworks", FrameworkVersion)
