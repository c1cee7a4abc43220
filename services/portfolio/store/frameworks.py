"""Frameworks of skills, and the instruments by which people are asked about them."""

from __future__ import annotations

from waymark.portfolio.v1.framework_pb2 import FrameworkVersion
from waymark.portfolio.v1.instrument_pb2 import InstrumentVersion

from services.portfolio.store.editions import Editions
from services.portfolio.store.instrument_tables import framework_versions, instrument_versions

FRAMEWORKS = Editions(framework_versions, "frameworks", FrameworkVersion)
INSTRUMENTS = Editions(instrument_versions, "instruments", InstrumentVersion)
